#include "tests/unit/etcd/suites.h"
#include "tests/unit/net/fail.h"

#include "etcd/registry.h"

#include <errno.h>

static struct etcd_registry *registry;

static void set_up(void)
{
	registry = etcd_registry_new(256, 260);
	ck_assert_ptr_nonnull(registry);
}

static void tear_down(void)
{
	etcd_registry_free(registry);
}

START_TEST(both_ways)
{
	/* Goal: labels and number lead to each other; a later owner takes the place of the first. */
	ck_assert_int_eq(etcd_registry_set(registry, 257, SPAN("k8s:a=b;"), 5), 0);
	ck_assert_uint_eq(etcd_registry_id(registry, "k8s:a=b;"), 257);
	ck_assert_str_eq(etcd_registry_labels(registry, 257), "k8s:a=b;");
	ck_assert_int_eq(etcd_registry_set(registry, 257, SPAN("k8s:c=d;"), 6), 0);
	ck_assert_uint_eq(etcd_registry_id(registry, "k8s:a=b;"), 0);
	ck_assert_uint_eq(etcd_registry_id(registry, "k8s:c=d;"), 257);
	ck_assert_uint_eq(etcd_registry_count(registry), 1);
	ck_assert_ptr_null(etcd_registry_labels(registry, 255));
}
END_TEST

START_TEST(oldest_wins)
{
	/* Goal: when labels have two numbers, every agent picks the one that was first. */
	ck_assert_int_eq(etcd_registry_set(registry, 258, SPAN("k8s:a=b;"), 9), 0);
	ck_assert_int_eq(etcd_registry_set(registry, 260, SPAN("k8s:a=b;"), 3), 0);
	ck_assert_int_eq(etcd_registry_set(registry, 256, SPAN("k8s:a=b;"), 9), 0);
	ck_assert_uint_eq(etcd_registry_id(registry, "k8s:a=b;"), 260);
	etcd_registry_clear(registry, 260, 0);
	ck_assert_uint_eq(etcd_registry_id(registry, "k8s:a=b;"), 256);
}
END_TEST

START_TEST(taken)
{
	/* Goal: a number with labels that we do not understand is taken all the same. */
	for (uint32_t id = 256; id < 260; id++)
		ck_assert_int_eq(etcd_registry_set(registry, id, (struct span){0}, 1), 0);
	ck_assert_uint_eq(etcd_registry_pick(registry, 0), 260);
	ck_assert_int_eq(etcd_registry_set(registry, 260, SPAN("x"), 1), 0);
	ck_assert_uint_eq(etcd_registry_pick(registry, 0), 0);
	ck_assert_ptr_null(etcd_registry_labels(registry, 256));
	ck_assert(!etcd_registry_is_free(registry, 300, 0));
}
END_TEST

START_TEST(rest)
{
	/* Goal: a number that was taken back is given to nobody before its rest is over. */
	for (uint32_t id = 256; id < 260; id++)
		ck_assert_int_eq(etcd_registry_set(registry, id, SPAN("x"), 1), 0);
	ck_assert_int_eq(etcd_registry_set(registry, 260, SPAN("y"), 1), 0);
	etcd_registry_clear(registry, 260, 100);
	ck_assert_uint_eq(etcd_registry_pick(registry, 99), 0);
	etcd_registry_forget(registry);
	ck_assert(!etcd_registry_is_free(registry, 260, 99));
	ck_assert(etcd_registry_is_free(registry, 260, 100));
	ck_assert_uint_eq(etcd_registry_count(registry), 0);
}
END_TEST

START_TEST(no_memory)
{
	/* Goal: without memory what was there stays. */
	ck_assert_int_eq(etcd_registry_set(registry, 257, SPAN("k8s:a=b;"), 5), 0);
	fail_at(0);
	ck_assert_int_eq(etcd_registry_set(registry, 257, SPAN("k8s:c=d;"), 6), -ENOMEM);
	fail_at(0);
	ck_assert_ptr_null(etcd_registry_new(256, 300));
	fail_at(-1);
	ck_assert_uint_eq(etcd_registry_id(registry, "k8s:a=b;"), 257);
}
END_TEST

Suite *suite_registry(void)
{
	Suite *s = suite_create("etcd/registry");
	TCase *tc = tcase_create("registry");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, both_ways);
	tcase_add_test(tc, oldest_wins);
	tcase_add_test(tc, taken);
	tcase_add_test(tc, rest);
	tcase_add_test(tc, no_memory);
	suite_add_tcase(s, tc);
	return s;
}
