/*
 * The audit log: workers hand entries over without waiting, one thread makes
 * lines of them and writes. What finds no room, because the disk is slow, full
 * or gone, is counted and said in a line of its own; no request ever waits.
 */
#ifndef AUDIT_AUDIT_H
#define AUDIT_AUDIT_H

#include "audit/flow.h"
#include "audit/ring.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct audit;

struct audit_options {
	const char *path;   /* NULL: standard output */
	uint64_t max_bytes; /* of a file before it is rotated; 0: never */
	unsigned keep;      /* how many rotated files */
	size_t ring_bytes;  /* for each writer; see audit_ring_new */
	unsigned n_rings;   /* writers */
	struct audit_style style;
	/*
	 * Called from the audit thread when writing begins to fail, or only
	 * renaming a full file does while its lines go on (errno), or works again (0).
	 */
	void (*state_changed)(void *arg, int error, bool only_rotation);
	void *arg;
};

struct audit_stats {
	uint64_t written; /* lines */
	uint64_t lost;    /* entries that are in no line */
	int error;        /* why nothing can be written now; 0: lines are written */
	int rotation;     /* why a full file grows on instead of being renamed; 0: it does not */
};

/* Starts the thread. Texts of options are borrowed. 0 or -errno. */
int audit_new(const struct audit_options *options, struct audit **ret) must_check;

/* Writes what is there, as far as the disk takes it at once, and ends. NULL is fine. */
void audit_free(struct audit *audit);

/* From writer `ring` only (0 to n_rings - 1). Never waits, fails or allocates. */
void audit_put(struct audit *audit, unsigned ring, const struct audit_entry *entry);

/* The file may have been moved by logrotate: open its path again. From any thread. */
void audit_reopen(struct audit *audit);

/* From any thread. */
struct audit_stats audit_stats(const struct audit *audit);

#endif
