#include "base/mem.h"
#include "base/rd.h"
#include "tests/unit/base/suites.h"

#include <sys/mman.h>

START_TEST(fields)
{
	/* Goal: fields come out in network order, one after the other, to the last byte. */
	static const uint8_t in[] = {0x01, 0xfe, 0xdc, 0xba, 0x98, 'a', 'b'};
	struct rd r = rd_of(in, sizeof(in));

	ck_assert_uint_eq(rd_left(&r), 7);
	ck_assert_uint_eq(rd_u8(&r), 1);
	ck_assert_uint_eq(rd_u32be(&r), 0xfedcba98);
	ck_assert(span_is(rd_bytes(&r, 2), "ab"));
	ck_assert_uint_eq(rd_left(&r), 0);
	ck_assert(!r.bad);
	ck_assert_uint_eq(rd_bytes(&r, 0).n, 0);
	ck_assert(!r.bad);
	ck_assert_uint_eq(rd_u8(&r), 0);
	ck_assert(r.bad);
}
END_TEST

static const uint64_t TOO_MANY[] = {
	5, 6, 255, 1u << 31, UINT32_MAX, INT64_MAX, UINT64_MAX - 3, UINT64_MAX - 1, UINT64_MAX};

START_TEST(too_many)
{
	/* Goal: a length past the end gives nothing, moves nothing and sticks. */
	struct rd r = rd_of("abcd", 4);
	const uint8_t *before = r.p;
	struct span s = rd_bytes(&r, TOO_MANY[_i]);

	ck_assert_ptr_null(s.p);
	ck_assert_uint_eq(s.n, 0);
	ck_assert(r.bad);
	ck_assert_ptr_eq(r.p, before);
	ck_assert_uint_eq(rd_left(&r), 0);
	ck_assert_uint_eq(rd_u8(&r), 0);
	ck_assert_uint_eq(rd_u32be(&r), 0);
	ck_assert_ptr_null(rd_bytes(&r, 1).p);
	ck_assert_ptr_null(rd_bytes(&r, 0).p);
	ck_assert_ptr_eq(r.p, before);
}
END_TEST

START_TEST(guard_page)
{
	/* Goal: no accessor touches the byte behind the input, whatever is left. */
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *map =
		mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(map, MAP_FAILED);
	memset(map, 0xff, page);
	ck_assert_int_eq(mprotect(map + page, page, PROT_NONE), 0);
	for (size_t n = 0; n < 6; n++) {
		struct rd r = rd_of(map + page - n, n);

		ck_assert_uint_eq(rd_u32be(&r), n < 4 ? 0 : UINT32_MAX);
		ck_assert_int_eq(r.bad, n < 4);
		r = rd_of(map + page - n, n);
		ck_assert_uint_eq(rd_u8(&r), n < 1 ? 0 : 0xff);
		ck_assert_int_eq(r.bad, n < 1);
	}
	munmap(map, 2 * page);
}
END_TEST

START_TEST(empty_span)
{
	/* Goal: a span without bytes, and without a pointer, is an input of no bytes. */
	struct rd r = rd_span((struct span){0});

	ck_assert_uint_eq(rd_left(&r), 0);
	ck_assert(!r.bad);
	ck_assert_uint_eq(rd_u8(&r), 0);
	ck_assert(r.bad);
}
END_TEST

Suite *rd_suite(void)
{
	Suite *suite = suite_create("rd");
	TCase *tc = tcase_create("rd");

	tcase_add_test(tc, fields);
	tcase_add_loop_test(tc, too_many, 0, ARRAY_SIZE(TOO_MANY));
	tcase_add_test(tc, guard_page);
	tcase_add_test(tc, empty_span);
	suite_add_tcase(suite, tc);
	return suite;
}
