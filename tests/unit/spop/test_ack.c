#include "tests/unit/spop/support.h"

#include "base/mem.h"
#include "spop/ack.h"

#include <errno.h>

/* set txn.id = 42, unset txn.mark, set txn.verdict = "deny". By hand. */
static const char golden[] = "01 03 02 02 6964 04 2a"
			     "02 02 02 04 6d61726b"
			     "01 03 02 07 76657264696374 08 04 64656e79";

START_TEST(both_ways)
{
	/* Goal: the three actions have the bytes of the specification and are read back. */
	struct span bytes = hex(golden);
	struct rd r = rd_span(guarded(bytes.p, bytes.n));
	struct spop_action a;
	uint8_t out[64];
	struct wr w = wr_of(out, sizeof(out));
	struct spop_data id = {.type = SPOP_INT64, .sint = 42};
	struct spop_data verdict = {.type = SPOP_STR, .text = SPAN("deny")};

	spop_ack_set(&w, SPOP_SCOPE_TXN, SPAN("id"), &id);
	spop_ack_unset(&w, SPOP_SCOPE_TXN, SPAN("mark"));
	spop_ack_set(&w, SPOP_SCOPE_TXN, SPAN("verdict"), &verdict);
	ck_span(written(&w), bytes);

	ck_assert_int_eq(spop_action_next(&r, &a), 1);
	ck_assert(a.set && a.scope == SPOP_SCOPE_TXN);
	ck_span(a.name, SPAN("id"));
	ck_assert(data_equal(&a.value, &id));
	ck_assert_int_eq(spop_action_next(&r, &a), 1);
	ck_assert(!a.set && a.scope == SPOP_SCOPE_TXN);
	ck_span(a.name, SPAN("mark"));
	ck_assert_int_eq(a.value.type, SPOP_NULL);
	ck_assert_int_eq(spop_action_next(&r, &a), 1);
	ck_span(a.name, SPAN("verdict"));
	ck_assert(data_equal(&a.value, &verdict));
	ck_assert_int_eq(spop_action_next(&r, &a), 0);
}
END_TEST

static int walk(struct span payload, unsigned *actions)
{
	struct rd r = rd_span(guarded(payload.p, payload.n));
	struct spop_action a;
	int rc;

	*actions = 0;
	while ((rc = spop_action_next(&r, &a)) > 0)
		++*actions;
	return rc;
}

START_TEST(prefixes)
{
	/* Goal: a list may end only between two actions. */
	struct span bytes = hex(golden);
	unsigned actions;

	for (size_t n = 0; n <= bytes.n; n++) {
		bool whole = n == 0 || n == 8 || n == 16 || n == bytes.n;
		int rc = walk((struct span){bytes.p, n}, &actions);

		ck_assert_msg(rc == (whole ? 0 : -EBADMSG), "prefix %zu", n);
	}
	ck_assert_uint_eq(actions, 3);
}
END_TEST

START_TEST(refuses)
{
	/* Goal: other types, counts, scopes and values than those of the specification are bad. */
	static const struct {
		const char *bytes;
		int rc;
	} rows[] = {
		{"01 03 04 00 00", 0},           /* res, no name, NULL */
		{"01 03 00 01 61 11", 0},        /* proc */
		{"02 02 01 01 61", 0},           /* sess */
		{"00 03 02 01 61 11", -EBADMSG}, /* type 0 */
		{"03 03 02 01 61 11", -EBADMSG}, /* type 3 */
		{"01 02 02 01 61 11", -EBADMSG}, /* SET with 2 */
		{"01 04 02 01 61 11", -EBADMSG}, /* SET with 4 */
		{"02 01 02 01 61", -EBADMSG},    /* UNSET with 1 */
		{"02 03 02 01 61", -EBADMSG},    /* UNSET with 3 */
		{"01 03 05 01 61 11", -EBADMSG}, /* scope 5 */
		{"02 02 ff 01 61", -EBADMSG},    /* scope 255 */
		{"01 03 02 02 61 11", -EBADMSG}, /* name one longer */
		{"01 03 02 00 6a 11", -EBADMSG}, /* name one shorter */
		{"01 03 02 01 61 0c", -EBADMSG}, /* reserved type */
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct span bytes = hex(rows[i].bytes);
		struct rd r = rd_span(guarded(bytes.p, bytes.n));
		struct spop_action a = {.name = SPAN("kept")};
		int rc = spop_action_next(&r, &a);

		ck_assert_msg(rc == (rows[i].rc ? rows[i].rc : 1), "row %zu", i);
		if (rc < 0) {
			ck_span(a.name, SPAN("kept"));
			ck_assert_int_eq(spop_action_next(&r, &a), -EBADMSG);
		}
	}
}
END_TEST

START_TEST(string_is_exactly_8)
{
	/* Goal: HAProxy compares STR's byte unmasked, so no flag may ever be on it. */
	uint8_t out[16];
	struct wr w = wr_of(out, sizeof(out));
	struct spop_data v = {.type = SPOP_STR, .text = SPAN("v")};

	spop_ack_set(&w, SPOP_SCOPE_TXN, SPAN("n"), &v);
	ck_assert_uint_eq(wr_len(&w), 8);
	ck_assert_uint_eq(out[5], 0x08);
}
END_TEST

Suite *suite_ack(void)
{
	Suite *s = suite_create("spop/ack");
	TCase *t = tcase_create("ack");

	tcase_add_test(t, both_ways);
	tcase_add_test(t, prefixes);
	tcase_add_test(t, refuses);
	tcase_add_test(t, string_is_exactly_8);
	suite_add_tcase(s, t);
	return s;
}
