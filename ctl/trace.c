#include "ctl/trace.h"

#include "base/clock.h"
#include "ctl/args.h"
#include "ctl/commands.h"
#include "ctl/fetch.h"
#include "ctl/flow_line.h"
#include "ctl/options.h"
#include "ctl/out.h"
#include "token/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { HAPROXY, AUDIT, HUBBLE };
static const struct ctl_option OPTIONS[] = {
	{"haproxy-log", 0, 0}, {"audit", 0, 0}, {"hubble", 0, 1}};

static const char *const SOURCES[] = {"haproxy", "identityd", "hubble"};
_Static_assert(ARRAY_SIZE(SOURCES) == CTL_TRACE_SOURCES, "a word for each");

static enum ctl_exit read_one(const char *name, struct ctl_trace *trace, const char *path,
	int (*read)(struct ctl_trace *trace, const char *path))
{
	int rc = path ? read(trace, path) : 0;

	if (rc == -E2BIG)
		ctl_args_complain(name, "%s: more than %d lines belong to it; the rest is left out",
			path, CTL_TRACE_EVENTS_MAX);
	else if (rc)
		ctl_args_complain(name, "%s: %s", path, strerror(-rc));
	return rc && rc != -E2BIG ? CTL_FAILED : CTL_OK;
}

static void format_time(int64_t ns, char buf[40])
{
	time_t seconds = (time_t)(ns / NS_PER_S);
	char day[32];
	struct tm tm;

	snprintf(buf, 40, "%-24s", "(no time)");
	if (ns && gmtime_r(&seconds, &tm) && strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm))
		snprintf(buf, 40, "%s.%03dZ", day, (int)(ns % NS_PER_S / NS_PER_MS));
}

/* A flow of somebody else's identity is not of this request, whatever its ports. */
static bool is_foreign(const struct ctl_trace *trace, const struct ctl_trace_event *event)
{
	const json_t *id = json_object_get(json_object_get(event->flow, "source"), "identity");

	return event->source == CTL_TRACE_HUBBLE && trace->identity && json_is_integer(id) &&
	       json_integer_value(id) != trace->identity;
}

static void print_event(
	const struct ctl_trace *trace, const struct ctl_trace_event *event, FILE *to)
{
	char time[40];

	format_time(event->ns, time);
	ctl_out_text(to, "%s  %-9s  ", time, SOURCES[event->source]);
	if (event->line) {
		ctl_out_line(to, "%s", event->line);
		return;
	}
	ctl_flow_print(event->flow, to);
	if (event->source != CTL_TRACE_HUBBLE)
		return;
	ctl_out_line(to, "%-24s  %-9s  found by the %s%s", "", "", event->by,
		is_foreign(trace, event) ? "; its source has ANOTHER identity" : "");
}

static json_t *event_json(const struct ctl_trace *trace, const struct ctl_trace_event *event)
{
	char time[40];
	json_t *json;

	format_time(event->ns, time);
	json = json_pack("{s:s, s:s}", "source", SOURCES[event->source], "time", time);
	if (event->line) {
		char *line = strdup(event->line);

		if (line)
			ctl_out_clean(line, false);
		json_object_set_new(json, "line", json_string(line ? line : ""));
		free(line);
	}
	if (event->flow)
		json_object_set(json, "flow", event->flow);
	if (event->by) {
		json_object_set_new(json, "found_by", json_string(event->by));
		json_object_set_new(json, "other_identity", json_boolean(is_foreign(trace, event)));
	}
	return json;
}

static void print_all(const struct ctl_trace *trace, bool as_json)
{
	cleanup(json) json_t *list = json_array();

	for (size_t i = 0; i < trace->n; i++) {
		if (as_json)
			json_array_append_new(list, event_json(trace, &trace->events[i]));
		else
			print_event(trace, &trace->events[i], stdout);
	}
	if (as_json)
		ctl_fetch_print(list);
}

enum ctl_exit ctl_trace(int argc, char **argv)
{
	struct ctl_trace trace = {0};
	struct ctl_options o;
	enum ctl_exit rc = ctl_options_read(argc, argv, OPTIONS, ARRAY_SIZE(OPTIONS),
		CTL_TAKES_OUTPUT, 1, 1, "one request id is needed", &o);

	if (rc)
		return rc;
	trace.reqid = o.rest[0];
	if (!*trace.reqid)
		return ctl_args_usage(argv[0], "one request id is needed");
	if (!o.values[HAPROXY] && !o.values[AUDIT] && !o.values[HUBBLE])
		return ctl_args_usage(argv[0], "wanted: --haproxy-log, --audit or --hubble");
	rc = read_one(argv[0], &trace, o.values[HAPROXY], ctl_trace_read_haproxy);
	if (!rc)
		rc = read_one(argv[0], &trace, o.values[AUDIT], ctl_trace_read_audit);
	for (size_t i = 0; !rc && i < o.n_many; i++)
		rc = read_one(argv[0], &trace, o.many[i], ctl_trace_read_hubble);
	ctl_trace_sort(&trace);
	if (!rc)
		print_all(&trace, o.json);
	if (!rc && !trace.n) {
		ctl_args_complain(argv[0], "nothing is known of %s", trace.reqid);
		rc = CTL_FAILED;
	}
	ctl_trace_done(&trace);
	return rc;
}
