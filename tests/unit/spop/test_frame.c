#include "tests/unit/spop/support.h"

#include "base/mem.h"
#include "spop/frame.h"

#include <errno.h>

/* Length 9, NOTIFY, FIN, stream 300 (fc 03), frame 1, payload "x". By hand. */
static const char golden[] = "00 00 00 09 03 00 00 00 01 fc 03 01 78";

static struct span three_frames(uint8_t *to, size_t size)
{
	static const struct {
		enum spop_frame_type type;
		uint64_t stream_id, frame_id;
		struct span payload;
	} rows[] = {
		{SPOP_HAPROXY_HELLO, 0, 0, {0}},
		{SPOP_NOTIFY, UINT64_MAX, 240, {"a longer payload", 16}},
		{SPOP_ACK, 16380, 2288, {"y", 1}},
	};
	struct wr w = wr_of(to, size);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct spop_frame_mark mark = spop_frame_begin(
			&w, rows[i].type, SPOP_FIN, rows[i].stream_id, rows[i].frame_id);

		wr_bytes(&w, rows[i].payload.p, rows[i].payload.n);
		ck_assert_int_eq(spop_frame_end(&w, mark, 256), 0);
	}
	return written(&w);
}

START_TEST(golden_both_ways)
{
	/* Goal: one frame reads and writes the bytes of the specification. */
	struct span bytes = hex(golden);
	struct rd r = rd_span(guarded(bytes.p, bytes.n));
	struct spop_frame f;
	uint8_t out[32];
	struct wr w = wr_of(out, sizeof(out));
	struct spop_frame_mark mark = spop_frame_begin(&w, SPOP_NOTIFY, SPOP_FIN, 300, 1);

	wr_u8(&w, 'x');
	ck_assert_int_eq(spop_frame_end(&w, mark, 9), 0);
	ck_span(written(&w), bytes);

	ck_assert_int_eq(spop_frame_next(&r, 9, &f), 1);
	ck_assert_uint_eq(f.type, SPOP_NOTIFY);
	ck_assert_uint_eq(f.flags, SPOP_FIN);
	ck_assert_uint_eq(f.stream_id, 300);
	ck_assert_uint_eq(f.frame_id, 1);
	ck_span(f.payload, SPAN("x"));
	ck_assert_uint_eq(rd_left(&r), 0);
	ck_assert_int_eq(spop_frame_next(&r, 9, &f), 0);
}
END_TEST

START_TEST(prefixes_need_more)
{
	/* Goal: every strict prefix is "need more", consumes nothing and sets nothing. */
	struct span bytes = hex(golden);

	for (size_t n = 0; n < bytes.n; n++) {
		struct rd r = rd_span(guarded(bytes.p, n));
		struct rd before = r;
		struct spop_frame f = {.type = 77};

		ck_assert_int_eq(spop_frame_next(&r, 256, &f), 0);
		ck_assert_ptr_eq(r.p, before.p);
		ck_assert(!r.bad);
		ck_assert_uint_eq(f.type, 77);
	}
}
END_TEST

/* Feeds a stream in pieces that end at a, b and the end; what comes out must not depend on them. */
static void feed(struct span stream, size_t a, size_t b)
{
	const size_t ends[] = {a, b, stream.n};
	uint64_t ids[] = {0, UINT64_MAX, 16380};
	size_t at = 0;
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		struct span in = guarded(stream.p + at, ends[i] - at);
		struct rd r = rd_span(in);
		struct spop_frame f;
		int rc;

		while ((rc = spop_frame_next(&r, 256, &f)) == 1) {
			ck_assert_uint_lt(n, ARRAY_SIZE(ids));
			ck_assert_uint_eq(f.stream_id, ids[n++]);
		}
		ck_assert_int_eq(rc, 0);
		at += in.n - rd_left(&r);
	}
	ck_assert_uint_eq(n, ARRAY_SIZE(ids));
	ck_assert_uint_eq(at, stream.n);
}

START_TEST(every_split)
{
	/* Goal: a stream of frames yields the same frames at every pair of split points. */
	uint8_t buf[128];
	struct span stream = three_frames(buf, sizeof(buf));

	for (size_t a = 0; a <= stream.n; a++) {
		for (size_t b = a; b <= stream.n; b++)
			feed(stream, a, b);
	}
}
END_TEST

START_TEST(byte_by_byte)
{
	/* Goal: fed one byte at a time, each frame appears with its last byte and not before. */
	uint8_t buf[128];
	struct span stream = three_frames(buf, sizeof(buf));
	size_t at = 0;
	unsigned n = 0;

	for (size_t end = 0; end <= stream.n; end++) {
		struct rd r = rd_span(guarded(stream.p + at, end - at));
		struct spop_frame f;
		int rc = spop_frame_next(&r, 256, &f);

		ck_assert_int_ge(rc, 0);
		if (!rc)
			continue;
		ck_assert_uint_eq(rd_left(&r), 0);
		n++;
		at = end;
	}
	ck_assert_uint_eq(n, 3);
	ck_assert_uint_eq(at, stream.n);
}
END_TEST

