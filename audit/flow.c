#include "audit/flow.h"

#include "audit/ring.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <assert.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <time.h>

/*
 * How much of a text a line takes, so that a line stays below AUDIT_LINE_MAX
 * even when every byte becomes six: host, path and query stand twice. Labels
 * are never escaped, but a short one costs three more bytes as its own text.
 */
#define HOST_MAX   256
#define PATH_MAX_  1024
#define QUERY_MAX  256
#define TEXT_MAX   256
#define LABELS_MAX AUDIT_TEXT_MAX
#define SKELETON   2048 /* names, numbers, addresses, time, node name */
static_assert(2 * BASE_JSON_CHAR_MAX * (HOST_MAX + PATH_MAX_ + QUERY_MAX) + 4 * LABELS_MAX +
			      14 * BASE_JSON_CHAR_MAX * TEXT_MAX + SKELETON <
		      AUDIT_LINE_MAX,
	"a line is never too long");

/* pkg/monitor/api of Cilium: types of events and reasons for drops. */
#define EVENT_DROP       1
#define EVENT_VERDICT    5
#define EVENT_ACCESS_LOG 129
#define DROP_POLICY      133
#define DROP_DENIED      181

static const char *const VERDICTS[] = {"FORWARDED", "DROPPED", "ERROR", "AUDIT"};
static_assert(ARRAY_SIZE(VERDICTS) == AUDIT_VERDICTS, "a word for each");

static bool has(const struct audit_entry *entry, enum audit_text which)
{
	return entry->text[which].n > 0;
}

/* RFC 3339, nanoseconds, UTC. */
static void put_time(struct wr *w, const char *key, int64_t wall_ns)
{
	time_t seconds = (time_t)(wall_ns / NS_PER_S);
	int64_t rest = wall_ns % NS_PER_S;
	struct tm tm;
	char day[32], text[48];

	if (rest < 0) {
		rest += NS_PER_S;
		seconds--;
	}
	gmtime_r(&seconds, &tm);
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, sizeof(text), "%s.%09dZ", day, (int)rest);
	base_json_str(w, key, text);
}

/* RFC 9562 5.4: version 4, variant 10. */
static void put_uuid(struct wr *w, const unsigned char random[16])
{
	char text[40];
	unsigned char b[16];

	memcpy(b, random, sizeof(b));
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	snprintf(text, sizeof(text),
		"%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
		b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
		b[15]);
	base_json_str(w, "uuid", text);
}

static void put_address(struct wr *w, const char *key, const struct audit_address *address)
{
	char text[INET6_ADDRSTRLEN];

	if (inet_ntop(address->len == 4 ? AF_INET : AF_INET6, address->bytes, text, sizeof(text)))
		base_json_str(w, key, text);
}

static void put_connection(struct wr *w, const struct audit_entry *entry)
{
	if (!entry->src.len)
		return;
	base_json_object(w, "IP");
	put_address(w, "source", &entry->src);
	if (entry->dst.len)
		put_address(w, "destination", &entry->dst);
	base_json_str(w, "ipVersion", entry->src.len == 4 ? "IPv4" : "IPv6");
	base_json_end_object(w);
	base_json_object(w, "l4");
	base_json_object(w, "TCP");
	base_json_uint(w, "source_port", entry->sport);
	base_json_uint(w, "destination_port", entry->dport);
	base_json_end_object(w);
	base_json_end_object(w);
}

/* Labels were checked when they were made; whatever would need escaping is none. */
static bool is_label(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= 0x20 || s.p[i] >= 0x7f || s.p[i] == '"' || s.p[i] == '\\')
			return false;
	return s.n > 0;
}

/* source:key=value;source:key=value; as an array of texts without the semicolons. */
static void put_labels(struct wr *w, struct span labels)
{
	base_json_array(w, "labels");
	while (labels.n) {
		const char *end = memchr(labels.p, ';', labels.n);
		struct span one = {.p = labels.p, .n = end ? (size_t)(end - labels.p) : labels.n};
		size_t took = end ? one.n + 1 : one.n;

		if (end && is_label(one)) /* the last one may have been cut */
			base_json_text(w, NULL, one, SIZE_MAX);
		labels.p += took;
		labels.n -= took;
	}
	base_json_end_array(w);
}

