#include "audit/flow.h"

#include "audit/drop.h"
#include "audit/http.h"
#include "audit/ring.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdio.h>
#include <time.h>

/*
 * A line stays below AUDIT_LINE_MAX even when every byte becomes six: host,
 * path and query stand twice. Labels are never escaped, but a short one costs
 * three more bytes as its own text.
 */
#define LABELS_MAX AUDIT_TEXT_MAX
#define SKELETON   2048 /* names, numbers, addresses, time, node name */
static_assert(2 * BASE_JSON_CHAR_MAX * (AUDIT_HOST_MAX + AUDIT_PATH_MAX + AUDIT_QUERY_MAX) +
			      4 * LABELS_MAX + 16 * BASE_JSON_CHAR_MAX * AUDIT_VALUE_MAX +
			      BASE_JSON_CHAR_MAX * AUDIT_HEADERS_BYTES +
			      AUDIT_HEADERS_MAX * sizeof("{\"key\":\"\",\"value\":\"\"},") +
			      SKELETON <
		      AUDIT_LINE_MAX,
	"a line is never too long");

/* pkg/monitor/api of Cilium: types of events and reasons for drops. */
#define EVENT_DROP       1
#define EVENT_VERDICT    5
#define EVENT_ACCESS_LOG 129

static const char *const VERDICTS[] = {"FORWARDED", "DROPPED", "ERROR", "AUDIT"};
static_assert(ARRAY_SIZE(VERDICTS) == AUDIT_VERDICTS, "a word for each");

static bool has(const struct audit_entry *entry, enum audit_text which)
{
	return entry->text[which].n > 0;
}

