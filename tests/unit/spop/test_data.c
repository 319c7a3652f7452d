#include "tests/unit/spop/support.h"

#include "base/mem.h"

/*
 * Worked by hand from SPOE.txt 3.1. 16380 = 0x3ffc: fc, then
 * (16380 - 240) >> 4 = 1008: 1008 | 128 -> f0, then (1008 - 128) >> 7 = 6: 06.
 */
static const struct {
	uint64_t v;
	const char *bytes;
} varints[] = {
	{0, "00"},
	{1, "01"},
	{239, "ef"},
	{240, "f0 00"},
	{255, "ff 00"},
	{256, "f0 01"},
	{2287, "ff 7f"},
	{2288, "f0 80 00"},
	{16380, "fc f0 06"},
	{264431, "ff ff 7f"},
	{264432, "f0 80 80 00"},
	{33818863, "ff ff ff 7f"},
	{33818864, "f0 80 80 80 00"},
	{4328786159, "ff ff ff ff 7f"},
	{4328786160, "f0 80 80 80 80 00"},
	{UINT64_C(1) << 63, "f0 f1 fe fe fe fe fe fe fe 06"},
	{(uint64_t)-5, "fb f0 fe fe fe fe fe fe fe 0e"},
	{UINT64_MAX, "ff f0 fe fe fe fe fe fe fe 0e"},
};

START_TEST(varint_golden)
{
	/* Goal: the boundaries of every length read and write the bytes of the specification. */
	struct span bytes = hex(varints[_i].bytes);
	struct span in = guarded(bytes.p, bytes.n);
	struct rd r = rd_span(in);
	uint8_t out[SPOP_VARINT_MAX];
	struct wr w = wr_of(out, sizeof(out));

	ck_assert_uint_eq(spop_varint_parse(&r), varints[_i].v);
	ck_assert(!r.bad);
	ck_assert_uint_eq(rd_left(&r), 0);
	spop_varint_encode(&w, varints[_i].v);
	ck_assert(!w.bad);
	ck_span(written(&w), bytes);

	for (size_t n = 0; n < bytes.n; n++) {
		r = rd_span(guarded(bytes.p, n));
		ck_assert_uint_eq(spop_varint_parse(&r), 0);
		ck_assert(r.bad);
		w = wr_of(out, n);
		spop_varint_encode(&w, varints[_i].v);
		ck_assert(w.bad);
		ck_assert_uint_eq(wr_len(&w), 0);
	}
}
END_TEST

START_TEST(varint_round_trip)
{
	/* Goal: around every power of two, what is written is read back. */
	for (unsigned bit = 0; bit < 64; bit++) {
		for (int d = -300; d <= 300; d++) {
			uint64_t v = (UINT64_C(1) << bit) + (uint64_t)(int64_t)d;
			uint8_t out[SPOP_VARINT_MAX];
			struct wr w = wr_of(out, sizeof(out));
			struct rd r;

			spop_varint_encode(&w, v);
			ck_assert(!w.bad);
			r = rd_span(written(&w));
			ck_assert_uint_eq(spop_varint_parse(&r), v);
			ck_assert(!r.bad && !rd_left(&r));
		}
	}
}
END_TEST

static const char *const bad_varints[] = {
	"ff f1 fe fe fe fe fe fe fe 0e",       /* 2^64 + 15 */
	"f0 f1 fe fe fe fe fe fe fe 0e",       /* 2^64 */
	"ff ff ff ff ff ff ff ff ff 0f",       /* 4 bits in the tenth byte, and a carry */
	"ff ff ff ff ff ff ff ff ff 10",       /* a fifth bit in it */
	"f0 80 80 80 80 80 80 80 80 80",       /* no end after ten */
	"f0 80 80 80 80 80 80 80 80 80 00",    /* eleven bytes */
	"ff ff ff ff ff ff ff ff ff ff ff ff", /* never an end */
};

START_TEST(varint_bounded)
{
	/* Goal: more than ten bytes or 64 bits is bad, and the error sticks. */
	struct span bytes = hex(bad_varints[_i]);
	struct rd r = rd_span(guarded(bytes.p, bytes.n));

	ck_assert_uint_eq(spop_varint_parse(&r), 0);
	ck_assert(r.bad);
	ck_assert_uint_eq(spop_varint_parse(&r), 0);
	ck_assert_uint_eq(rd_left(&r), 0);
}
END_TEST

