#include "ctl/trace.h"

#include "base/clock.h"
#include "base/mem.h"
#include "ctl/flow_line.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Ports are used again: a connection's flows count only this near to the request. */
#define NEAR_NS (60 * NS_PER_S)

/* A longer line is cut: none of ours is. */
#define LINE_BYTES (1024 * 1024)

/* 0 also where nanoseconds do not go, with room for NEAR_NS: after 2262. */
static int64_t with_fraction(time_t seconds, const char *text)
{
	int64_t scale = NS_PER_S / 10, ns = 0;

	if (seconds < 0 || seconds > INT64_MAX / NS_PER_S - 1000)
		return 0;
	if (*text == '.')
		for (text++; isdigit((unsigned char)*text); text++, scale /= 10)
			ns += (*text - '0') * scale;
	return (int64_t)seconds * NS_PER_S + ns;
}

int64_t ctl_trace_haproxy_time(const char *line)
{
	for (const char *at = strchr(line, '['); at; at = strchr(at + 1, '[')) {
		struct tm tm = {.tm_isdst = -1};
		const char *end = strptime(at + 1, "%d/%b/%Y:%H:%M:%S", &tm);

		if (end)
			return with_fraction(mktime(&tm), end);
	}
	return 0;
}

int64_t ctl_trace_flow_time(const char *text)
{
	struct tm tm = {0};
	const char *end = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;

	return end ? with_fraction(timegm(&tm), end) : 0;
}

static int add(struct ctl_trace *trace, struct ctl_trace_event event)
{
	struct ctl_trace_event *grown = NULL;

	if (trace->n < CTL_TRACE_EVENTS_MAX)
		grown = reallocarray(trace->events, trace->n + 1, sizeof(*grown));
	if (!grown) {
		free(event.line);
		json_decref(event.flow);
		return trace->n < CTL_TRACE_EVENTS_MAX ? -ENOMEM : -E2BIG;
	}
	trace->events = grown;
	grown[trace->n++] = event;
	if (event.source == CTL_TRACE_HUBBLE || !event.ns)
		return 0;
	if (!trace->from || event.ns < trace->from)
		trace->from = event.ns;
	if (event.ns > trace->to)
		trace->to = event.ns;
	return 0;
}

static void add_pair(struct ctl_trace *trace, const char *a, const char *b, const char *name)
{
	size_t i = trace->n_pairs;

	if (i == CTL_TRACE_PAIRS_MAX || !*a || !*b || strlen(a) >= 80 || strlen(b) >= 80)
		return;
	snprintf(trace->pairs[i].a, sizeof(trace->pairs[i].a), "%s", a);
	snprintf(trace->pairs[i].b, sizeof(trace->pairs[i].b), "%s", b);
	trace->pairs[i].name = name;
	trace->n_pairs++;
}

/* The word as a whole, not as a part of a longer one. */
static bool has_word(const char *line, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = strstr(line, word); at; at = strstr(at + 1, word)) {
		bool begins = at == line || !(isalnum((unsigned char)at[-1]) || at[-1] == '-');
		bool ends = !(isalnum((unsigned char)at[n]) || at[n] == '-');

		if (begins && ends)
			return true;
	}
	return false;
}

/*
 * " reqid=", as the examples log it, and there alone; in other formats anywhere.
 * The first one is HAProxy's: what a caller can put behind it does not count.
 */
static bool is_line_of(const char *line, const char *reqid)
{
	const char *at = strstr(line, " reqid=");
	size_t n = strlen(reqid);

	if (!at)
		return has_word(line, reqid);
	at += strlen(" reqid=");
	return !strncmp(at, reqid, n) && strchr(" \t", at[n]);
}

/* HAProxy writes an IPv6 address without brackets: "::1:443" is put as "[::1]:443". */
static void endpoint_of(const char *line, const char *key, char buf[80])
{
	const char *at = strstr(line, key);
	const char *value = at ? at + strlen(key) : "";
	size_t n = strcspn(value, " \t");
	const char *colon = NULL;

	buf[0] = '\0';
	for (size_t i = 0; i < n; i++)
		if (value[i] == ':')
			colon = value + i;
	if (!colon || n >= 70)
		return;
	if (memchr(value, ':', (size_t)(colon - value)))
		snprintf(buf, 80, "[%.*s]%.*s", (int)(colon - value), value,
			(int)(n - (size_t)(colon - value)), colon);
	else
		snprintf(buf, 80, "%.*s", (int)n, value);
}

static int take_haproxy(struct ctl_trace *trace, const char *line)
{
	char a[80], b[80];

	if (!is_line_of(line, trace->reqid))
		return 0;
	endpoint_of(line, " via=", a); /* %bi:%bp and %si:%sp, as the examples log them */
	endpoint_of(line, " to=", b);
	add_pair(trace, a, b, "backend connection");
	return add(trace, (struct ctl_trace_event){.source = CTL_TRACE_HAPROXY,
				  .ns = ctl_trace_haproxy_time(line),
				  .line = strdup(line)});
}

