/*
 * One thing that the audit log tells of: a decision about a request, a packet
 * that the kernel dropped, a connection that it killed, something that an
 * operator did. Values and borrowed texts; nothing here allocates.
 */
#ifndef AUDIT_ENTRY_H
#define AUDIT_ENTRY_H

#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

enum audit_kind {
	AUDIT_REQUEST, /* HAProxy asked */
	AUDIT_REFUSE,  /* the kernel refused a connect or a send */
	AUDIT_DROP,    /* the kernel dropped a packet */
	AUDIT_KILL,    /* the kernel ended a connection */
	AUDIT_LOST,    /* count drops and kills of the kernel are in no line */
	AUDIT_NOTE,    /* an operator's act: TYPE and NOTE say what */
};

/* The words of flow.proto's Verdict. */
enum audit_verdict {
	AUDIT_FORWARDED,
	AUDIT_DROPPED,
	AUDIT_ERROR,
	AUDIT_AUDIT, /* would have been dropped, and was let through */
};
#define AUDIT_VERDICTS (AUDIT_AUDIT + 1)

enum audit_text {
	AUDIT_TEXT_REASON,     /* a word of the reason table */
	AUDIT_TEXT_LABELS,     /* of the caller, canonical: source:key=value; */
	AUDIT_TEXT_DST_LABELS, /* of the service, in the same form */
	AUDIT_TEXT_ROLE,
	AUDIT_TEXT_PROVIDER,
	AUDIT_TEXT_SUB,
	AUDIT_TEXT_ISS,
	AUDIT_TEXT_CLIENT_ID,
	AUDIT_TEXT_ACTOR,
	AUDIT_TEXT_SERVICE, /* asked for */
	AUDIT_TEXT_ROUTE,   /* given; policy was judged on it */
	AUDIT_TEXT_POLICY,  /* what decided: namespace/name and the rule behind a colon */
	AUDIT_TEXT_METHOD,
	AUDIT_TEXT_HOST,
	AUDIT_TEXT_PATH,
	AUDIT_TEXT_QUERY,
	AUDIT_TEXT_PROTO,          /* "1.1", "2.0" as HAProxy's req.ver */
	AUDIT_TEXT_TOKEN_WORKLOAD, /* that the token names, where it was compared: namespace/account/pod */
	AUDIT_TEXT_WORKLOAD, /* labels of the one that is known to be at the address */
	AUDIT_TEXT_HEADERS,  /* of the request: name NUL value NUL, again and again */
	AUDIT_TEXT_REQID,
	AUDIT_TEXT_TRACEPARENT,
	AUDIT_TEXT_TYPE, /* of a note: one word */
	AUDIT_TEXT_NOTE,
};
#define AUDIT_TEXTS (AUDIT_TEXT_NOTE + 1)

struct audit_address {
	uint8_t bytes[16]; /* network order */
	uint8_t len;       /* 4 or 16; 0: not known */
};

struct audit_entry {
	enum audit_kind kind;
	enum audit_verdict verdict;
	int64_t wall_ns;               /* since 1970 */
	struct audit_address src, dst; /* the connection as the kernel has it */
	uint16_t sport, dport;         /* host order */
	uint16_t service_port;         /* that of the service behind; 0: not known */
	uint32_t identity;             /* of the caller; 0: none */
	uint64_t cookie;               /* of the socket; 0: not known */
	uint64_t count;                /* of LOST */
	uint8_t protocol;              /* IPPROTO_UDP; else TCP */
	bool egress;                   /* from HAProxy to the service; else from the client */
	bool https;
	struct span text[AUDIT_TEXTS];
};

#endif
