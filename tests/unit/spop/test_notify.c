#include "tests/unit/spop/support.h"

#include "base/mem.h"
#include "spop/notify.h"

#include <errno.h>

/* "one" with a="x" and an unnamed NULL; "two" without arguments; "" with b=true. By hand. */
static const char golden[] = "03 6f6e65 02 01 61 08 01 78 00 00"
			     "03 74776f 00"
			     "00 01 01 62 11";

/* Walks the whole payload. Messages and arguments seen, and how it ended. */
static int walk(struct span payload, unsigned *messages, unsigned *args)
{
	struct rd r = rd_span(guarded(payload.p, payload.n));
	struct spop_message msg;
	struct spop_arg arg;
	int rc;

	*messages = 0;
	*args = 0;
	while ((rc = spop_message_next(&r, &msg)) > 0) {
		++*messages;
		while ((rc = spop_arg_next(&r, &msg, &arg)) > 0)
			++*args;
		if (rc)
			return rc;
	}
	return rc;
}

START_TEST(reads_golden)
{
	/* Goal: names, values and their order come out as they were sent. */
	struct span bytes = hex(golden);
	struct rd r = rd_span(guarded(bytes.p, bytes.n));
	struct spop_message msg;
	struct spop_arg arg;

	ck_assert_int_eq(spop_message_next(&r, &msg), 1);
	ck_span(msg.name, SPAN("one"));
	ck_assert_uint_eq(msg.n_args, 2);
	ck_assert_int_eq(spop_arg_next(&r, &msg, &arg), 1);
	ck_span(arg.name, SPAN("a"));
	ck_assert_int_eq(arg.value.type, SPOP_STR);
	ck_span(arg.value.text, SPAN("x"));
	ck_assert_int_eq(spop_arg_next(&r, &msg, &arg), 1);
	ck_assert_uint_eq(arg.name.n, 0);
	ck_assert_int_eq(arg.value.type, SPOP_NULL);
	ck_assert_int_eq(spop_arg_next(&r, &msg, &arg), 0);
	ck_assert_int_eq(spop_arg_next(&r, &msg, &arg), 0);

	ck_assert_int_eq(spop_message_next(&r, &msg), 1);
	ck_span(msg.name, SPAN("two"));
	ck_assert_int_eq(spop_arg_next(&r, &msg, &arg), 0);

	ck_assert_int_eq(spop_message_next(&r, &msg), 1);
	ck_assert_uint_eq(msg.name.n, 0);
	ck_assert_int_eq(spop_arg_next(&r, &msg, &arg), 1);
	ck_assert(arg.value.boolean);
	ck_assert_int_eq(spop_arg_next(&r, &msg, &arg), 0);
	ck_assert_int_eq(spop_message_next(&r, &msg), 0);
	ck_assert_int_eq(spop_message_next(&r, &msg), 0);
}
END_TEST

START_TEST(writes_golden)
{
	/* Goal: HAProxy's side writes the same bytes. */
	uint8_t out[64];
	struct wr w = wr_of(out, sizeof(out));
	struct spop_data x = {.type = SPOP_STR, .text = SPAN("x")};
	struct spop_data yes = {.type = SPOP_BOOL, .boolean = true};

	spop_message_encode(&w, SPAN("one"), 2);
	spop_arg_encode(&w, SPAN("a"), &x);
	spop_arg_encode(&w, (struct span){0}, &(struct spop_data){.type = SPOP_NULL});
	spop_message_encode(&w, SPAN("two"), 0);
	spop_message_encode(&w, (struct span){0}, 1);
	spop_arg_encode(&w, SPAN("b"), &yes);
	ck_span(written(&w), hex(golden));
}
END_TEST

