#include "tests/unit/spop/support.h"

#include "base/mem.h"
#include "spop/frame.h"
#include "spop/hello.h"

/* The payload of HAProxy's 82-byte check request (SPOE.txt 3.2.4, tcpcheck.c). */
static const char check_request[] =
	"12 737570706f727465642d76657273696f6e73 08 03 322e30" /* supported-versions "2.0" */
	"0e 6d61782d6672616d652d73697a65 03 fc f0 06"          /* max-frame-size 16380 */
	"0c 6361706162696c6974696573 08 00"                    /* capabilities "" */
	"0b 6865616c7468636865636b 11";                        /* healthcheck true */

static const char agent_hello[] =
	"07 76657273696f6e 08 03 322e30"                          /* version "2.0" */
	"0e 6d61782d6672616d652d73697a65 03 f0 01"                /* max-frame-size 256 */
	"0c 6361706162696c6974696573 08 0a 706970656c696e696e67"; /* "pipelining" */

static enum spop_status parse(struct span bytes, struct spop_hello *ret)
{
	return spop_hello_parse(guarded(bytes.p, bytes.n), ret);
}

START_TEST(check_request_golden)
{
	/* Goal: HAProxy's health check is read and, as a whole frame, written byte for byte. */
	struct span bytes = hex(check_request);
	uint8_t out[128];
	struct wr w = wr_of(out, sizeof(out));
	struct spop_frame_mark mark = spop_frame_begin(&w, SPOP_HAPROXY_HELLO, SPOP_FIN, 0, 0);
	struct spop_hello hello;

	ck_assert_int_eq(parse(bytes, &hello), SPOP_STATUS_NORMAL);
	ck_assert_uint_eq(hello.max_frame_size, 16380);
	ck_assert(hello.healthcheck);
	ck_assert(!hello.pipelining && !hello.async && !hello.fragmentation);
	ck_assert_uint_eq(hello.engine_id.n, 0);

	spop_hello_encode_haproxy(&w, &hello);
	ck_assert_int_eq(spop_frame_end(&w, mark, 16380), 0);
	ck_assert_uint_eq(wr_len(&w), 82);
	ck_span(((struct span){(char *)out + 11, 71}), bytes);
}
END_TEST

START_TEST(agent_golden)
{
	/* Goal: the agent's answer has the bytes of the specification and is read back. */
	struct span bytes = hex(agent_hello);
	struct spop_agent_hello hello;
	uint8_t out[128];
	struct wr w = wr_of(out, sizeof(out));

	spop_hello_encode_agent(
		&w, &(struct spop_agent_hello){.max_frame_size = 256, .pipelining = true});
	ck_span(written(&w), bytes);
	ck_assert_int_eq(
		spop_hello_parse_agent(guarded(bytes.p, bytes.n), &hello), SPOP_STATUS_NORMAL);
	ck_assert_uint_eq(hello.max_frame_size, 256);
	ck_assert(hello.pipelining);

	w = wr_of(out, sizeof(out));
	spop_hello_encode_agent(&w, &(struct spop_agent_hello){.max_frame_size = 65532});
	ck_assert_int_eq(spop_hello_parse_agent(written(&w), &hello), SPOP_STATUS_NORMAL);
	ck_assert_uint_eq(hello.max_frame_size, 65532);
	ck_assert(!hello.pipelining);
}
END_TEST

START_TEST(round_trip)
{
	/* Goal: every combination of flags survives HAProxy's encoder and our parser. */
	for (unsigned bits = 0; bits < 32; bits++) {
		struct spop_hello in = {
			.max_frame_size = 256 + bits,
			.pipelining = bits & 1,
			.async = bits & 2,
			.fragmentation = bits & 4,
			.healthcheck = bits & 8,
			.engine_id = bits & 16 ? SPAN("0d2f4b9c") : (struct span){0},
		};
		struct spop_hello got;
		uint8_t out[256];
		struct wr w = wr_of(out, sizeof(out));

		spop_hello_encode_haproxy(&w, &in);
		ck_assert_int_eq(parse(written(&w), &got), SPOP_STATUS_NORMAL);
		ck_assert_uint_eq(got.max_frame_size, in.max_frame_size);
		ck_assert_int_eq(got.pipelining, in.pipelining);
		ck_assert_int_eq(got.async, in.async);
		ck_assert_int_eq(got.fragmentation, in.fragmentation);
		ck_assert_int_eq(got.healthcheck, in.healthcheck);
		ck_span(got.engine_id, in.engine_id);
	}
}
END_TEST

START_TEST(capabilities_golden)
{
	/* Goal: HAProxy's side lists its capabilities with a comma between and none around. */
	struct spop_hello hello = {.max_frame_size = 16380, .pipelining = true, .async = true};
	struct span list = hex("08 10 706970656c696e696e67 2c 6173796e63");
	uint8_t out[128];
	struct wr w = wr_of(out, sizeof(out));

	spop_hello_encode_haproxy(&w, &hello);
	ck_assert_uint_eq(wr_len(&w), 56 + list.n);
	ck_span(((struct span){(char *)out + 56, list.n}), list);
}
END_TEST