START_TEST(lengths)
{
	/* Goal: the length is judged with its fourth byte: 7 and the maximum pass, one off does not. */
	static const struct {
		const char *bytes;
		int rc;
	} rows[] = {
		{"00 00 00 00", -EBADMSG},
		{"00 00 00 06", -EBADMSG},
		{"00 00 00 07", 0},
		{"00 00 01 00", 0},
		{"00 00 01 01", -EMSGSIZE},
		{"7f ff ff ff", -EMSGSIZE},
		{"80 00 00 00", -EMSGSIZE},
		{"ff ff ff ff", -EMSGSIZE},
		{"ff ff ff fc", -EMSGSIZE},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct span bytes = hex(rows[i].bytes);
		struct rd r = rd_span(guarded(bytes.p, 4));
		struct rd before = r;
		struct spop_frame f = {.type = 77};

		ck_assert_msg(spop_frame_next(&r, 256, &f) == rows[i].rc, "row %zu", i);
		ck_assert_ptr_eq(r.p, before.p);
		ck_assert(!r.bad);
		ck_assert_uint_eq(f.type, 77);
		r = rd_span(guarded(bytes.p, 3));
		ck_assert_int_eq(spop_frame_next(&r, 256, &f), 0);
	}
}
END_TEST

START_TEST(length_one_off)
{
	/* Goal: a length one too small moves a byte to the next frame, one too large waits for it. */
	struct span good = hex(golden);
	char bytes[32];
	struct spop_frame f;
	struct rd r;

	memcpy(bytes, good.p, good.n);
	bytes[3]++;
	r = rd_span(guarded(bytes, good.n));
	ck_assert_int_eq(spop_frame_next(&r, 256, &f), 0);
	bytes[3] -= 2;
	r = rd_span(guarded(bytes, good.n));
	ck_assert_int_eq(spop_frame_next(&r, 256, &f), 1);
	ck_assert_uint_eq(f.payload.n, 0);
	ck_assert_uint_eq(rd_left(&r), 1);
}
END_TEST

START_TEST(ids_stay_inside)
{
	/* Goal: an id that does not end inside its frame is bad, though more bytes follow. */
	static const char *const rows[] = {
		"00 00 00 07 03 00 00 00 01 f0 00 00 00 00",
		"00 00 00 07 03 00 00 00 01 00 f0 00 00 00",
		"00 00 00 10 03 00 00 00 01 f0 80 80 80 80 80 80 80 80 80 00",
		"00 00 00 10 03 00 00 00 01 ff ff ff ff ff ff ff ff ff 10 00",
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct span bytes = hex(rows[i]);
		struct rd r = rd_span(guarded(bytes.p, bytes.n));
		struct rd before = r;
		struct spop_frame f = {.type = 77};

		ck_assert_msg(spop_frame_next(&r, 256, &f) == -EBADMSG, "row %zu", i);
		ck_assert_ptr_eq(r.p, before.p);
		ck_assert(!r.bad);
		ck_assert_uint_eq(f.type, 77);
	}
}
END_TEST

START_TEST(any_type_and_flags)
{
	/* Goal: unknown types and flags pass through: whether to mind them is not the frame's job. */
	struct span bytes = hex("00 00 00 07 c8 ff ff ff fe 00 00");
	struct rd r = rd_span(guarded(bytes.p, bytes.n));
	struct spop_frame f;

	ck_assert_int_eq(spop_frame_next(&r, 256, &f), 1);
	ck_assert_uint_eq(f.type, 200);
	ck_assert_uint_eq(f.flags, 0xfffffffe);
	ck_assert_uint_eq(f.payload.n, 0);
}
END_TEST

START_TEST(end_takes_back)
{
	/* Goal: a frame above the maximum, or without room, leaves the writer as it was before. */
	uint8_t out[64];

	for (size_t room = 0; room <= sizeof(out); room++) {
		for (uint32_t max = 0; max < 20; max++) {
			struct wr w = wr_of(out, room);
			struct spop_frame_mark mark;
			size_t before;
			int rc;

			wr_bytes(&w, "earlier", 7);
			before = wr_len(&w);
			mark = spop_frame_begin(&w, SPOP_ACK, SPOP_FIN, 0, 0);
			wr_bytes(&w, "payload", 7);
			rc = spop_frame_end(&w, mark, max);
			if (room >= 7 + 18 && max >= 14) {
				ck_assert_int_eq(rc, 0);
				ck_assert_uint_eq(wr_len(&w), before + 18);
			} else {
				ck_assert_int_eq(rc, -EMSGSIZE);
				ck_assert_uint_eq(wr_len(&w), before);
			}
			ck_assert_int_eq(w.bad, room < 7);
		}
	}
}
END_TEST

Suite *suite_frame(void)
{
	Suite *s = suite_create("spop/frame");
	TCase *t = tcase_create("frame");

	tcase_add_test(t, golden_both_ways);
	tcase_add_test(t, prefixes_need_more);
	tcase_add_test(t, every_split);
	tcase_add_test(t, byte_by_byte);
	tcase_add_test(t, lengths);
	tcase_add_test(t, length_one_off);
	tcase_add_test(t, ids_stay_inside);
	tcase_add_test(t, any_type_and_flags);
	tcase_add_test(t, end_takes_back);
	suite_add_tcase(s, t);
	return s;
}
