#include "base/mem.h"
#include "store/store.h"
#include "tests/unit/store/scratch.h"
#include "tests/unit/store/suites.h"

#include <errno.h>
#include <string.h>

static char all_bytes[4 * 256];
static char large[1 << 20];

static const struct {
	const char *name;
	const char *p;
	size_t n;
} TEXTS[] = {
	{"a key set", "{\"keys\":[]}", 11},
	{"no bytes", "", 0},
	{"no pointer", NULL, 0},
	{"one NUL", "\0", 1},
	{"NULs within", "{\0}\0", 4},
	{"no UTF-8", "\xff\xfe\x80", 3},
	{"a quote", "'; DROP TABLE keys; --", 22},
	{"every byte", all_bytes, sizeof(all_bytes)},
	{"a mebibyte", large, sizeof(large)},
};

static void expect(struct store *store, const char *provider, const char *p, size_t n)
{
	cleanup(free) char *json = NULL;
	int64_t time = 0;
	size_t got = 99;

	ck_assert_int_eq(store_keys_get(store, provider, &json, &got, &time), 0);
	ck_assert_uint_eq(got, n);
	ck_assert_int_eq(time, 7);
	ck_assert_int_eq(json[n], 0);
	ck_assert(span_eq((struct span){json, got}, (struct span){p, n}));
}

START_TEST(round_trip)
{
	/* Goal: what was put comes back byte for byte, also after the file was closed. */
	cleanup(scratch) struct scratch scratch;
	char why[STORE_WHY];
	struct store *store;

	for (size_t i = 0; i < sizeof(all_bytes); i++)
		all_bytes[i] = (char)i;
	memset(large, '{', sizeof(large));
	scratch_init(&scratch);
	store = scratch_open(&scratch);
	ck_assert_int_eq(
		store_keys_put(store, "p", (struct span){TEXTS[_i].p, TEXTS[_i].n}, 7, why), 0);
	expect(store, "p", TEXTS[_i].p, TEXTS[_i].n);
	store_close(store);
	store = scratch_open(&scratch);
	expect(store, "p", TEXTS[_i].p, TEXTS[_i].n);
	store_close(store);
}
END_TEST

START_TEST(replace)
{
	/* Goal: the last put wins, and providers do not touch each other. */
	cleanup(scratch) struct scratch scratch;
	char why[STORE_WHY];
	struct store *store;
	char *json = NULL;
	int64_t time = 3;
	size_t n = 5;

	scratch_init(&scratch);
	store = scratch_open(&scratch);
	ck_assert_int_eq(store_keys_get(store, "p", &json, &n, &time), -ENOENT);
	ck_assert_int_eq(store_keys_put(store, "p", SPAN("one"), 7, why), 0);
	ck_assert_int_eq(store_keys_put(store, "q", SPAN("two"), 7, why), 0);
	ck_assert_int_eq(store_keys_put(store, "p", SPAN("three"), 7, why), 0);
	expect(store, "p", "three", 5);
	expect(store, "q", "two", 3);
	ck_assert_int_eq(store_keys_get(store, "P", &json, &n, &time), -ENOENT);
	ck_assert_ptr_null(json);
	ck_assert_uint_eq(n, 5);
	ck_assert_int_eq(time, 3);
	store_close(store);
}
END_TEST

START_TEST(put_refused)
{
	/* Goal: a put that fails says so and leaves the key set that was there. */
	cleanup(scratch) struct scratch scratch;
	char why[STORE_WHY] = "";
	struct store *store;

	scratch_init(&scratch);
	store = scratch_open(&scratch);
	ck_assert_int_eq(store_keys_put(store, "p", SPAN("good"), 7, why), 0);
	ck_assert_int_eq(store_keys_put(store, "", SPAN("bad"), 7, why), -EIO);
	ck_assert_msg(strstr(why, "cannot be stored"), "%s", why);
	ck_assert_int_eq(
		store_keys_put(store, "p", (struct span){"", (size_t)3 << 30}, 7, why), -EIO);
	expect(store, "p", "good", 4);
	store_close(store);
}
END_TEST

START_TEST(without_memory)
{
	/* Goal: whichever allocation fails, a key set is the old or the new one, never another. */
	cleanup(scratch) struct scratch scratch;
	char why[STORE_WHY];
	struct store *store;
	bool fired = true;

	scratch_init(&scratch);
	store = scratch_open(&scratch);
	memset(large, 'n', sizeof(large));
	for (long at = 0; fired; at++) {
		cleanup(free) char *json = NULL;
		int64_t time;
		size_t n = 0;
		int r;

		ck_assert_int_eq(store_keys_put(store, "p", SPAN("old"), 7, why), 0);
		scratch_fail_begin(at, _i);
		r = store_keys_put(store, "p", (struct span){large, 20000}, 7, why);
		fired = scratch_fail_end();
		ck_assert(r == 0 || r == -EIO);
		ck_assert(r == 0 || fired);
		expect(store, "p", r ? "old" : large, r ? 3 : 20000);
		scratch_fail_begin(at, _i);
		r = store_keys_get(store, "p", &json, &n, &time);
		fired |= scratch_fail_end();
		ck_assert(r == 0 || r == -ENOMEM);
		ck_assert_int_eq(!r, !!json);
		ck_assert_int_lt(at, 10000);
	}
	store_close(store);
}
END_TEST

Suite *keys_suite(void)
{
	Suite *suite = suite_create("keys");
	TCase *tc = tcase_create("keys");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, round_trip, 0, ARRAY_SIZE(TEXTS));
	tcase_add_test(tc, replace);
	tcase_add_test(tc, put_refused);
	tcase_add_loop_test(tc, without_memory, 0, 2);
	suite_add_tcase(suite, tc);
	return suite;
}