START_TEST(strings)
{
	/* Goal: a string borrows exactly its bytes; one byte more than there is, is bad. */
	struct span bytes = hex("03 61 00 63");
	struct rd r = rd_span(guarded(bytes.p, bytes.n));
	struct span s = spop_string_parse(&r);

	ck_span(s, ((struct span){.p = "a\0c", .n = 3}));
	ck_assert(!r.bad && !rd_left(&r));

	r = rd_span(guarded("\0", 1));
	s = spop_string_parse(&r);
	ck_assert(!r.bad && !s.n);

	r = rd_span(guarded("\4abc", 4));
	s = spop_string_parse(&r);
	ck_assert(r.bad && !s.n && !s.p);

	/* A length of 2^64 - 1 must not wrap into the buffer. */
	bytes = hex("ff f0 fe fe fe fe fe fe fe 0e 61 61");
	r = rd_span(guarded(bytes.p, bytes.n));
	s = spop_string_parse(&r);
	ck_assert(r.bad && !s.n);
}
END_TEST

#define TEXT(literal) .text = {.p = (literal), .n = sizeof(literal) - 1}

static const struct {
	struct spop_data data;
	const char *bytes;
} values[] = {
	{{.type = SPOP_NULL}, "00"},
	{{.type = SPOP_BOOL, .boolean = false}, "01"},
	{{.type = SPOP_BOOL, .boolean = true}, "11"},
	{{.type = SPOP_INT32, .sint = 0}, "02 00"},
	{{.type = SPOP_INT32, .sint = INT32_MAX}, "02 ff f0 fe fe 3e"},
	{{.type = SPOP_INT32, .sint = -1}, "02 ff f0 fe fe fe fe fe fe fe 0e"},
	{{.type = SPOP_INT32, .sint = INT32_MIN}, "02 f0 f1 fe fe be fe fe fe fe 0e"},
	{{.type = SPOP_UINT32, .uint = 16380}, "03 fc f0 06"},
	{{.type = SPOP_UINT32, .uint = UINT32_MAX}, "03 ff f0 fe fe 7e"},
	{{.type = SPOP_INT64, .sint = 42}, "04 2a"},
	{{.type = SPOP_INT64, .sint = -5}, "04 fb f0 fe fe fe fe fe fe fe 0e"},
	{{.type = SPOP_INT64, .sint = INT64_MIN}, "04 f0 f1 fe fe fe fe fe fe fe 06"},
	{{.type = SPOP_UINT64, .uint = UINT64_MAX}, "05 ff f0 fe fe fe fe fe fe fe 0e"},
	{{.type = SPOP_IPV4, .ip = {192, 0, 2, 1}}, "06 c0 00 02 01"},
	{{.type = SPOP_IPV6, .ip = {0x20, 1, 0x0d, 0xb8, [15] = 1}},
		"07 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01"},
	{{.type = SPOP_STR, TEXT("")}, "08 00"},
	{{.type = SPOP_STR, TEXT("allow")}, "08 05 61 6c 6c 6f 77"},
	{{.type = SPOP_BIN, TEXT("\0\1\377")}, "09 03 00 01 ff"},
};

START_TEST(value_golden)
{
	/* Goal: every type reads and writes its bytes; every prefix is bad and yields NULL. */
	struct span bytes = hex(values[_i].bytes);
	struct rd r = rd_span(guarded(bytes.p, bytes.n));
	struct spop_data got;
	uint8_t out[64];
	struct wr w = wr_of(out, sizeof(out));

	spop_data_parse(&r, &got);
	ck_assert(!r.bad && !rd_left(&r));
	ck_assert(data_equal(&got, &values[_i].data));
	spop_data_encode(&w, &values[_i].data);
	ck_assert(!w.bad);
	ck_span(written(&w), bytes);

	for (size_t n = 0; n < bytes.n; n++) {
		r = rd_span(guarded(bytes.p, n));
		spop_data_parse(&r, &got);
		ck_assert(r.bad);
		ck_assert_int_eq(got.type, SPOP_NULL);
		w = wr_of(out, n);
		spop_data_encode(&w, &values[_i].data);
		ck_assert(w.bad);
	}
}
END_TEST