static void put_endpoints(struct wr *w, const struct audit_entry *entry)
{
	if (entry->identity || has(entry, AUDIT_TEXT_LABELS)) {
		base_json_object(w, "source");
		base_json_uint(w, "identity", entry->identity);
		put_labels(w, entry->text[AUDIT_TEXT_LABELS]);
		base_json_end_object(w);
	}
	if (has(entry, AUDIT_TEXT_DST_LABELS)) {
		base_json_object(w, "destination");
		put_labels(w, entry->text[AUDIT_TEXT_DST_LABELS]);
		base_json_end_object(w);
	}
}

/* Host without userinfo (RFC 3986 3.2.1), path, and the query or that there was one. */
static void put_url(struct wr *w, const struct audit_entry *entry, const struct audit_style *style)
{
	struct span host = entry->text[AUDIT_TEXT_HOST];
	const char *at = host.n ? memrchr(host.p, '@', host.n) : NULL;

	base_json_text_piece(w, entry->https ? SPAN("https://") : SPAN("http://"), SIZE_MAX);
	if (at) {
		base_json_text_piece(w, SPAN(AUDIT_REDACTED "@"), SIZE_MAX);
		host.n -= (size_t)(at + 1 - host.p);
		host.p = at + 1;
	}
	base_json_text_piece(w, host, HOST_MAX);
	base_json_text_piece(w, entry->text[AUDIT_TEXT_PATH], PATH_MAX_);
	if (!has(entry, AUDIT_TEXT_QUERY))
		return;
	base_json_text_piece(w, SPAN("?"), SIZE_MAX);
	base_json_text_piece(w,
		style->keep_query ? entry->text[AUDIT_TEXT_QUERY] : SPAN(AUDIT_REDACTED),
		QUERY_MAX);
}

/* HAProxy says "1.1" and "2.0", Cilium HTTP/1.1 and HTTP/2. */
static struct span http_version(struct span proto)
{
	if (proto.n == 3 && proto.p[0] >= '2' && !memcmp(proto.p + 1, ".0", 2))
		proto.n = 1;
	return proto;
}

static void put_protocol(struct wr *w, const struct audit_entry *entry)
{
	base_json_text_piece(w, SPAN("HTTP/"), SIZE_MAX);
	base_json_text_piece(w, http_version(entry->text[AUDIT_TEXT_PROTO]), 8);
}

static void put_header(struct wr *w, const char *name, struct span value)
{
	base_json_object(w, NULL);
	base_json_str(w, "key", name);
	base_json_text(w, "value", value, TEXT_MAX);
	base_json_end_object(w);
}

/* 128 bits of HMAC-SHA-256: the same person has the same word, and nobody can guess it back. */
static struct span pseudonym(
	struct span text, const struct audit_style *style, char ret_hex[2 * 16 + 1])
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (!style->sub_key)
		return text;
	if (!HMAC(EVP_sha256(), style->sub_key, (int)style->sub_key_bytes,
		    (const unsigned char *)text.p, text.n, hash, &n))
		return SPAN(AUDIT_REDACTED);
	for (size_t i = 0; i < 16; i++)
		snprintf(ret_hex + 2 * i, 3, "%02x", hash[i]);
	return (struct span){.p = ret_hex, .n = 32};
}

/* What Hubble has no field for; in the order of their names, as Cilium sorts headers. */
static const struct {
	const char *name;
	enum audit_text text;
	bool personal;
} HEADERS[] = {
	{"X-Identityd-Actor", AUDIT_TEXT_ACTOR, true},
	{"X-Identityd-Client-Id", AUDIT_TEXT_CLIENT_ID, false},
	{"X-Identityd-Iss", AUDIT_TEXT_ISS, false},
	{"X-Identityd-Policy", AUDIT_TEXT_POLICY, false},
	{"X-Identityd-Provider", AUDIT_TEXT_PROVIDER, false},
	{"X-Identityd-Reason", AUDIT_TEXT_REASON, false},
	{"X-Identityd-Role", AUDIT_TEXT_ROLE, false},
	{"X-Identityd-Route", AUDIT_TEXT_ROUTE, false},
	{"X-Identityd-Service", AUDIT_TEXT_SERVICE, false},
	{"X-Identityd-Sub", AUDIT_TEXT_SUB, true},
	{"X-Request-Id", AUDIT_TEXT_REQID, false},
};

