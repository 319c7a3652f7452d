/*
 * Who asks: the processes at the other end of the unix sockets, and whether
 * they could set the marks that they are given. HAProxy only warns at its
 * start, or says nothing, when it cannot, and sends packets without a mark
 * (setsockopt(SO_MARK) is not checked). So its capabilities are looked up in
 * /proc when it connects (proc(5): CapEff; socket(7), SO_MARK).
 *
 * Main thread only.
 */
#ifndef SPOA_HAPROXY_H
#define SPOA_HAPROXY_H

#include "base/clock.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SPOA_HAPROXIES 16 /* more processes at once push out the one that came longest ago */

enum spoa_can_mark {
	SPOA_CAN_MARK_UNKNOWN, /* another PID namespace, a hidden /proc, or gone already */
	SPOA_CAN_MARK_NO,
	SPOA_CAN_MARK_YES,
};

struct spoa_haproxy {
	pid_t pid; /* 0: an empty place */
	uid_t uid;
	enum spoa_can_mark can_mark;
	uint64_t looked_at; /* CLOCK_MONOTONIC, ns */
	bool said;          /* that it cannot */
};

struct spoa_haproxies {
	struct spoa_haproxy list[SPOA_HAPROXIES];
};

/* What the text of /proc/PID/status says. with_raw: CAP_NET_RAW is enough (Linux 5.17). */
enum spoa_can_mark spoa_haproxy_read(struct span status, bool with_raw);

/*
 * A process has connected. Its entry, looked up anew when that was not done
 * in the last five seconds; NULL for pid 0 or less: another PID namespace.
 */
struct spoa_haproxy *spoa_haproxies_meet(
	struct spoa_haproxies *all, pid_t pid, uid_t uid, const struct base_now *now);

/* Looks at all of them again; those that are gone are forgotten. */
void spoa_haproxies_look(struct spoa_haproxies *all, const struct base_now *now);

/* How many cannot. */
size_t spoa_haproxies_unable(const struct spoa_haproxies *all);

#endif
