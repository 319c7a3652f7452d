#include "tests/unit/token/suites.h"

#include "token/spiffe.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *id;
	const char *domain; /* NULL: no ID of a workload */
} IDS[] = {
	{"spiffe://example.org/ns/a/sa/b", "example.org"},
	{"spiffe://example.org/a", "example.org"},
	{"spiffe://a_b-c.9/A.b_C-9", "a_b-c.9"},
	{"spiffe://example.org/...", "example.org"},
	{"", NULL},
	{"spiffe://", NULL},
	{"spiffe://example.org", NULL},
	{"spiffe://example.org/", NULL},
	{"spiffe:///a", NULL},
	{"SPIFFE://example.org/a", NULL},
	{"https://example.org/a", NULL},
	{"spiffe://Example.org/a", NULL},
	{"spiffe://example.org:80/a", NULL},
	{"spiffe://user@example.org/a", NULL},
	{"spiffe://example.org/a/", NULL},
	{"spiffe://example.org//a", NULL},
	{"spiffe://example.org/a//b", NULL},
	{"spiffe://example.org/./a", NULL},
	{"spiffe://example.org/a/..", NULL},
	{"spiffe://example.org/a%2e", NULL},
	{"spiffe://example.org/a?x", NULL},
	{"spiffe://example.org/a#x", NULL},
	{"spiffe://example.org/a b", NULL},
	{"spiffe://example.org/\xc3\xa9", NULL},
	{"spiffe://ex\xc3\xa9mple.org/a", NULL},
};

START_TEST(ids)
{
	/* Goal: an ID is written in one way, up to a guard page; its trust domain comes out. */
	size_t n = strlen(IDS[_i].id);
	struct span id = {guarded(IDS[_i].id, n), n};
	struct span domain = SPAN("untouched");

	ck_assert_msg(
		token_spiffe_parse(id, &domain) == (IDS[_i].domain != NULL), "%s", IDS[_i].id);
	ck_assert(span_is(domain, IDS[_i].domain ? IDS[_i].domain : "untouched"));
	ck_assert(token_spiffe_is_in(id, "example.org") ==
		  (IDS[_i].domain && !strcmp(IDS[_i].domain, "example.org")));
}
END_TEST

START_TEST(lengths)
{
	/* Goal: 2048 bytes and a trust domain of 255 are the limit. */
	char id[TOKEN_SPIFFE_ID_MAX + 2];
	struct span domain;

	memset(id, 'a', sizeof(id));
	memcpy(id, "spiffe://d/", 11);
	ck_assert(token_spiffe_parse((struct span){id, TOKEN_SPIFFE_ID_MAX}, &domain));
	ck_assert(!token_spiffe_parse((struct span){id, TOKEN_SPIFFE_ID_MAX + 1}, &domain));
	id[10] = 'a';
	id[9 + 255] = '/';
	ck_assert(token_spiffe_parse((struct span){id, 400}, &domain));
	id[9 + 255] = 'a';
	id[9 + 256] = '/';
	ck_assert(!token_spiffe_parse((struct span){id, 400}, &domain));
}
END_TEST

Suite *suite_spiffe(void)
{
	Suite *suite = suite_create("spiffe");
	TCase *tc = tcase_create("spiffe");

	tcase_add_loop_test(tc, ids, 0, sizeof(IDS) / sizeof(IDS[0]));
	tcase_add_test(tc, lengths);
	suite_add_tcase(suite, tc);
	return suite;
}