static void put_http(struct wr *w, const struct audit_entry *entry, const struct audit_style *style)
{
	base_json_object(w, "l7");
	base_json_str(w, "type", "REQUEST");
	base_json_object(w, "http");
	base_json_text(w, "method", entry->text[AUDIT_TEXT_METHOD], TEXT_MAX);
	base_json_text_begin(w, "url");
	put_url(w, entry, style);
	base_json_text_end(w);
	base_json_text_begin(w, "protocol");
	put_protocol(w, entry);
	base_json_text_end(w);
	base_json_array(w, "headers");
	for (size_t i = 0; i < ARRAY_SIZE(HEADERS); i++) {
		struct span value = entry->text[HEADERS[i].text];
		char hex[33];

		if (value.n && HEADERS[i].personal)
			value = pseudonym(value, style, hex);
		if (value.n)
			put_header(w, HEADERS[i].name, value);
	}
	base_json_end_array(w);
	base_json_end_object(w);
	base_json_end_object(w);
}

/* W3C Trace Context 3.2.2: version-traceid-parentid-flags; anything else is no trace. */
static struct span trace_id(struct span traceparent)
{
	struct span id = {.p = traceparent.p + 3, .n = 32};
	bool zero = true;

	if (traceparent.n < 55 || traceparent.p[2] != '-' || traceparent.p[35] != '-')
		return (struct span){0};
	for (size_t i = 0; i < id.n; i++) {
		if (!strchr("0123456789abcdef", id.p[i]) || !id.p[i])
			return (struct span){0};
		zero = zero && id.p[i] == '0';
	}
	return zero ? (struct span){0} : id;
}

static void put_trace(struct wr *w, const struct audit_entry *entry)
{
	struct span id = trace_id(entry->text[AUDIT_TEXT_TRACEPARENT]);

	if (!id.n)
		return;
	base_json_object(w, "trace_context");
	base_json_object(w, "parent");
	base_json_text(w, "trace_id", id, SIZE_MAX);
	base_json_end_object(w);
	base_json_end_object(w);
}

static void put_event_type(struct wr *w, unsigned type, unsigned sub_type)
{
	base_json_object(w, "event_type");
	base_json_uint(w, "type", type);
	if (sub_type)
		base_json_uint(w, "sub_type", sub_type);
	base_json_end_object(w);
}

/* namespace/name:rule, or name alone, as ingress_allowed_by or ingress_denied_by. */
static void put_policy(struct wr *w, const struct audit_entry *entry)
{
	struct span policy = entry->text[AUDIT_TEXT_POLICY];
	const char *colon = policy.n ? memchr(policy.p, ':', policy.n) : NULL;
	struct span name = {.p = policy.p, .n = colon ? (size_t)(colon - policy.p) : policy.n};
	const char *slash = name.n ? memchr(name.p, '/', name.n) : NULL;
	bool allowed = entry->verdict == AUDIT_FORWARDED;

	if (!name.n)
		return;
	base_json_array(w, allowed ? "ingress_allowed_by" : "ingress_denied_by");
	base_json_object(w, NULL);
	if (slash) {
		struct span namespace = {.p = name.p, .n = (size_t)(slash - name.p)};

		name = (struct span){.p = slash + 1, .n = name.n - namespace.n - 1};
		base_json_text(w, "name", name, TEXT_MAX);
		base_json_text(w, "namespace", namespace, TEXT_MAX);
	} else {
		base_json_text(w, "name", name, TEXT_MAX);
	}
	base_json_str(w, "kind", slash ? "CiliumNetworkPolicy" : "CiliumClusterwideNetworkPolicy");
	base_json_end_object(w);
	base_json_end_array(w);
}

/* The one text that `hubble observe` prints. */
static void put_summary(
	struct wr *w, const struct audit_entry *entry, const struct audit_style *style, bool http)
{
	base_json_text_begin(w, "Summary");
	if (http) {
		put_protocol(w, entry);
		base_json_text_piece(w, SPAN(" "), SIZE_MAX);
		base_json_text_piece(w, entry->text[AUDIT_TEXT_METHOD], TEXT_MAX);
		base_json_text_piece(w, SPAN(" "), SIZE_MAX);
		put_url(w, entry, style);
	} else {
		base_json_text_piece(
			w, entry->kind == AUDIT_KILL ? SPAN("TCP killed") : SPAN("TCP"), SIZE_MAX);
	}
	if (has(entry, AUDIT_TEXT_REASON) && entry->verdict != AUDIT_FORWARDED) {
		base_json_text_piece(w, SPAN(", "), SIZE_MAX);
		base_json_text_piece(w, entry->text[AUDIT_TEXT_REASON], TEXT_MAX);
	}
	base_json_text_end(w);
}

