#include "tests/unit/spop/support.h"

#include "spop/kv.h"

#include <errno.h>

static const struct spop_kv_key keys[] = {
	{"number", SPOP_KV_INT},
	{"text", SPOP_KV_STR},
	{"yes", SPOP_KV_BOOL},
};

static int parse(struct span bytes, struct spop_kv *ret)
{
	return spop_kv_parse(guarded(bytes.p, bytes.n), keys, ARRAY_SIZE(keys), ret);
}

START_TEST(reads_what_it_knows)
{
	/* Goal: known keys land in their slots, unknown and longer names are skipped. */
	uint8_t out[128];
	struct wr w = wr_of(out, sizeof(out));
	struct spop_kv kv;

	spop_kv_encode_bool(&w, "yes", true);
	spop_kv_encode_str(&w, "text-and-more", SPAN("other"));
	spop_kv_encode_str(&w, "tex", SPAN("other"));
	spop_kv_encode_bool(&w, "", true);
	spop_kv_encode_uint32(&w, "number", 7);
	ck_assert(!w.bad);
	ck_assert_int_eq(parse(written(&w), &kv), 0);
	ck_assert_uint_eq(kv.values[0].uint, 7);
	ck_assert_int_eq(kv.values[1].type, SPOP_NULL);
	ck_assert(kv.values[2].boolean);

	ck_assert_int_eq(parse((struct span){0}, &kv), 0);
	ck_assert_int_eq(kv.values[0].type, SPOP_NULL);
}
END_TEST

START_TEST(refuses)
{
	/* Goal: wrong types, repeated keys, a hidden NUL and every strict prefix are refused. */
	static const char *const bad[] = {
		"06 6e756d626572 01",                          /* number: BOOL */
		"06 6e756d626572 00",                          /* number: NULL */
		"04 74657874 09 01 61",                        /* text: BIN */
		"04 74657874 08 03 61 00 62",                  /* text: a NUL inside */
		"03 796573 04 01",                             /* yes: INT64 */
		"03 796573 11 03 796573 11",                   /* yes, twice */
		"06 6e756d626572 03 07 06 6e756d626572 04 07", /* number, twice */
		"01 78 0a",                                    /* unknown key, reserved type */
		"06 6e756d626572",                             /* no value */
	};
	struct span good = hex("06 6e756d626572 03 07 04 74657874 08 01 61");
	struct spop_kv kv = {.values[0].type = SPOP_IPV4};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ck_assert_msg(parse(hex(bad[i]), &kv) == -EBADMSG, "row %zu", i);
	for (size_t n = 1; n < good.n; n++) {
		if (n == 9) /* the first pair, whole */
			continue;
		ck_assert_msg(parse((struct span){good.p, n}, &kv) == -EBADMSG, "prefix %zu", n);
	}
	ck_assert_int_eq(kv.values[0].type, SPOP_IPV4);
	ck_assert_int_eq(parse(good, &kv), 0);
}
END_TEST

START_TEST(integers)
{
	/* Goal: all four integer types become one unsigned number; negative ones become the largest. */
	static const struct {
		struct spop_data data;
		uint64_t v;
	} rows[] = {
		{{.type = SPOP_INT32, .sint = 256}, 256},
		{{.type = SPOP_INT64, .sint = INT64_MAX}, INT64_MAX},
		{{.type = SPOP_INT64, .sint = -1}, UINT64_MAX},
		{{.type = SPOP_INT64, .sint = INT64_MIN}, UINT64_MAX},
		{{.type = SPOP_UINT32, .uint = UINT32_MAX}, UINT32_MAX},
		{{.type = SPOP_UINT64, .uint = UINT64_C(1) << 63}, UINT64_C(1) << 63},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		ck_assert_uint_eq(spop_kv_uint(&rows[i].data), rows[i].v);
}
END_TEST

Suite *suite_kv(void)
{
	Suite *s = suite_create("spop/kv");
	TCase *t = tcase_create("kv");

	tcase_add_test(t, reads_what_it_knows);
	tcase_add_test(t, refuses);
	tcase_add_test(t, integers);
	suite_add_tcase(s, t);
	return s;
}