START_TEST(prefixes)
{
	/* Goal: a payload may end only between two messages. */
	struct span bytes = hex(golden);
	unsigned messages;
	unsigned args;

	for (size_t n = 0; n <= bytes.n; n++) {
		bool whole = n == 0 || n == 12 || n == 17 || n == bytes.n;
		int rc = walk((struct span){bytes.p, n}, &messages, &args);

		ck_assert_msg(rc == (whole ? 0 : -EBADMSG), "prefix %zu", n);
	}
	ck_assert_uint_eq(messages, 3);
	ck_assert_uint_eq(args, 3);
}
END_TEST

START_TEST(one_off)
{
	/* Goal: a count or a length one too large or too small is never read as the same message. */
	static const struct {
		const char *bytes;
		int rc;
		unsigned messages, args;
	} rows[] = {
		{"01 6d 01 01 61 08 01 78", 0, 1, 1},
		{"01 6d 02 01 61 08 01 78", -EBADMSG, 1, 1}, /* an argument too many */
		{"01 6d ff 01 61 08 01 78", -EBADMSG, 1, 1},
		{"01 6d 00 01 61 08 01 78", -EBADMSG, 2, 0}, /* the argument is now a message */
		{"02 6d 01 01 61 08 01 78", -EBADMSG, 1, 0}, /* the name is longer */
		{"01 6d 01 01 61 08 02 78", -EBADMSG, 1, 0}, /* the value is longer */
		{"01 6d 01 01 61 08 00 78", -EBADMSG, 1, 1}, /* the value is shorter */
		{"01 6d 01 01 61 0a 01 78", -EBADMSG, 1, 0}, /* a reserved type */
		{"ff ff", -EBADMSG, 0, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		unsigned messages;
		unsigned args;
		int rc = walk(hex(rows[i].bytes), &messages, &args);

		ck_assert_msg(rc == rows[i].rc, "row %zu", i);
		ck_assert_msg(messages == rows[i].messages && args == rows[i].args,
			"row %zu: %u messages, %u arguments", i, messages, args);
	}
}
END_TEST

START_TEST(errors_stick)
{
	/* Goal: after an error nothing more is read, and outputs keep what they had. */
	struct rd r = rd_span(guarded("\1m\2\1a\17", 6));
	struct spop_message msg;
	struct spop_arg arg = {.name = SPAN("kept")};

	ck_assert_int_eq(spop_message_next(&r, &msg), 1);
	ck_assert_int_eq(spop_arg_next(&r, &msg, &arg), -EBADMSG);
	ck_assert_int_eq(spop_arg_next(&r, &msg, &arg), -EBADMSG);
	ck_span(arg.name, SPAN("kept"));
	ck_assert_uint_eq(msg.n_read, 0);
	ck_assert_int_eq(spop_message_next(&r, &msg), -EBADMSG);
	ck_span(msg.name, SPAN("m"));
}
END_TEST

START_TEST(most_arguments)
{
	/* Goal: 255 arguments, as many as the count can say, all arrive. */
	uint8_t out[1024];
	struct wr w = wr_of(out, sizeof(out));
	unsigned messages;
	unsigned args;

	spop_message_encode(&w, SPAN("m"), 255);
	for (int64_t i = 0; i < 255; i++)
		spop_arg_encode(&w, SPAN(""), &(struct spop_data){.type = SPOP_INT64, .sint = i});
	ck_assert(!w.bad);
	ck_assert_int_eq(walk(written(&w), &messages, &args), 0);
	ck_assert_uint_eq(messages, 1);
	ck_assert_uint_eq(args, 255);
}
END_TEST

Suite *suite_notify(void)
{
	Suite *s = suite_create("spop/notify");
	TCase *t = tcase_create("notify");

	tcase_add_test(t, reads_golden);
	tcase_add_test(t, writes_golden);
	tcase_add_test(t, prefixes);
	tcase_add_test(t, one_off);
	tcase_add_test(t, errors_stick);
	tcase_add_test(t, most_arguments);
	suite_add_tcase(s, t);
	return s;
}
