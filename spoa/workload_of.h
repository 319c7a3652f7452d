/*
 * Which workload is at the other end of the client's connection? Known by the
 * address alone, so only where the kernel vouches for that: by the connection
 * itself, never by a header; told by a HAProxy that we know; and within the
 * ranges that the operator gave to workloads.
 */
#ifndef SPOA_WORKLOAD_OF_H
#define SPOA_WORKLOAD_OF_H

#include "base/reason.h"
#include "base/span.h"
#include "conf/conf.h"
#include "spoa/decision.h"

#include <stdbool.h>
#include <stdint.h>

enum spoa_where {
	SPOA_WHERE_NOT_LOOKED,
	SPOA_WHERE_OUTSIDE,     /* of ranges; or the address is not the caller's own, or unknown */
	SPOA_WHERE_NOWHERE,     /* nothing has the address */
	SPOA_WHERE_WORLD,       /* a reserved identity, or one of local scope: no workload */
	SPOA_WHERE_NAMELESS,    /* an identity whose labels nobody knows */
	SPOA_WHERE_UNAVAILABLE, /* the ipcache is not to be had */
	SPOA_WHERE_KNOWN,
};
#define SPOA_WHERES (SPOA_WHERE_KNOWN + 1)

/* "outside", "nowhere", ...: for logs and answers. */
const char *spoa_where_name(enum spoa_where where);

struct spoa_workload {
	enum spoa_where where;
	uint32_t number;    /* in Cilium's ipcache; 0: the operator's own entry */
	struct span labels; /* KNOWN: canonical; lives as long as the snapshot */
	const char *pod;    /* NULL: not known */
};

struct spoa_case;
struct spoa_config;
struct spoa_request;
struct spoa_snapshot;

/* The same without a case: for explanations. At most one system call, without memory. */
struct spoa_workload spoa_workload_find(
	const struct spoa_snapshot *snapshot, const struct spoa_request *request);

/* Looked up once for each decision, and only when somebody asks. */
const struct spoa_workload *spoa_workload_of(struct spoa_case *c);

/* spoa/workload.c: is a token (its SPOA_TEXT_WORKLOAD) used there by its own workload? */
enum spoa_bound spoa_workload_compare(struct span token, const struct spoa_workload *workload);

/* ... and what the configuration makes of that: OK, WORKLOAD_MISMATCH or WORKLOAD_UNKNOWN. */
enum base_reason spoa_workload_judge(const struct conf *conf, enum spoa_bound bound);

/* The value of "source:key" in canonical labels; NULL text when it is not there. */
struct span spoa_workload_label(struct span labels, const char *name);

#endif
