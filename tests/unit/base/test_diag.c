#include "base/diag.h"
#include "base/mem.h"
#include "tests/unit/base/suites.h"

#include <stdlib.h>
#include <string.h>

/* What base_diag_print writes; the caller frees it. */
static char *printed(const struct base_diag *d)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	ck_assert_ptr_nonnull(f);
	base_diag_print(d, f);
	fclose(f);
	return text;
}

START_TEST(sorted)
{
	/* Goal: complaints are printed by position, those about the whole file first. */
	struct base_diag d;

	base_diag_init(&d, "a.yaml");
	base_diag_add(&d, 10, 1, "late %d", 1);
	base_diag_add(&d, 2, 11, "right");
	base_diag_add(&d, 2, 3, "left %s", "%s");
	base_diag_add(&d, 0, 0, "whole");
	cleanup(free) char *text = printed(&d);
	ck_assert_str_eq(text, "a.yaml: whole\na.yaml:2:3: left %s\na.yaml:2:11: right\n"
			       "a.yaml:10:1: late 1\n");
	ck_assert_uint_eq(d.n_found, 4);
	base_diag_done(&d);
	base_diag_done(&d);
}
END_TEST

START_TEST(none)
{
	/* Goal: a good text has nothing to print. */
	struct base_diag d;

	base_diag_init(&d, "a.yaml");
	cleanup(free) char *text = printed(&d);
	ck_assert_str_eq(text, "");
	ck_assert_uint_eq(d.n_found, 0);
	base_diag_done(&d);
}
END_TEST

START_TEST(many)
{
	/* Goal: past the cap complaints are counted and not stored. */
	struct base_diag d;

	base_diag_init(&d, "a");
	for (unsigned i = 0; i < BASE_DIAG_MAX + 7; i++)
		base_diag_add(&d, i + 1, 1, "x");
	ck_assert_uint_eq(d.n_items, BASE_DIAG_MAX);
	ck_assert_uint_eq(d.n_found, BASE_DIAG_MAX + 7);
	cleanup(free) char *text = printed(&d);
	ck_assert_ptr_nonnull(strstr(text, "a: and 7 more\n"));
	base_diag_done(&d);
}
END_TEST

START_TEST(long_texts)
{
	/* Goal: a long name or text is cut, and ends. */
	struct base_diag d;
	char text[1000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	base_diag_init(&d, text);
	base_diag_add(&d, 1, 1, "%s", text);
	ck_assert_uint_eq(strlen(d.file), sizeof(d.file) - 1);
	ck_assert_uint_eq(strlen(d.items[0].text), sizeof(d.items[0].text) - 1);
	base_diag_done(&d);
}
END_TEST

START_TEST(without_memory)
{
	/* Goal: without memory a complaint still counts, so a bad text is never good. */
	struct base_diag d;

	base_diag_init(&d, "a");
	fail_at = 0;
	base_diag_add(&d, 1, 1, "lost");
	fail_at = -1;
	ck_assert_uint_eq(d.n_found, 1);
	ck_assert_uint_eq(d.n_items, 0);
	base_diag_add(&d, 2, 1, "kept");
	cleanup(free) char *text = printed(&d);
	ck_assert_str_eq(text, "a:2:1: kept\na: and 1 more\n");
	base_diag_done(&d);
}
END_TEST

Suite *diag_suite(void)
{
	Suite *suite = suite_create("diag");
	TCase *tc = tcase_create("diag");

	tcase_add_test(tc, sorted);
	tcase_add_test(tc, none);
	tcase_add_test(tc, many);
	tcase_add_test(tc, long_texts);
	tcase_add_test(tc, without_memory);
	suite_add_tcase(suite, tc);
	return suite;
}
