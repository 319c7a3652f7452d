#include "tests/unit/spoa/suites.h"

#include "tests/unit/spoa/help.h"

#include <errno.h>
#include <stddef.h>

enum kind {
	TEXT,
	ADDRESS,
	PORT,
	FLAG,
	ZERO,
	TIME,
};

static const struct {
	const char *name;
	enum kind kind;
	size_t offset;
} ARGUMENTS[] = {
	{"token", TEXT, offsetof(struct spoa_request, token)},
	{"scheme", TEXT, offsetof(struct spoa_request, scheme)},
	{"src", ADDRESS, offsetof(struct spoa_request, src)},
	{"sport", PORT, offsetof(struct spoa_request, sport)},
	{"dst", ADDRESS, offsetof(struct spoa_request, dst)},
	{"dport", PORT, offsetof(struct spoa_request, dport)},
	{"client", ADDRESS, offsetof(struct spoa_request, client)},
	{"proxied", FLAG, offsetof(struct spoa_request, proxied)},
	{"method", TEXT, offsetof(struct spoa_request, method)},
	{"host", TEXT, offsetof(struct spoa_request, host)},
	{"path", TEXT, offsetof(struct spoa_request, path)},
	{"query", TEXT, offsetof(struct spoa_request, query)},
	{"proto", TEXT, offsetof(struct spoa_request, proto)},
	{"https", FLAG, offsetof(struct spoa_request, https)},
	{"service", TEXT, offsetof(struct spoa_request, service)},
	{"tunnel", FLAG, offsetof(struct spoa_request, tunnel)},
	{"reqid", TEXT, offsetof(struct spoa_request, reqid)},
	{"traceparent", TEXT, offsetof(struct spoa_request, traceparent)},
	{"sent", TIME, offsetof(struct spoa_request, sent)},
	{"cert", TEXT, offsetof(struct spoa_request, cert)},
	{"cert_verify", ZERO, offsetof(struct spoa_request, cert_verified)},
	{"cert_chain", TEXT, offsetof(struct spoa_request, cert_chain)},
	{"dpop", TEXT, offsetof(struct spoa_request, dpop)},
};

/* One value of each type; which kinds of argument take it. */
#define TAKES(kind) (1u << (kind))
static const struct {
	struct spop_data value;
	unsigned takers;
} VALUES[] = {
	{{.type = SPOP_BOOL, .boolean = true}, TAKES(FLAG)},
	{{.type = SPOP_BOOL, .boolean = false}, TAKES(FLAG)},
	{{.type = SPOP_INT32, .sint = 1}, TAKES(PORT) | TAKES(FLAG) | TAKES(ZERO) | TAKES(TIME)},
	{{.type = SPOP_UINT32, .uint = 0}, TAKES(PORT) | TAKES(FLAG) | TAKES(ZERO) | TAKES(TIME)},
	{{.type = SPOP_INT64, .sint = 65535}, TAKES(PORT) | TAKES(ZERO) | TAKES(TIME)},
	{{.type = SPOP_UINT64, .uint = 65535}, TAKES(PORT) | TAKES(ZERO) | TAKES(TIME)},
	{{.type = SPOP_INT64, .sint = 65536}, TAKES(ZERO) | TAKES(TIME)},
	{{.type = SPOP_UINT32, .uint = 65536}, TAKES(ZERO) | TAKES(TIME)},
	{{.type = SPOP_UINT64, .uint = UINT64_MAX}, TAKES(ZERO)},
	{{.type = SPOP_INT32, .sint = -1}, TAKES(ZERO)},
	{{.type = SPOP_INT64, .sint = INT64_MIN}, TAKES(ZERO)},
	{{.type = SPOP_INT64, .sint = 2}, TAKES(PORT) | TAKES(ZERO) | TAKES(TIME)},
	{{.type = SPOP_IPV4, .ip = {192, 0, 2, 1}}, TAKES(ADDRESS)},
	{{.type = SPOP_IPV6, .ip = {0x20, 1, 0xd, 0xb8, [15] = 1}}, TAKES(ADDRESS)},
	{{.type = SPOP_STR, .text = {"abc", 3}}, TAKES(TEXT)},
	{{.type = SPOP_BIN, .text = {"a\0c", 3}}, TAKES(TEXT)},
	{{.type = SPOP_STR, .text = {"", 0}}, TAKES(TEXT)},
	{{.type = SPOP_INT64, .sint = INT64_MAX}, TAKES(ZERO) | TAKES(TIME)},
};

