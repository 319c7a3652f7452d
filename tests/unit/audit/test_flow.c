#include "audit/flow.h"
#include "base/utf8.h"
#include "tests/unit/audit/suites.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const struct audit_style STYLE = {.node_name = "default/edge1"};
static const unsigned char UUID[16] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0xff, 0x77, 0xff, 0x99,
	0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};

static unsigned char buffer[AUDIT_LINE_MAX];

static const char *line_of(const struct audit_entry *entry, const struct audit_style *style)
{
	struct wr w = wr_of(buffer, sizeof(buffer));

	audit_flow_line(&w, entry, style, UUID);
	ck_assert(!w.bad);
	ck_assert_uint_lt(wr_len(&w), sizeof(buffer));
	buffer[wr_len(&w)] = '\0';
	return (const char *)buffer;
}

/* One line, UTF-8, JSON whose names occur once, no control byte but the newline at its end. */
static json_t *parsed(const char *line)
{
	size_t n = strlen(line);
	json_error_t error;
	json_t *root;

	ck_assert_int_eq(line[n - 1], '\n');
	for (size_t i = 0; i + 1 < n; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			ck_abort_msg("byte %zu is %d", i, line[i]);
	ck_assert(base_utf8_valid((struct span){.p = line, .n = n}));
	root = json_loadb(line, n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	if (!root)
		ck_abort_msg("%s at %d: %.*s", error.text, error.position, 80,
			line + (error.position > 40 ? error.position - 40 : 0));
	return root;
}

static struct audit_entry request(void)
{
	struct audit_entry entry = {
		.kind = AUDIT_REQUEST,
		.verdict = AUDIT_DROPPED,
		.wall_ns = INT64_C(1700000000123456789),
		.src = {{203, 0, 113, 9}, 4},
		.dst = {{10, 0, 1, 5}, 4},
		.sport = 51000,
		.dport = 443,
		.identity = 70001,
		.https = true,
	};

	entry.text[AUDIT_TEXT_REASON] = SPAN("policy_denied");
	entry.text[AUDIT_TEXT_LABELS] =
		SPAN("k8s:io.kubernetes.pod.namespace=oidc;oidc:role=admin;");
	entry.text[AUDIT_TEXT_DST_LABELS] = SPAN("k8s:app=shop;");
	entry.text[AUDIT_TEXT_ROLE] = SPAN("admin");
	entry.text[AUDIT_TEXT_SUB] = SPAN("alice");
	entry.text[AUDIT_TEXT_SERVICE] = SPAN("shop");
	entry.text[AUDIT_TEXT_ROUTE] = SPAN("be_shop");
	entry.text[AUDIT_TEXT_POLICY] = SPAN("team/only-readers:0");
	entry.text[AUDIT_TEXT_METHOD] = SPAN("GET");
	entry.text[AUDIT_TEXT_HOST] = SPAN("user:secret@shop.example");
	entry.text[AUDIT_TEXT_PATH] = SPAN("/a");
	entry.text[AUDIT_TEXT_QUERY] = SPAN("token=x");
	entry.text[AUDIT_TEXT_PROTO] = SPAN("2.0");
	entry.text[AUDIT_TEXT_REQID] = SPAN("r-1");
	entry.text[AUDIT_TEXT_TRACEPARENT] =
		SPAN("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
	return entry;
}

START_TEST(golden)
{
	/* Goal: the line is that of Cilium's exporter, field for field in its order. */
	struct audit_entry entry = request();

	ck_assert_str_eq(line_of(&entry, &STYLE),
		"{\"flow\":{\"time\":\"2023-11-14T22:13:20.123456789Z\","
		"\"uuid\":\"00112233-4455-4f77-bf99-aabbccddeeff\",\"verdict\":\"DROPPED\","
		"\"IP\":{\"source\":\"203.0.113.9\",\"destination\":\"10.0.1.5\",\"ipVersion\":"
		"\"IPv4\"},"
		"\"l4\":{\"TCP\":{\"source_port\":51000,\"destination_port\":443}},"
		"\"source\":{\"identity\":70001,\"labels\":[\"k8s:io.kubernetes.pod.namespace="
		"oidc\","
		"\"oidc:role=admin\"]},\"destination\":{\"labels\":[\"k8s:app=shop\"]},"
		"\"Type\":\"L7\",\"node_name\":\"default/edge1\","
		"\"l7\":{\"type\":\"REQUEST\",\"http\":{\"method\":\"GET\","
		"\"url\":\"https://HUBBLE_REDACTED@shop.example/a?HUBBLE_REDACTED\","
		"\"protocol\":\"HTTP/2\",\"headers\":["
		"{\"key\":\"X-Identityd-Policy\",\"value\":\"team/only-readers:0\"},"
		"{\"key\":\"X-Identityd-Reason\",\"value\":\"policy_denied\"},"
		"{\"key\":\"X-Identityd-Role\",\"value\":\"admin\"},"
		"{\"key\":\"X-Identityd-Route\",\"value\":\"be_shop\"},"
		"{\"key\":\"X-Identityd-Service\",\"value\":\"shop\"},"
		"{\"key\":\"X-Identityd-Sub\",\"value\":\"alice\"},"
		"{\"key\":\"X-Request-Id\",\"value\":\"r-1\"}]}},"
		"\"event_type\":{\"type\":129},\"destination_service\":{\"name\":\"be_shop\"},"
		"\"traffic_direction\":\"INGRESS\",\"is_reply\":false,"
		"\"trace_context\":{\"parent\":{\"trace_id\":\"0af7651916cd43dd8448eb211c80319c\"}}"
		","
		"\"Summary\":\"HTTP/2 GET https://HUBBLE_REDACTED@shop.example/a?HUBBLE_REDACTED, "
		"policy_denied\","
		"\"ingress_denied_by\":[{\"name\":\"only-readers\",\"namespace\":\"team\","
		"\"kind\":\"CiliumNetworkPolicy\"}]},\"node_name\":\"default/edge1\","
		"\"time\":\"2023-11-14T22:13:20.123456789Z\"}\n");
}
END_TEST

START_TEST(others)
{
	/* Goal: drops and kills are Cilium's drops, notes are agent events, losses are lost_events. */
	struct audit_entry entry = {.kind = AUDIT_KILL, .verdict = AUDIT_DROPPED, .identity = 7};
	struct wr w = wr_of(buffer, sizeof(buffer));
	json_t *root;
	long long type, sub_type;
	const char *text, *more;

	entry.src = (struct audit_address){{[15] = 1}, 16};
	entry.text[AUDIT_TEXT_REASON] = SPAN("revoked");
	root = parsed(line_of(&entry, &STYLE));
	ck_assert_int_eq(
		json_unpack(root, "{s:{s:s,s:{s:I,s:I},s:{s:s}}}", "flow", "Summary", &text,
			"event_type", "type", &type, "sub_type", &sub_type, "IP", "source", &more),
		0);
	ck_assert_str_eq(text, "TCP killed, revoked");
	ck_assert_str_eq(more, "::1");
	ck_assert_int_eq(type, 1);
	ck_assert_int_eq(sub_type, 189);
	json_decref(root);

	entry = (struct audit_entry){.kind = AUDIT_NOTE};
	entry.text[AUDIT_TEXT_TYPE] = SPAN("break_glass");
	entry.text[AUDIT_TEXT_NOTE] = SPAN("until 12:00\n");
	root = parsed(line_of(&entry, &STYLE));
	ck_assert_int_eq(
		json_unpack(root, "{s:{s:s,s:{s:s,s:s}},s:s}", "agent_event", "type", &text,
			"unknown", "type", &more, "notification", &text, "node_name", &more),
		0);
	ck_assert_str_eq(text, "until 12:00\n");
	json_decref(root);

	audit_flow_lost_line(&w, 17, 0, &STYLE);
	buffer[wr_len(&w)] = '\0';
	ck_assert_str_eq((char *)buffer,
		"{\"lost_events\":{\"source\":\"HUBBLE_RING_BUFFER\",\"num_events_lost\":\"17\"},"
		"\"node_name\":\"default/edge1\",\"time\":\"1970-01-01T00:00:00.000000000Z\"}\n");
}
END_TEST

START_TEST(of_the_kernel)
{
	/* Goal: what a program stops: Cilium's reason, the connection as far as it is known, its
	 * socket; and how many of them nobody saw. */
	struct audit_entry entry = {.kind = AUDIT_REFUSE,
		.verdict = AUDIT_DROPPED,
		.identity = 300,
		.dst = {{10, 0, 1, 5}, 4},
		.dport = 53,
		.protocol = 17,
		.cookie = UINT64_C(18446744073709551615),
		.egress = true};
	const char *line;

	entry.text[AUDIT_TEXT_REASON] = SPAN("no_rule_allows");
	entry.text[AUDIT_TEXT_LABELS] = SPAN("k8s:role=admin;");
	entry.text[AUDIT_TEXT_ROUTE] = SPAN("be_shop");
	line = line_of(&entry, &STYLE);
	json_decref(parsed(line));
	ck_assert_str_eq(line,
		"{\"flow\":{\"time\":\"1970-01-01T00:00:00.000000000Z\","
		"\"uuid\":\"00112233-4455-4f77-bf99-aabbccddeeff\",\"verdict\":\"DROPPED\","
		"\"drop_reason\":133,\"IP\":{\"destination\":\"10.0.1.5\",\"ipVersion\":\"IPv4\"},"
		"\"l4\":{\"UDP\":{\"destination_port\":53}},"
		"\"source\":{\"identity\":300,\"labels\":[\"k8s:role=admin\"]},"
		"\"Type\":\"L3_L4\",\"node_name\":\"default/edge1\","
		"\"event_type\":{\"type\":1,\"sub_type\":133},"
		"\"destination_service\":{\"name\":\"be_shop\"},\"traffic_direction\":\"EGRESS\","
		"\"drop_reason_desc\":\"POLICY_DENIED\",\"socket_cookie\":\"18446744073709551615\","
		"\"Summary\":\"UDP refused, no_rule_allows\"},"
		"\"node_name\":\"default/edge1\",\"time\":\"1970-01-01T00:00:00.000000000Z\"}\n");

	entry.verdict = AUDIT_AUDIT;
	entry.kind = AUDIT_DROP;
	entry.text[AUDIT_TEXT_REASON] = SPAN("rule_denies");
	line = line_of(&entry, &STYLE);
	json_decref(parsed(line));
	ck_assert_ptr_nonnull(strstr(line, "\"UDP would be dropped, rule_denies\""));
	ck_assert_ptr_nonnull(strstr(line, "\"drop_reason\":181,"));
	ck_assert_ptr_nonnull(strstr(line, "\"drop_reason_desc\":\"POLICY_DENY\""));

	entry = (struct audit_entry){.kind = AUDIT_LOST, .count = 17};
	ck_assert_str_eq(line_of(&entry, &STYLE),
		"{\"lost_events\":{\"source\":\"PERF_EVENT_RING_BUFFER\",\"num_events_lost\":"
		"\"17\"},"
		"\"node_name\":\"default/edge1\",\"time\":\"1970-01-01T00:00:00.000000000Z\"}\n");
}
END_TEST

START_TEST(verdicts)
{
	/* Goal: each verdict has Cilium's word, and who allowed stands in another field than who denied. */
	static const char *const WORDS[] = {"FORWARDED", "DROPPED", "ERROR", "AUDIT"};

	for (int v = 0; v < AUDIT_VERDICTS; v++) {
		struct audit_entry entry = request();
		json_t *root, *flow;

		entry.verdict = (enum audit_verdict)v;
		root = parsed(line_of(&entry, &STYLE));
		flow = json_object_get(root, "flow");
		ck_assert_str_eq(json_string_value(json_object_get(flow, "verdict")), WORDS[v]);
		ck_assert(!json_object_get(flow, "ingress_allowed_by") == (v != AUDIT_FORWARDED));
		ck_assert(!json_object_get(flow, "ingress_denied_by") == (v == AUDIT_FORWARDED));
		json_decref(root);
	}
}
END_TEST

START_TEST(pseudonyms)
{
	/* Goal: with a key neither sub nor actor is readable; one person keeps one word, two have two. */
	static const unsigned char KEY[] = "0123456789abcdef0123456789abcdef";
	struct audit_style style = {.node_name = "n", .sub_key = KEY, .sub_key_bytes = 32};
	struct audit_entry entry = request();
	char first[AUDIT_LINE_MAX];

	entry.text[AUDIT_TEXT_ACTOR] = SPAN("mallory");
	snprintf(first, sizeof(first), "%s", line_of(&entry, &style));
	ck_assert_ptr_null(strstr(first, "alice"));
	ck_assert_ptr_null(strstr(first, "mallory"));
	/* openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef over "alice" */
	ck_assert_ptr_nonnull(strstr(
		first, "\"X-Identityd-Sub\",\"value\":\"433deb45467e4e53dbaba594c88bc3a2\""));
	ck_assert_str_eq(line_of(&entry, &style), first);
	entry.text[AUDIT_TEXT_SUB] = SPAN("alicf");
	ck_assert_str_ne(line_of(&entry, &style), first);
}
END_TEST

static json_t *headers_of(json_t *root)
{
	return json_object_get(
		json_object_get(json_object_get(json_object_get(root, "flow"), "l7"), "http"),
		"headers");
}

START_TEST(headers)
{
	/* Goal: headers of the request stand behind ours, as many and as long as a line has room for. */
	static const char SOME[] = "Accept\0text/html\0X-B\0\0x\"y\0z\0cut";
	char many[40 * 4], *end = many;
	struct audit_entry entry = request();
	json_t *root, *list;
	const char *key, *value;
	size_t ours;

	root = parsed(line_of(&entry, &STYLE));
	ours = json_array_size(headers_of(root));
	json_decref(root);
	entry.text[AUDIT_TEXT_HEADERS] = (struct span){.p = SOME, .n = sizeof(SOME) - 1};
	root = parsed(line_of(&entry, &STYLE));
	list = headers_of(root);
	ck_assert_uint_eq(json_array_size(list), ours + 3);
	ck_assert_int_eq(
		json_unpack(json_array_get(list, ours), "{s:s, s:s}", "key", &key, "value", &value),
		0);
	ck_assert_str_eq(key, "Accept");
	ck_assert_str_eq(value, "text/html");
	ck_assert_int_eq(json_unpack(json_array_get(list, ours + 2), "{s:s, s:s}", "key", &key,
				 "value", &value),
		0);
	ck_assert_str_eq(key, "x\"y");
	ck_assert_str_eq(value, "z");
	json_decref(root);
	for (int i = 0; i < 40; i++, end += 4)
		memcpy(end, "k\0v", 4);
	entry.text[AUDIT_TEXT_HEADERS] = (struct span){.p = many, .n = sizeof(many)};
	root = parsed(line_of(&entry, &STYLE));
	ck_assert_uint_eq(json_array_size(headers_of(root)), ours + 16);
	json_decref(root);
}
END_TEST

START_TEST(trace)
{
	/* Goal: only a well-formed traceparent is a trace (W3C Trace Context 3.2.2). */
	static const char *const BAD[] = {"", "00",
		"00-0af7651916cd43dd8448eb211c80319C-b7ad6b7169203331-01",
		"00-00000000000000000000000000000000-b7ad6b7169203331-01",
		"00-0af7651916cd43dd8448eb211c80319c+b7ad6b7169203331-01",
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0"};

	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
		struct audit_entry entry = request();

		entry.text[AUDIT_TEXT_TRACEPARENT] = span_of(BAD[i]);
		ck_assert_ptr_null(strstr(line_of(&entry, &STYLE), "trace_context"));
	}
}
END_TEST

START_TEST(any_bytes)
{
	/* Goal: whatever the texts hold, the line is valid, and below its bound at their longest. */
	char *noise = malloc(AUDIT_TEXTS * 4096);
	size_t longest = 0;

	srandom(1);
	for (int round = 0; round < 3000; round++) {
		struct audit_entry entry = {.kind = round % 4 == 3 ? AUDIT_DROP : AUDIT_REQUEST};
		const char *line;

		entry.src.len = round % 2 ? 4 : 16;
		for (size_t t = 0; t < AUDIT_TEXTS; t++) {
			char *p = noise + t * 4096;
			size_t n = round < 4 ? 4096 : (size_t)random() % 64;

			for (size_t i = 0; i < n; i++)
				p[i] = round < 2 ? 1 : (char)random();
			if (round < 4 && (t == AUDIT_TEXT_LABELS || t == AUDIT_TEXT_DST_LABELS))
				memset(p, 'a', n);
			for (size_t i = 1; i < n && round < 4 && t <= AUDIT_TEXT_DST_LABELS; i += 2)
				p[i] = ';';
			entry.text[t] = (struct span){.p = p, .n = n};
		}
		line = line_of(&entry, &STYLE);
		longest = strlen(line) > longest ? strlen(line) : longest;
		json_decref(parsed(line));
	}
	ck_assert_uint_gt(longest, 40000); /* the bound was tried */
	free(noise);
}
END_TEST

Suite *flow_suite(void)
{
	Suite *suite = suite_create("audit/flow");
	TCase *tcase = tcase_create("flow");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, golden);
	tcase_add_test(tcase, others);
	tcase_add_test(tcase, of_the_kernel);
	tcase_add_test(tcase, verdicts);
	tcase_add_test(tcase, pseudonyms);
	tcase_add_test(tcase, headers);
	tcase_add_test(tcase, trace);
	tcase_add_test(tcase, any_bytes);
	suite_add_tcase(suite, tcase);
	return suite;
}