START_TEST(value_flags_ignored)
{
	/* Goal: of the four flag bits only BOOL's lowest means anything, and STR is still STR. */
	for (unsigned flags = 0; flags < 16; flags++) {
		uint8_t in[] = {(uint8_t)(flags << 4 | SPOP_BOOL)};
		struct rd r = rd_span(guarded(in, 1));
		struct spop_data got;

		spop_data_parse(&r, &got);
		ck_assert(!r.bad);
		ck_assert_int_eq(got.type, SPOP_BOOL);
		ck_assert_int_eq(got.boolean, flags & 1);

		uint8_t str[] = {(uint8_t)(flags << 4 | SPOP_STR), 1, 'x'};
		r = rd_span(guarded(str, 3));
		spop_data_parse(&r, &got);
		ck_assert(!r.bad);
		ck_assert_int_eq(got.type, SPOP_STR);
		ck_span(got.text, SPAN("x"));
	}
}
END_TEST

START_TEST(int32_both_forms)
{
	/* Goal: a negative INT32 may come in 32 or in 64 bits; what fits neither is bad. */
	static const struct {
		const char *bytes;
		int64_t v;
		bool bad;
	} rows[] = {
		{"02 ff f0 fe fe 7e", -1, false},                       /* 2^32 - 1 */
		{"02 f0 f1 fe fe 3e", INT32_MIN, false},                /* 2^31 */
		{"02 f0 f1 fe fe 7e", 0, true},                         /* 2^32 */
		{"02 f0 f1 fe fe be fe fe fe fe 0e", INT32_MIN, false}, /* -2^31 */
		{"02 ff f0 fe fe be fe fe fe fe 0e", 0, true},          /* -2^31 - 1 */
		{"02 ff f0 fe fe fe fe fe fe fe 06", 0, true},          /* 2^63 - 1 */
		{"03 f0 f1 fe fe 7e", 0, true},                         /* UINT32: 2^32 */
		{"03 ff f0 fe fe fe fe fe fe fe 0e", 0, true},          /* UINT32: -1 */
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct span bytes = hex(rows[i].bytes);
		struct rd r = rd_span(guarded(bytes.p, bytes.n));
		struct spop_data got;

		spop_data_parse(&r, &got);
		ck_assert_msg(r.bad == rows[i].bad, "row %zu", i);
		if (rows[i].bad)
			ck_assert_int_eq(got.type, SPOP_NULL);
		else
			ck_assert_int_eq(got.sint, rows[i].v);
	}
}
END_TEST

START_TEST(value_reserved_types)
{
	/* Goal: types 10 to 15 are bad whatever their flags and whatever follows. */
	for (unsigned flags = 0; flags < 16; flags++) {
		for (unsigned type = 10; type < 16; type++) {
			uint8_t in[32] = {(uint8_t)(flags << 4 | type)};
			struct rd r = rd_span(guarded(in, sizeof(in)));
			struct spop_data got = {.type = SPOP_BOOL};

			spop_data_parse(&r, &got);
			ck_assert(r.bad);
			ck_assert_int_eq(got.type, SPOP_NULL);
		}
	}
}
END_TEST

START_TEST(value_unencodable)
{
	/* Goal: a value that its type cannot hold makes the writer bad. */
	static const struct spop_data wrong[] = {
		{.type = SPOP_INT32, .sint = INT64_C(1) + INT32_MAX},
		{.type = SPOP_INT32, .sint = INT64_C(-1) + INT32_MIN},
		{.type = SPOP_UINT32, .uint = UINT64_C(1) + UINT32_MAX},
		{.type = (enum spop_type)10},
		{.type = (enum spop_type) - 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		uint8_t out[32];
		struct wr w = wr_of(out, sizeof(out));

		spop_data_encode(&w, &wrong[i]);
		ck_assert_msg(w.bad, "row %zu", i);
	}
}
END_TEST

Suite *suite_data(void)
{
	Suite *s = suite_create("spop/data");
	TCase *t = tcase_create("data");

	tcase_add_loop_test(t, varint_golden, 0, ARRAY_SIZE(varints));
	tcase_add_test(t, varint_round_trip);
	tcase_add_loop_test(t, varint_bounded, 0, ARRAY_SIZE(bad_varints));
	tcase_add_test(t, strings);
	tcase_add_loop_test(t, value_golden, 0, ARRAY_SIZE(values));
	tcase_add_test(t, value_flags_ignored);
	tcase_add_test(t, int32_both_forms);
	tcase_add_test(t, value_reserved_types);
	tcase_add_test(t, value_unencodable);
	suite_add_tcase(s, t);
	return s;
}