START_TEST(prefixes)
{
	/* Goal: every strict prefix is refused, with the missing key's status between two pairs. */
	struct span bytes = hex(check_request);
	struct spop_hello hello = {.max_frame_size = 77};

	for (size_t n = 0; n < bytes.n; n++) {
		enum spop_status want = SPOP_STATUS_INVALID;

		if (n == 0)
			want = SPOP_STATUS_NO_VERSION;
		else if (n == 24)
			want = SPOP_STATUS_NO_FRAME_SIZE;
		else if (n == 43)
			want = SPOP_STATUS_NO_CAPABILITIES;
		else if (n == 58)
			continue; /* all but the optional healthcheck */
		ck_assert_msg(parse((struct span){bytes.p, n}, &hello) == want, "prefix %zu", n);
	}
	ck_assert_uint_eq(hello.max_frame_size, 77);
}
END_TEST

START_TEST(agent_prefixes)
{
	/* Goal: the same for the agent's HELLO. */
	struct span bytes = hex(agent_hello);
	struct spop_agent_hello hello = {.max_frame_size = 77};

	for (size_t n = 0; n < bytes.n; n++) {
		enum spop_status want = SPOP_STATUS_INVALID;

		if (n == 0)
			want = SPOP_STATUS_NO_VERSION;
		else if (n == 13)
			want = SPOP_STATUS_NO_FRAME_SIZE;
		else if (n == 31)
			want = SPOP_STATUS_NO_CAPABILITIES;
		ck_assert_msg(spop_hello_parse_agent(guarded(bytes.p, n), &hello) == want,
			"prefix %zu", n);
	}
	ck_assert_uint_eq(hello.max_frame_size, 77);
}
END_TEST

static const struct {
	const char *text;
	bool from_haproxy, from_agent;
} versions[] = {
	{"2.0", true, true},
	{" 2.0 ", true, true},
	{"\t2.0", true, true},
	{"02.00", true, true},
	{"2.1", true, false},
	{"2.999", true, false},
	{"2.1000", false, false},
	{"2.0, 1.0", true, false},
	{"1.0,2.0", true, false},
	{"1.0 , 2.3 ,3.0", true, false},
	{"x, ,2.0", true, false},
	{"", false, false},
	{" ", false, false},
	{",", false, false},
	{"1.0", false, false},
	{"3.0", false, false},
	{"12.0", false, false},
	{"20", false, false},
	{"2", false, false},
	{"2.", false, false},
	{".0", false, false},
	{"2.0.0", false, false},
	{"2.0x", false, false},
	{"2. 0", false, false},
	{"-2.0", false, false},
	{"4294967298.0", false, false},
	{"99999999999999999999.0", false, false},
};

START_TEST(version_list)
{
	/* Goal: any 2.x in HAProxy's list will do; of an agent only 2.0. */
	struct span text = span_of(versions[_i].text);
	struct spop_hello hello;
	struct spop_agent_hello agent;
	uint8_t out[256];
	struct wr w = wr_of(out, sizeof(out));
	struct wr a;
	enum spop_status got;

	spop_string_encode(&w, SPAN("max-frame-size"));
	spop_data_encode(&w, &(struct spop_data){.type = SPOP_UINT64, .uint = 256});
	spop_string_encode(&w, SPAN("capabilities"));
	spop_data_encode(&w, &(struct spop_data){.type = SPOP_STR});
	a = w;
	spop_string_encode(&w, SPAN("supported-versions"));
	spop_data_encode(&w, &(struct spop_data){.type = SPOP_STR, .text = text});
	got = parse(written(&w), &hello);
	ck_assert_int_eq(
		got, versions[_i].from_haproxy ? SPOP_STATUS_NORMAL : SPOP_STATUS_BAD_VERSION);

	spop_string_encode(&a, SPAN("version"));
	spop_data_encode(&a, &(struct spop_data){.type = SPOP_STR, .text = text});
	got = spop_hello_parse_agent(written(&a), &agent);
	ck_assert_int_eq(
		got, versions[_i].from_agent ? SPOP_STATUS_NORMAL : SPOP_STATUS_BAD_VERSION);
}
END_TEST

static const struct {
	struct spop_data data;
	enum spop_status want;
} sizes[] = {
	{{.type = SPOP_UINT32, .uint = 256}, SPOP_STATUS_NORMAL},
	{{.type = SPOP_UINT64, .uint = 256}, SPOP_STATUS_NORMAL},
	{{.type = SPOP_INT32, .sint = 256}, SPOP_STATUS_NORMAL},
	{{.type = SPOP_INT64, .sint = 256}, SPOP_STATUS_NORMAL},
	{{.type = SPOP_UINT32, .uint = UINT32_MAX}, SPOP_STATUS_NORMAL},
	{{.type = SPOP_UINT32, .uint = 255}, SPOP_STATUS_BAD_FRAME_SIZE},
	{{.type = SPOP_UINT32, .uint = 0}, SPOP_STATUS_BAD_FRAME_SIZE},
	{{.type = SPOP_INT64, .sint = -256}, SPOP_STATUS_BAD_FRAME_SIZE},
	{{.type = SPOP_INT32, .sint = -1}, SPOP_STATUS_BAD_FRAME_SIZE},
	{{.type = SPOP_UINT64, .uint = UINT64_C(0x100000100)}, SPOP_STATUS_BAD_FRAME_SIZE},
	{{.type = SPOP_UINT64, .uint = UINT64_MAX}, SPOP_STATUS_BAD_FRAME_SIZE},
	{{.type = SPOP_NULL}, SPOP_STATUS_INVALID},
	{{.type = SPOP_BOOL, .boolean = true}, SPOP_STATUS_INVALID},
	{{.type = SPOP_STR, .text = {"256", 3}}, SPOP_STATUS_INVALID},
};