static unsigned char buf[4096];
static struct wr w;

static void setup(void)
{
	w = wr_of(buf, sizeof(buf));
}

static void message(const char *name, uint8_t n)
{
	spop_message_encode(&w, span_of(name), n);
}

static void argument(const char *name, const struct spop_data *value)
{
	spop_arg_encode(&w, span_of(name), value);
}

static void text(const char *name, const char *value)
{
	struct spop_data data = {.type = SPOP_STR, .text = span_of(value)};

	argument(name, &data);
}

static int parse(struct spoa_request *request)
{
	struct span payload = guarded(buf, wr_len(&w));

	ck_assert(!w.bad);
	return spoa_request_parse(payload, request);
}

static bool stored(enum kind kind, const void *at, const struct spop_data *value)
{
	const struct spoa_address *address = at;

	switch (kind) {
	case TEXT:
		return span_eq(*(const struct span *)at, value->text);
	case ADDRESS:
		return address->len == (value->type == SPOP_IPV4 ? 4 : 16) &&
		       !memcmp(address->bytes, value->ip, address->len);
	case PORT:
		return *(const uint16_t *)at == (uint16_t)value->uint;
	case FLAG:
		return *(const bool *)at ==
		       (value->type == SPOP_BOOL ? value->boolean : value->uint == 1);
	case ZERO:
		return *(const bool *)at == (value->uint == 0);
	case TIME:
		return *(const int64_t *)at == (int64_t)value->uint;
	}
	return false;
}

START_TEST(types)
{
	/* Every argument takes the types and numbers that it can mean something by, and no others. */
	for (size_t i = 0; i < ARRAY_SIZE(VALUES); i++) {
		struct spoa_request request, untouched;
		int rc;

		memset(&request, 0x5a, sizeof(request));
		memset(&untouched, 0x5a, sizeof(untouched));
		setup();
		message("identify", 1);
		argument(ARGUMENTS[_i].name, &VALUES[i].value);
		rc = parse(&request);
		if (VALUES[i].takers & TAKES(ARGUMENTS[_i].kind)) {
			ck_assert_msg(rc == 0, "%s, value %zu", ARGUMENTS[_i].name, i);
			ck_assert(stored(ARGUMENTS[_i].kind,
				(const char *)&request + ARGUMENTS[_i].offset, &VALUES[i].value));
		} else {
			ck_assert_msg(rc == -EINVAL, "%s, value %zu", ARGUMENTS[_i].name, i);
			ck_assert_mem_eq(&request, &untouched, sizeof(request));
		}
	}
}
END_TEST

START_TEST(null)
{
	/* NULL is the same as absent. */
	static const struct spop_data NOTHING = {.type = SPOP_NULL};
	struct spoa_request request, empty = {0};

	message("identify", 2);
	argument(ARGUMENTS[_i].name, &NOTHING);
	argument("other", &NOTHING);
	memset(&request, 0xff, sizeof(request));
	ck_assert_int_eq(parse(&request), 0);
	ck_assert_mem_eq(&request, &empty, sizeof(request));
}
END_TEST

START_TEST(twice)
{
	/* The same argument twice is refused, also where one or both are NULL. */
	static const struct spop_data NOTHING = {.type = SPOP_NULL};
	struct spop_data one = {.type = SPOP_STR, .text = SPAN("x")};
	struct spoa_request request;

	for (unsigned i = 0; i < 4; i++) {
		setup();
		message("identify", 2);
		argument("token", i & 1 ? &one : &NOTHING);
		argument("token", i & 2 ? &one : &NOTHING);
		ck_assert_int_eq(parse(&request), -EINVAL);
	}
}
END_TEST

START_TEST(unknown)
{
	/* Unknown names, empty names and unknown names twice are skipped, whatever their type. */
	struct spoa_request request;

	message("identify", 2 * ARRAY_SIZE(VALUES) + 3);
	for (size_t i = 0; i < ARRAY_SIZE(VALUES); i++) {
		argument("unknown", &VALUES[i].value);
		argument("", &VALUES[i].value);
	}
	text("Token", "no");
	text("tokenx", "no");
	text("token", "yes");
	ck_assert_int_eq(parse(&request), 0);
	ck_assert(span_is(request.token, "yes"));
}
END_TEST

