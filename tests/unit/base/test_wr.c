#include "base/wr.h"
#include "tests/unit/base/suites.h"

#include <stdlib.h>

/* 1 + 4 + 3 bytes */
static void write_all(struct wr *w)
{
	wr_u8(w, 0x01);
	wr_u32be(w, 0xfedcba98);
	wr_bytes(w, "abc", 3);
}

START_TEST(every_size)
{
	/* Goal: what fits is written whole, what does not leaves its place alone and sticks. */
	static const uint8_t want[] = {0x01, 0xfe, 0xdc, 0xba, 0x98, 'a', 'b', 'c'};
	static const size_t ends[] = {0, 1, 1, 1, 1, 5, 5, 5, 8, 8};

	for (size_t n = 0; n < 10; n++) {
		uint8_t *buf = malloc(n + 1);
		struct wr w = wr_of(buf, n);

		memset(buf, 0xaa, n + 1);
		write_all(&w);
		ck_assert_int_eq(w.bad, n < 8);
		ck_assert_uint_eq(wr_len(&w), ends[n]);
		ck_assert_uint_eq(wr_left(&w), n < 8 ? 0 : n - 8);
		ck_assert_mem_eq(buf, want, ends[n]);
		for (size_t i = ends[n]; i <= n; i++)
			ck_assert_uint_eq(buf[i], 0xaa);
		free(buf);
	}
}
END_TEST

START_TEST(sticks)
{
	/* Goal: after one write that did not fit, one that would fit is not written either. */
	uint8_t buf[4] = {0};
	struct wr w = wr_of(buf, sizeof(buf));

	wr_bytes(&w, "12345", 5);
	wr_u8(&w, 'x');
	ck_assert(w.bad);
	ck_assert_uint_eq(wr_len(&w), 0);
	ck_assert_uint_eq(buf[0], 0);
	ck_assert_ptr_null(wr_reserve(&w, 0));
	wr_rewind(&w, 0);
	ck_assert_ptr_null(wr_reserve(&w, SIZE_MAX));
	ck_assert(w.bad);
}
END_TEST

START_TEST(rewind_piece)
{
	/* Goal: a piece that did not fit is undone as a whole, and writing goes on. */
	uint8_t buf[6];
	struct wr w = wr_of(buf, sizeof(buf));
	size_t mark;

	wr_bytes(&w, "ab", 2);
	mark = wr_len(&w);
	wr_bytes(&w, "cd", 2);
	wr_u32be(&w, 1);
	ck_assert(w.bad);
	wr_rewind(&w, mark);
	ck_assert(!w.bad);
	ck_assert_uint_eq(wr_left(&w), 4);
	wr_u32be(&w, 0x31323334);
	wr_bytes(&w, NULL, 0);
	ck_assert(!w.bad);
	ck_assert_mem_eq(buf, "ab1234", 6);
}
END_TEST

START_TEST(reserve)
{
	/* Goal: a reserved place lies inside the buffer and can be filled later. */
	uint8_t buf[5];
	struct wr w = wr_of(buf, sizeof(buf));
	uint8_t *at = wr_reserve(&w, 4);

	wr_u8(&w, 0xff);
	ck_assert_ptr_eq(at, buf);
	wr_put_u32be(at, 0x01020304);
	ck_assert_mem_eq(buf, "\1\2\3\4\xff", 5);
	ck_assert(!w.bad);
}
END_TEST

Suite *wr_suite(void)
{
	Suite *suite = suite_create("wr");
	TCase *tc = tcase_create("wr");

	tcase_add_test(tc, every_size);
	tcase_add_test(tc, sticks);
	tcase_add_test(tc, rewind_piece);
	tcase_add_test(tc, reserve);
	suite_add_tcase(suite, tc);
	return suite;
}
