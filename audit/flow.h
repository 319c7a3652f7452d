/*
 * An entry as one line of JSON in the form of Cilium's Hubble: an ExportEvent
 * (Cilium, api/v1/observer/observer.proto and api/v1/flow/flow.proto) with the
 * names of the .proto files, so `hubble observe --input-file` reads it.
 */
#ifndef AUDIT_FLOW_H
#define AUDIT_FLOW_H

#include "audit/entry.h"
#include "base/wr.h"

/* Hubble's reader ends at a line of 64 KiB (bufio.Scanner); ours stay below, newline included. */
#define AUDIT_LINE_MAX 65000

struct audit_style {
	const char *node_name;        /* cluster/node; not empty */
	bool keep_query;              /* else it is replaced by AUDIT_REDACTED */
	const unsigned char *sub_key; /* HMAC-SHA-256 key for sub and actor; NULL: as they are */
	size_t sub_key_bytes;
};

/* What stands where something was taken out; Hubble's own word. */
#define AUDIT_REDACTED "HUBBLE_REDACTED"

/*
 * Appends the line with its newline to w, which has AUDIT_LINE_MAX bytes left.
 * It is valid JSON in valid UTF-8 and holds no other newline, whatever the
 * texts are; long ones are cut. uuid: 16 random bytes.
 */
void audit_flow_line(struct wr *w, const struct audit_entry *entry, const struct audit_style *style,
	const unsigned char uuid[16]);

/* The line that says how many entries are missing: lost_events of observer.proto. */
void audit_flow_lost_line(
	struct wr *w, uint64_t lost, int64_t wall_ns, const struct audit_style *style);

#endif