START_TEST(all)
{
	/* A whole request is read whole, and its texts point into the payload. */
	struct spoa_request request;
	size_t n = 0;

	message("identify", ARRAY_SIZE(ARGUMENTS));
	for (size_t i = 0; i < ARRAY_SIZE(ARGUMENTS); i++) {
		static const size_t VALUE[] = {14, 12, 5, 0, 3, 4};

		argument(ARGUMENTS[i].name, &VALUES[VALUE[ARGUMENTS[i].kind]].value);
	}
	ck_assert_int_eq(parse(&request), 0);
	for (size_t i = 0; i < ARRAY_SIZE(ARGUMENTS); i++) {
		const struct span *s = (const void *)((char *)&request + ARGUMENTS[i].offset);

		if (ARGUMENTS[i].kind != TEXT)
			continue;
		ck_assert(span_is(*s, "abc"));
		n++;
	}
	ck_assert_uint_eq(n, 13);
	ck_assert_uint_eq(request.sport, 65535);
	ck_assert_uint_eq(request.dport, 65535);
	ck_assert_uint_eq(request.src.len, 4);
	ck_assert(request.https && request.tunnel && request.proxied);
	ck_assert(request.cert_verified);
}
END_TEST

START_TEST(prefixes)
{
	/* No strict prefix of a request is taken for a request, and none is read beyond its end. */
	struct spoa_request request;

	message("identify", 4);
	text("token", "abc");
	argument("src", &VALUES[13].value);
	argument("sport", &VALUES[5].value);
	argument("https", &VALUES[0].value);
	for (size_t n = 0; n < wr_len(&w); n++) {
		struct span payload = guarded(buf, n);

		ck_assert_int_eq(spoa_request_parse(payload, &request), n ? -EBADMSG : -EINVAL);
	}
	ck_assert_int_eq(parse(&request), 0);
}
END_TEST

START_TEST(trailing)
{
	/* Bytes behind the last message are the start of another one, so a bad list. */
	struct spoa_request request;

	message("identify", 1);
	text("token", "abc");
	wr_u8(&w, 0xff);
	ck_assert_int_eq(parse(&request), -EBADMSG);
}
END_TEST

START_TEST(reserved_type)
{
	/* A type that SPOP reserves is no SPOP, also in an argument that nobody knows. */
	struct spoa_request request;

	message("identify", 1);
	spop_string_encode(&w, SPAN("unknown"));
	wr_u8(&w, 0x0a);
	ck_assert_int_eq(parse(&request), -EBADMSG);
}
END_TEST

START_TEST(messages)
{
	/* Exactly one message identify: none or two are refused, others beside it do not matter. */
	struct spoa_request request;

	message("other", 0);
	ck_assert_int_eq(parse(&request), -EINVAL);
	setup();
	message("identify", 0);
	message("identify", 0);
	ck_assert_int_eq(parse(&request), -EINVAL);
	setup();
	message("other", 2);
	text("token", "no");
	text("token", "no");
	message("identify", 1);
	text("token", "yes");
	message("another", 1);
	argument("sport", &VALUES[14].value);
	ck_assert_int_eq(parse(&request), 0);
	ck_assert(span_is(request.token, "yes"));
	setup();
	message("Identify", 0);
	ck_assert_int_eq(parse(&request), -EINVAL);
}
END_TEST

START_TEST(malformed_later)
{
	/* A list that breaks behind a wrong argument is broken, not merely wrong. */
	struct spoa_request request;

	message("identify", 2);
	text("sport", "80");
	ck_assert_int_eq(parse(&request), -EBADMSG);
	setup();
	message("identify", 1);
	text("sport", "80");
	message("other", 1);
	ck_assert_int_eq(parse(&request), -EBADMSG);
}
END_TEST

Suite *suite_request(void)
{
	Suite *suite = suite_create("request");
	TCase *tc = tcase_create("request");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_loop_test(tc, types, 0, ARRAY_SIZE(ARGUMENTS));
	tcase_add_loop_test(tc, null, 0, ARRAY_SIZE(ARGUMENTS));
	tcase_add_test(tc, twice);
	tcase_add_test(tc, unknown);
	tcase_add_test(tc, all);
	tcase_add_test(tc, prefixes);
	tcase_add_test(tc, trailing);
	tcase_add_test(tc, reserved_type);
	tcase_add_test(tc, messages);
	tcase_add_test(tc, malformed_later);
	suite_add_tcase(suite, tc);
	return suite;
}
