#include "store/shared.h"
#include "tests/unit/store/scratch.h"
#include "tests/unit/store/suites.h"

#include <errno.h>
#include <string.h>

static void put(struct store *store, const char *labels, const char *roles, uint32_t id)
{
	char why[STORE_WHY];

	ck_assert_int_eq(
		store_shared_put(store, &(struct store_shared){labels, roles, id}, why), 0);
}

static int count(void *arg, const struct store_shared *shared)
{
	ck_assert(*shared->labels && shared->id && shared->roles);
	++*(unsigned *)arg;
	return 0;
}

START_TEST(last_word)
{
	/* Goal: labels have the number that was said last, no number has two sets, also after a restart. */
	cleanup(scratch) struct scratch scratch;
	struct store *store;
	unsigned n = 0;
	uint32_t id = 0;

	scratch_init(&scratch);
	store = scratch_open(&scratch);
	ck_assert_int_eq(store_shared_get(store, "k8s:a=b;", &id), -ENOENT);
	put(store, "k8s:a=b;", "", 300);
	put(store, "k8s:a=b;", "r", 301);
	put(store, "k8s:c=d;", "", 300);
	put(store, "k8s:e=f;", "", 301);
	store_close(store);
	store = scratch_open(&scratch);
	ck_assert_int_eq(store_shared_get(store, "k8s:a=b;", &id), -ENOENT);
	ck_assert_int_eq(store_shared_get(store, "k8s:c=d;", &id), 0);
	ck_assert_uint_eq(id, 300);
	ck_assert_int_eq(store_shared_get(store, "k8s:e=f;", &id), 0);
	ck_assert_uint_eq(id, 301);
	ck_assert_int_eq(store_shared_each(store, count, &n), 0);
	ck_assert_uint_eq(n, 2);
	store_close(store);
}
END_TEST

Suite *shared_suite(void)
{
	Suite *suite = suite_create("shared");
	TCase *tc = tcase_create("shared");

	tcase_add_test(tc, last_word);
	suite_add_tcase(suite, tc);
	return suite;
}
