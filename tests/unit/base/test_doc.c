#include "base/doc.h"
#include "tests/unit/base/suites.h"

#include <errno.h>
#include <string.h>

/* {a: x, b: [y, {}], a: z}; NULL without memory. */
static struct base_doc *build(void)
{
	cleanup(base_doc) struct base_doc *root = base_doc_new(BASE_DOC_MAP, NULL, 1, 1);
	cleanup(base_doc) struct base_doc *list = base_doc_new(BASE_DOC_LIST, NULL, 2, 4);
	struct base_doc *x, *y, *z, *map;

	if (!root || !list)
		return NULL;
	x = base_doc_new(BASE_DOC_SCALAR, "x", 1, 4);
	if (!x || base_doc_add(root, "a", 1, 1, x))
		return NULL;
	y = base_doc_new(BASE_DOC_SCALAR, "y", 2, 5);
	if (!y || base_doc_add(list, NULL, 0, 0, y))
		return NULL;
	map = base_doc_new(BASE_DOC_MAP, NULL, 2, 8);
	if (!map || base_doc_add(list, NULL, 0, 0, map))
		return NULL;
	if (base_doc_add(root, "b", 2, 1, TAKE_PTR(list)))
		return NULL;
	z = base_doc_new(BASE_DOC_SCALAR, "z", 3, 4);
	if (!z || base_doc_add(root, "a", 3, 1, z))
		return NULL;
	return TAKE_PTR(root);
}

START_TEST(tree)
{
	/* Goal: a tree keeps order, texts and positions, and the first of two equal keys is found. */
	cleanup(base_doc) struct base_doc *root = build();
	const struct base_doc *list = base_doc_get(root, "b");

	ck_assert_uint_eq(root->n_entries, 3);
	ck_assert_str_eq(base_doc_get(root, "a")->text, "x");
	ck_assert_str_eq(root->entries[2].value->text, "z");
	ck_assert_uint_eq(root->entries[2].key_line, 3);
	ck_assert_uint_eq(root->entries[1].key_column, 1);
	ck_assert_int_eq(list->kind, BASE_DOC_LIST);
	ck_assert_uint_eq(list->line, 2);
	ck_assert_uint_eq(list->column, 4);
	ck_assert_uint_eq(list->n_entries, 2);
	ck_assert_ptr_null(list->entries[0].key);
	ck_assert_str_eq(list->entries[0].value->text, "y");
	ck_assert_ptr_null(base_doc_get(root, "c"));
	ck_assert_ptr_null(base_doc_get(list, "y"));
	ck_assert_ptr_null(base_doc_get(list->entries[1].value, ""));
	base_doc_free(NULL);
}
END_TEST

START_TEST(without_memory)
{
	/* Goal: whichever allocation fails, there is no tree and nothing leaks. */
	struct base_doc *root = NULL;
	long at;

	for (at = 0; !root; at++) {
		fail_at = at;
		root = build();
		fail_at = -1;
		ck_assert_int_lt(at, 1000);
	}
	/* root, list, x, its text, a, entries, y, its text, entries, map, entries, b, entries ... */
	ck_assert_int_gt(at, 15);
	base_doc_free(root);
}
END_TEST

START_TEST(parent_survives)
{
	/* Goal: an addition that fails frees the value and leaves the parent as it was. */
	cleanup(base_doc) struct base_doc *root = build();

	for (long at = 0; at < 2; at++) {
		struct base_doc *more = base_doc_new(BASE_DOC_SCALAR, "more", 1, 1);

		ck_assert_ptr_nonnull(more);
		fail_at = at;
		ck_assert_int_eq(base_doc_add(root, "more", 1, 1, more), -ENOMEM);
		fail_at = -1;
		ck_assert_uint_eq(root->n_entries, 3);
		ck_assert_ptr_null(base_doc_get(root, "more"));
	}
}
END_TEST

Suite *doc_suite(void)
{
	Suite *suite = suite_create("doc");
	TCase *tc = tcase_create("doc");

	tcase_add_test(tc, tree);
	tcase_add_test(tc, without_memory);
	tcase_add_test(tc, parent_survives);
	suite_add_tcase(suite, tc);
	return suite;
}
