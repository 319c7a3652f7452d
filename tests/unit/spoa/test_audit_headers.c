#include "tests/unit/spoa/suites.h"

#include "base/wr.h"
#include "spoa/audit_headers.h"
#include "spop/data.h"
#include "tests/unit/spoa/help.h"

static char *const WANTED[] = {(char *)"Accept", (char *)"cookie", (char *)"x-nul"};
static char *const SECRET[] = {(char *)"Cookie"};
static const struct conf_strings wanted = {.items = (char **)WANTED, .n = 3};
static const struct conf_strings redacted = {.items = (char **)SECRET, .n = 1};
static unsigned char bytes[512];
static char out[512];

/* As req.hdrs_bin writes them, up to the empty pair. */
static struct span headers(void)
{
	static const struct span PAIRS[] = {{"accept", 6}, {"text/html", 9}, {"host", 4}, {"h", 1},
		{"COOKIE", 6}, {"secret=1", 8}, {"x-nul", 5}, {"a\0b", 3}, {"", 0}, {"", 0}};
	struct wr w = wr_of(bytes, sizeof(bytes));

	for (size_t i = 0; i < ARRAY_SIZE(PAIRS); i++)
		spop_string_encode(&w, PAIRS[i]);
	return (struct span){.p = (char *)bytes, .n = wr_len(&w)};
}

START_TEST(chosen)
{
	/* Only what is wanted, whatever the case; a secret without its value; no NUL within one. */
	static const char GOOD[] = "accept\0text/html\0COOKIE\0HUBBLE_REDACTED\0x-nul\0a?b";
	size_t n = spoa_audit_headers(headers(), &wanted, &redacted, out, sizeof(out));

	ck_assert_uint_eq(n, sizeof(GOOD));
	ck_assert_mem_eq(out, GOOD, sizeof(GOOD));
	ck_assert_uint_eq(spoa_audit_headers(headers(), &redacted, &wanted, out, sizeof(out)), 23);
}
END_TEST

START_TEST(bounds)
{
	/* Whatever room there is, no byte behind it is touched; every prefix is read to its end. */
	struct span all = headers();

	for (size_t room = 0; room < 64; room++) {
		size_t n;

		memset(out, '#', sizeof(out));
		n = spoa_audit_headers(all, &wanted, &redacted, out, room);
		ck_assert_uint_le(n, room);
		for (size_t i = n; i < sizeof(out); i++)
			ck_assert_int_eq(out[i], '#');
	}
	for (size_t cut = 0; cut <= all.n; cut++) {
		char *copy = malloc(cut + 1);

		memcpy(copy, all.p, cut);
		(void)spoa_audit_headers(
			(struct span){copy, cut}, &wanted, &redacted, out, sizeof(out));
		free(copy);
	}
}
END_TEST

Suite *suite_audit_headers(void)
{
	Suite *suite = suite_create("audit_headers");
	TCase *tc = tcase_create("audit_headers");

	tcase_add_test(tc, chosen);
	tcase_add_test(tc, bounds);
	suite_add_tcase(suite, tc);
	return suite;
}
