#include "tests/unit/spop/support.h"

#include "base/mem.h"
#include "spop/disconnect.h"

#include <errno.h>

/* status-code UINT32 4, message STR "no". */
static const char golden[] = "0b 7374617475732d636f6465 03 04 07 6d657373616765 08 02 6e6f";

static int parse(struct span bytes, struct spop_disconnect *ret)
{
	return spop_disconnect_parse(guarded(bytes.p, bytes.n), ret);
}

START_TEST(reads_golden)
{
	/* Goal: both values come out; every strict prefix is refused and sets nothing. */
	struct span bytes = hex(golden);
	struct spop_disconnect d = {.status = 77};

	for (size_t n = 0; n < bytes.n; n++)
		ck_assert_int_eq(parse((struct span){bytes.p, n}, &d), -EBADMSG);
	ck_assert_uint_eq(d.status, 77);
	ck_assert_int_eq(parse(bytes, &d), 0);
	ck_assert_uint_eq(d.status, 4);
	ck_span(d.message, SPAN("no"));
}
END_TEST

START_TEST(round_trip)
{
	/* Goal: a status arrives with its text; a number outside the table leaves as 99. */
	for (unsigned status = 0; status <= 200; status++) {
		bool known = status <= 13 || status == 99;
		struct spop_disconnect d;
		uint8_t out[128];
		struct wr w = wr_of(out, sizeof(out));

		spop_disconnect_encode(&w, (enum spop_status)status);
		ck_assert_int_eq(parse(written(&w), &d), 0);
		ck_assert_uint_eq(d.status, known ? status : 99);
		ck_span(d.message, span_of(spop_status_text(status)));
	}
}
END_TEST

START_TEST(writes_golden)
{
	/* Goal: what leaves is UINT32 and STR, both keys, in the order of the specification. */
	struct span start = hex("0b 7374617475732d636f6465 03 00 07 6d657373616765 08 06");
	uint8_t out[64];
	struct wr w = wr_of(out, sizeof(out));

	spop_disconnect_encode(&w, SPOP_STATUS_NORMAL);
	ck_assert_uint_eq(wr_len(&w), start.n + 6);
	ck_span(((struct span){(char *)out, start.n}), start);
	ck_assert_mem_eq(out + start.n, "normal", 6);
}
END_TEST

START_TEST(refuses)
{
	/* Goal: missing, repeated, mistyped and oversized values are refused. */
	static const struct {
		const char *bytes;
		int rc;
	} rows[] = {
		{"07 6d657373616765 08 00 0b 7374617475732d636f6465 05 00 01 78 00", 0},
		{"0b 7374617475732d636f6465 03 04", -EBADMSG},
		{"07 6d657373616765 08 00", -EBADMSG},
		{"0b 7374617475732d636f6465 08 01 34 07 6d657373616765 08 00", -EBADMSG},
		{"0b 7374617475732d636f6465 03 04 07 6d657373616765 09 00", -EBADMSG},
		{"0b 7374617475732d636f6465 05 f0 f1 fe fe 7e 07 6d657373616765 08 00", -EBADMSG},
		{"0b 7374617475732d636f6465 04 ff f0 fe fe fe fe fe fe fe 0e"
		 "07 6d657373616765 08 00",
			-EBADMSG},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct spop_disconnect d;

		ck_assert_msg(parse(hex(rows[i].bytes), &d) == rows[i].rc, "row %zu", i);
	}
}
END_TEST

Suite *suite_disconnect(void)
{
	Suite *s = suite_create("spop/disconnect");
	TCase *t = tcase_create("disconnect");

	tcase_add_test(t, reads_golden);
	tcase_add_test(t, round_trip);
	tcase_add_test(t, writes_golden);
	tcase_add_test(t, refuses);
	suite_add_tcase(s, t);
	return s;
}
