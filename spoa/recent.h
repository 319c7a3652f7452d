/*
 * The decisions of the last moments, for `identityctl tail` and the admin
 * interface: as lines of the audit log's form, numbered from 1. Refused and
 * failed requests always; allowed ones only while somebody watches, since they
 * are many. Bounded; what found no room is counted.
 */
#ifndef SPOA_RECENT_H
#define SPOA_RECENT_H

#include "audit/flow.h"
#include "base/mem.h"

#include <ev.h>
#include <stdbool.h>
#include <stdio.h>

struct spoa_recent;

/* writers: threads that put. style is borrowed. NULL without memory. */
struct spoa_recent *spoa_recent_new(
	struct ev_loop *loop, unsigned n_writers, const struct audit_style *style) must_check;
void spoa_recent_free(struct spoa_recent *recent);

/* Does somebody watch? From any thread. */
bool spoa_recent_is_watched(const struct spoa_recent *recent);
/* From writer number ring only. Never waits, fails or allocates. */
void spoa_recent_put(struct spoa_recent *recent, unsigned ring, const struct audit_entry *entry);

/*
 * Main thread: {"next": N, "lost": N, "decisions": [...]} with the newest, at
 * most limit, of those after number `after`; the next question's `after` is N.
 * Whoever asks watches for the next 10 seconds.
 */
void spoa_recent_write(struct spoa_recent *recent, uint64_t after, size_t limit, FILE *to);

#endif