START_TEST(frame_sizes)
{
	/* Goal: any integer type from 256 to 32 bits; outside it is status 9, no number status 4. */
	struct span check = hex(check_request);
	struct spop_hello hello = {.max_frame_size = 77};
	uint8_t out[128];
	struct wr w = wr_of(out, sizeof(out));

	wr_bytes(&w, check.p, 24);
	wr_bytes(&w, check.p + 43, check.n - 43);
	spop_string_encode(&w, SPAN("max-frame-size"));
	spop_data_encode(&w, &sizes[_i].data);
	ck_assert_int_eq(parse(written(&w), &hello), sizes[_i].want);
	if (sizes[_i].want != SPOP_STATUS_NORMAL)
		ck_assert_uint_eq(hello.max_frame_size, 77);
}
END_TEST

START_TEST(capability_lists)
{
	/* Goal: exact names between commas, spaces around them ignored, others skipped. */
	static const struct {
		const char *text;
		bool pipelining, async, fragmentation;
	} rows[] = {
		{"pipelining,async", true, true, false},
		{" fragmentation , pipelining", true, false, true},
		{"pipelining,,async,", true, true, false},
		{"new-thing,async", false, true, false},
		{"pipelining2,xasync,Async,frag", false, false, false},
		{"pipelining async", false, false, false},
	};
	struct span check = hex(check_request);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct spop_hello hello;
		uint8_t out[192];
		struct wr w = wr_of(out, sizeof(out));

		wr_bytes(&w, check.p, 43);
		spop_string_encode(&w, SPAN("capabilities"));
		spop_data_encode(
			&w, &(struct spop_data){.type = SPOP_STR, .text = span_of(rows[i].text)});
		ck_assert_int_eq(parse(written(&w), &hello), SPOP_STATUS_NORMAL);
		ck_assert_msg(hello.pipelining == rows[i].pipelining, "row %zu", i);
		ck_assert_msg(hello.async == rows[i].async, "row %zu", i);
		ck_assert_msg(hello.fragmentation == rows[i].fragmentation, "row %zu", i);
	}
}
END_TEST

START_TEST(strange_keys)
{
	/* Goal: unknown keys are skipped; a repeated or mistyped one is an invalid frame. */
	static const struct {
		const char *more;
		enum spop_status want;
	} rows[] = {
		{"01 78 00", SPOP_STATUS_NORMAL},
		{"0c 6865616c7468636865636b32 08 01 79", SPOP_STATUS_NORMAL}, /* healthcheck2 */
		{"09 656e67696e652d6964 08 02 6964", SPOP_STATUS_NORMAL},     /* engine-id */
		{"09 656e67696e652d6964 09 02 6964", SPOP_STATUS_INVALID},    /* as BIN */
		{"09 656e67696e652d6964 08 02 6900", SPOP_STATUS_INVALID},    /* with a NUL */
		{"0b 6865616c7468636865636b 01", SPOP_STATUS_INVALID},        /* twice */
		{"0c 6361706162696c6974696573 08 00", SPOP_STATUS_INVALID},   /* twice */
		{"01 78 0f", SPOP_STATUS_INVALID},
		{"01", SPOP_STATUS_INVALID},
	};
	struct span check = hex(check_request);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct span more = hex(rows[i].more);
		struct spop_hello hello;
		uint8_t out[192];
		struct wr w = wr_of(out, sizeof(out));

		wr_bytes(&w, check.p, check.n);
		wr_bytes(&w, more.p, more.n);
		ck_assert_msg(parse(written(&w), &hello) == rows[i].want, "row %zu", i);
	}
}
END_TEST

Suite *suite_hello(void)
{
	Suite *s = suite_create("spop/hello");
	TCase *t = tcase_create("hello");

	tcase_add_test(t, check_request_golden);
	tcase_add_test(t, agent_golden);
	tcase_add_test(t, round_trip);
	tcase_add_test(t, capabilities_golden);
	tcase_add_test(t, prefixes);
	tcase_add_test(t, agent_prefixes);
	tcase_add_loop_test(t, version_list, 0, ARRAY_SIZE(versions));
	tcase_add_loop_test(t, frame_sizes, 0, ARRAY_SIZE(sizes));
	tcase_add_test(t, capability_lists);
	tcase_add_test(t, strange_keys);
	suite_add_tcase(s, t);
	return s;
}