static void put_l3_l4(struct wr *w, const struct audit_entry *entry)
{
	if (entry->kind == AUDIT_REQUEST)
		put_event_type(w, EVENT_VERDICT, 0);
	else
		put_event_type(w, EVENT_DROP,
			span_is(entry->text[AUDIT_TEXT_REASON], "policy_denied") ? DROP_POLICY
										 : DROP_DENIED);
}

static void put_service(struct wr *w, const struct audit_entry *entry)
{
	bool routed = has(entry, AUDIT_TEXT_ROUTE);

	if (!routed && !has(entry, AUDIT_TEXT_SERVICE))
		return;
	base_json_object(w, "destination_service");
	base_json_text(
		w, "name", entry->text[routed ? AUDIT_TEXT_ROUTE : AUDIT_TEXT_SERVICE], TEXT_MAX);
	base_json_end_object(w);
}

/* In the order in which flow.proto declares the fields, as Cilium's own exporter writes them. */
static void put_flow(struct wr *w, const struct audit_entry *entry, const struct audit_style *style,
	const unsigned char uuid[16])
{
	bool http = entry->kind == AUDIT_REQUEST && has(entry, AUDIT_TEXT_METHOD);

	base_json_object(w, "flow");
	put_time(w, "time", entry->wall_ns);
	put_uuid(w, uuid);
	base_json_str(w, "verdict", VERDICTS[entry->verdict]);
	put_connection(w, entry);
	put_endpoints(w, entry);
	base_json_str(w, "Type", http ? "L7" : "L3_L4");
	base_json_str(w, "node_name", style->node_name);
	if (http)
		put_http(w, entry, style);
	if (http)
		put_event_type(w, EVENT_ACCESS_LOG, 0);
	else
		put_l3_l4(w, entry);
	put_service(w, entry);
	base_json_str(w, "traffic_direction", "INGRESS");
	base_json_bool(w, "is_reply", false);
	put_trace(w, entry);
	put_summary(w, entry, style, http);
	put_policy(w, entry);
	base_json_end_object(w);
}

/* agent_event of observer.proto, of the kind that has a word and a text. */
static void put_note(struct wr *w, const struct audit_entry *entry)
{
	base_json_object(w, "agent_event");
	base_json_str(w, "type", "AGENT_EVENT_UNKNOWN");
	base_json_object(w, "unknown");
	base_json_text(w, "type", entry->text[AUDIT_TEXT_TYPE], TEXT_MAX);
	base_json_text(w, "notification", entry->text[AUDIT_TEXT_NOTE], PATH_MAX_);
	base_json_end_object(w);
	base_json_end_object(w);
}

static void finish(struct wr *w, int64_t wall_ns, const struct audit_style *style)
{
	base_json_str(w, "node_name", style->node_name);
	put_time(w, "time", wall_ns);
	base_json_end_object(w);
	wr_u8(w, '\n');
	assert(!w->bad);
}

void audit_flow_line(struct wr *w, const struct audit_entry *entry, const struct audit_style *style,
	const unsigned char uuid[16])
{
	assert(wr_left(w) >= AUDIT_LINE_MAX);
	base_json_object(w, NULL);
	if (entry->kind == AUDIT_NOTE)
		put_note(w, entry);
	else
		put_flow(w, entry, style, uuid);
	finish(w, entry->wall_ns, style);
}

void audit_flow_lost_line(
	struct wr *w, uint64_t lost, int64_t wall_ns, const struct audit_style *style)
{
	char number[24]; /* 64-bit numbers are texts in protobuf's JSON */

	snprintf(number, sizeof(number), "%llu", (unsigned long long)lost);
	base_json_object(w, NULL);
	base_json_object(w, "lost_events");
	base_json_str(w, "source", "HUBBLE_RING_BUFFER");
	base_json_str(w, "num_events_lost", number);
	base_json_end_object(w);
	finish(w, wall_ns, style);
}