/* 64-bit numbers are texts in protobuf's JSON. */
static void put_uint64(struct wr *w, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	base_json_str(w, key, text);
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

/* A connect that was refused has no source yet. */
static void put_connection(struct wr *w, const struct audit_entry *entry)
{
	const struct audit_address *known = entry->src.len ? &entry->src : &entry->dst;

	if (!known->len)
		return;
	base_json_object(w, "IP");
	if (entry->src.len)
		put_address(w, "source", &entry->src);
	if (entry->dst.len)
		put_address(w, "destination", &entry->dst);
	base_json_str(w, "ipVersion", known->len == 4 ? "IPv4" : "IPv6");
	base_json_end_object(w);
	base_json_object(w, "l4");
	base_json_object(w, entry->protocol == IPPROTO_UDP ? "UDP" : "TCP");
	if (entry->src.len)
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

static void put_cookie(struct wr *w, const struct audit_entry *entry)
{
	if (entry->cookie)
		put_uint64(w, "socket_cookie", entry->cookie);
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
		base_json_text(w, "name", name, AUDIT_VALUE_MAX);
		base_json_text(w, "namespace", namespace, AUDIT_VALUE_MAX);
	} else {
		base_json_text(w, "name", name, AUDIT_VALUE_MAX);
	}
	base_json_str(w, "kind", slash ? "CiliumNetworkPolicy" : "CiliumClusterwideNetworkPolicy");
	base_json_end_object(w);
	base_json_end_array(w);
}

static const struct span ACTS[] = {
	[AUDIT_REFUSE] = {" refused", 8},
	[AUDIT_DROP] = {" dropped", 8},
	[AUDIT_KILL] = {" killed", 7},
	[AUDIT_NOTE] = {"", 0},
};

/* The one text that `hubble observe` prints. */
static void put_summary(
	struct wr *w, const struct audit_entry *entry, const struct audit_style *style, bool http)
{
	base_json_text_begin(w, "Summary");
	if (http) {
		audit_http_protocol(w, entry);
		base_json_text_piece(w, SPAN(" "), SIZE_MAX);
		base_json_text_piece(w, entry->text[AUDIT_TEXT_METHOD], AUDIT_VALUE_MAX);
		base_json_text_piece(w, SPAN(" "), SIZE_MAX);
		audit_http_url(w, entry, style);
	} else {
		base_json_text_piece(
			w, entry->protocol == IPPROTO_UDP ? SPAN("UDP") : SPAN("TCP"), SIZE_MAX);
		if (entry->verdict == AUDIT_AUDIT)
			base_json_text_piece(w, SPAN(" would be"), SIZE_MAX);
		base_json_text_piece(w, ACTS[entry->kind], SIZE_MAX);
	}
	if (has(entry, AUDIT_TEXT_REASON) && entry->verdict != AUDIT_FORWARDED) {
		base_json_text_piece(w, SPAN(", "), SIZE_MAX);
		base_json_text_piece(w, entry->text[AUDIT_TEXT_REASON], AUDIT_VALUE_MAX);
	}
	base_json_text_end(w);
}

static void put_service(struct wr *w, const struct audit_entry *entry)
{
	bool routed = has(entry, AUDIT_TEXT_ROUTE);

	if (!routed && !has(entry, AUDIT_TEXT_SERVICE))
		return;
	base_json_object(w, "destination_service");
	base_json_text(w, "name", entry->text[routed ? AUDIT_TEXT_ROUTE : AUDIT_TEXT_SERVICE],
		AUDIT_VALUE_MAX);
	base_json_end_object(w);
}

static bool is_of_kernel(const struct audit_entry *entry)
{
	return entry->kind == AUDIT_REFUSE || entry->kind == AUDIT_DROP ||
	       entry->kind == AUDIT_KILL;
}

static void put_type(
	struct wr *w, const struct audit_entry *entry, const struct audit_drop *drop, bool http)
{
	if (drop)
		put_event_type(w, EVENT_DROP, drop->number);
	else
		put_event_type(w, http ? EVENT_ACCESS_LOG : EVENT_VERDICT, 0);
	put_service(w, entry);
	base_json_str(w, "traffic_direction", entry->egress ? "EGRESS" : "INGRESS");
	/* Cilium's own drops do not say whether they are replies. */
	if (drop)
		base_json_str(w, "drop_reason_desc", drop->reason);
	else
		base_json_bool(w, "is_reply", false);
}

/* In the order in which flow.proto declares the fields, as Cilium's own exporter writes them. */
static void put_flow(struct wr *w, const struct audit_entry *entry, const struct audit_style *style,
	const unsigned char uuid[16])
{
	const struct audit_drop *drop =
		is_of_kernel(entry) ? audit_drop_find(entry->text[AUDIT_TEXT_REASON]) : NULL;
	bool http = entry->kind == AUDIT_REQUEST && has(entry, AUDIT_TEXT_METHOD);

	base_json_object(w, "flow");
	put_time(w, "time", entry->wall_ns);
	put_uuid(w, uuid);
	base_json_str(w, "verdict", VERDICTS[entry->verdict]);
	if (drop)
		base_json_uint(w, "drop_reason", drop->number);
	put_connection(w, entry);
	put_endpoints(w, entry);
	base_json_str(w, "Type", http ? "L7" : "L3_L4");
	base_json_str(w, "node_name", style->node_name);
	if (http)
		audit_http_put(w, entry, style);
	put_type(w, entry, drop, http);
	put_trace(w, entry);
	put_cookie(w, entry);
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
	base_json_text(w, "type", entry->text[AUDIT_TEXT_TYPE], AUDIT_VALUE_MAX);
	base_json_text(w, "notification", entry->text[AUDIT_TEXT_NOTE], AUDIT_PATH_MAX);
	base_json_end_object(w);
	base_json_end_object(w);
}

static void put_lost(struct wr *w, const char *source, uint64_t n)
{
	base_json_object(w, "lost_events");
	base_json_str(w, "source", source);
	put_uint64(w, "num_events_lost", n);
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
	else if (entry->kind == AUDIT_LOST)
		put_lost(w, "PERF_EVENT_RING_BUFFER", entry->count);
	else
		put_flow(w, entry, style, uuid);
	finish(w, entry->wall_ns, style);
}

void audit_flow_lost_line(
	struct wr *w, uint64_t lost, int64_t wall_ns, const struct audit_style *style)
{
	base_json_object(w, NULL);
	put_lost(w, "HUBBLE_RING_BUFFER", lost);
	finish(w, wall_ns, style);
}