/* The flow and its time; NULL: the line is no flow. The caller's. */
static json_t *flow_of(const char *line, int64_t *ret_ns)
{
	json_t *json = json_loads(line, 0, NULL);
	json_t *flow = json_incref(json_object_get(json, "flow"));

	*ret_ns = ctl_trace_flow_time(json_string_value(json_object_get(json, "time")));
	json_decref(json);
	if (json_is_object(flow))
		return flow;
	json_decref(flow);
	return NULL;
}

static const char *trace_id_of(const json_t *flow)
{
	const char *id = json_string_value(json_object_get(
		json_object_get(json_object_get(flow, "trace_context"), "parent"), "trace_id"));

	return id ? id : "";
}

static long long identity_of(const json_t *flow, const char *which)
{
	return json_integer_value(json_object_get(json_object_get(flow, which), "identity"));
}

static void learn(struct ctl_trace *trace, const json_t *flow)
{
	char a[80], b[80];

	ctl_flow_endpoint(flow, "source", a);
	ctl_flow_endpoint(flow, "destination", b);
	add_pair(trace, a, b, "client connection");
	if (!*trace->trace_id)
		snprintf(trace->trace_id, sizeof(trace->trace_id), "%.39s", trace_id_of(flow));
	if (!trace->identity)
		trace->identity = identity_of(flow, "source");
}

static bool is_of_request(const struct ctl_trace *trace, const json_t *flow)
{
	const char *reqid = ctl_flow_header(flow, "X-Request-Id");

	return reqid && !strcmp(reqid, trace->reqid);
}

static int take_audit(struct ctl_trace *trace, const char *line)
{
	int64_t ns;
	json_t *flow = strstr(line, "\"flow\"") ? flow_of(line, &ns) : NULL;

	if (!flow || !is_of_request(trace, flow)) {
		json_decref(flow);
		return 0;
	}
	learn(trace, flow);
	return add(
		trace, (struct ctl_trace_event){.source = CTL_TRACE_AUDIT, .ns = ns, .flow = flow});
}

/* What makes a flow one of the request's; NULL: nothing. */
static const char *why_of(const struct ctl_trace *trace, const json_t *flow, int64_t ns)
{
	char a[80], b[80];

	if (is_of_request(trace, flow))
		return "request id";
	if (*trace->trace_id && !strcmp(trace_id_of(flow), trace->trace_id))
		return "trace id";
	if (!trace->from || ns < trace->from - NEAR_NS || ns > trace->to + NEAR_NS)
		return NULL;
	ctl_flow_endpoint(flow, "source", a);
	ctl_flow_endpoint(flow, "destination", b);
	for (size_t i = 0; i < trace->n_pairs; i++) {
		const char *x = trace->pairs[i].a, *y = trace->pairs[i].b;

		if ((!strcmp(a, x) && !strcmp(b, y)) || (!strcmp(a, y) && !strcmp(b, x)))
			return trace->pairs[i].name;
	}
	return NULL;
}

static int take_hubble(struct ctl_trace *trace, const char *line)
{
	int64_t ns;
	json_t *flow = strstr(line, "\"flow\"") ? flow_of(line, &ns) : NULL;
	const char *by = flow ? why_of(trace, flow, ns) : NULL;

	if (!by) {
		json_decref(flow);
		return 0;
	}
	return add(trace, (struct ctl_trace_event){
				  .source = CTL_TRACE_HUBBLE, .ns = ns, .flow = flow, .by = by});
}

/* False at the end. */
static bool read_line(FILE *f, char *line)
{
	size_t n = 0;
	int c;

	while ((c = getc_unlocked(f)) != EOF && c != '\n')
		if (n < LINE_BYTES - 1)
			line[n++] = (char)c;
	line[n] = '\0';
	return c != EOF || n;
}

static int read_lines(struct ctl_trace *trace, const char *path,
	int (*take)(struct ctl_trace *trace, const char *line))
{
	FILE *f = fopen(path, "re");
	char *line = malloc(LINE_BYTES);
	int rc = line ? 0 : -ENOMEM;

	if (!f) {
		free(line);
		return -errno;
	}
	while (!rc && read_line(f, line))
		rc = take(trace, line);
	if (!rc && ferror(f))
		rc = -EIO;
	free(line);
	return fclose(f) && !rc ? -errno : rc;
}

int ctl_trace_read_haproxy(struct ctl_trace *trace, const char *path)
{
	return read_lines(trace, path, take_haproxy);
}

int ctl_trace_read_audit(struct ctl_trace *trace, const char *path)
{
	return read_lines(trace, path, take_audit);
}

int ctl_trace_read_hubble(struct ctl_trace *trace, const char *path)
{
	return read_lines(trace, path, take_hubble);
}

static int compare(const void *a, const void *b)
{
	const struct ctl_trace_event *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? -1 : 1;
	return (int)x->source - (int)y->source;
}

void ctl_trace_sort(struct ctl_trace *trace)
{
	if (trace->n)
		qsort(trace->events, trace->n, sizeof(*trace->events), compare);
}

void ctl_trace_done(struct ctl_trace *trace)
{
	for (size_t i = 0; i < trace->n; i++) {
		free(trace->events[i].line);
		json_decref(trace->events[i].flow);
	}
	free(trace->events);
	trace->events = NULL;
	trace->n = 0;
}
