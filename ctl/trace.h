/*
 * The story of one request: events out of HAProxy's log, the audit log and
 * Hubble's flows, in the order of their times.
 */
#ifndef CTL_TRACE_H
#define CTL_TRACE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ctl_trace_source { CTL_TRACE_HAPROXY, CTL_TRACE_AUDIT, CTL_TRACE_HUBBLE };
#define CTL_TRACE_SOURCES (CTL_TRACE_HUBBLE + 1)

struct ctl_trace_event {
	enum ctl_trace_source source;
	int64_t ns;     /* since 1970; 0: the line says no time */
	char *line;     /* HAProxy's, owned */
	json_t *flow;   /* the others', owned */
	const char *by; /* of Hubble: what it was found by */
};

#define CTL_TRACE_EVENTS_MAX 10000
#define CTL_TRACE_PAIRS_MAX  8

struct ctl_trace {
	const char *reqid;
	struct ctl_trace_event *events;
	size_t n;
	/* What is known of the request once HAProxy's log and the audit log were read. */
	char trace_id[40];
	int64_t from, to; /* of its events, ns */
	long long identity;
	struct {
		char a[80], b[80]; /* "ADDRESS:PORT" of both ends */
		const char *name;
	} pairs[CTL_TRACE_PAIRS_MAX];
	size_t n_pairs;
};

/*
 * Each reads a file to its end: 0 or -errno. First HAProxy's and the audit
 * log, since Hubble's flows are found by what those say: the request id or the
 * trace id, or a connection of the request at about its time.
 */
int ctl_trace_read_haproxy(struct ctl_trace *trace, const char *path)
	__attribute__((warn_unused_result));
int ctl_trace_read_audit(struct ctl_trace *trace, const char *path)
	__attribute__((warn_unused_result));
int ctl_trace_read_hubble(struct ctl_trace *trace, const char *path)
	__attribute__((warn_unused_result));

/* Sorts by time; events of one moment stay in the order of the sources. */
void ctl_trace_sort(struct ctl_trace *trace);
void ctl_trace_done(struct ctl_trace *trace);

/* "[25/Nov/2026:17:05:00.123]" somewhere in a line of HAProxy's log, in local time; 0: no. */
int64_t ctl_trace_haproxy_time(const char *line);
/* "2026-11-25T17:05:00.123456789Z", any number of decimals; 0: it is none. */
int64_t ctl_trace_flow_time(const char *text);

#endif
