/*
 * Short texts that agents share until they expire: revocations. Each has a
 * name, a key PREFIX/NAME, under a lease that ends a while after the text does,
 * so that etcd forgets it without anybody's help. All agents watch the prefix.
 *
 * A text is never deleted: one that goes early is put again, saying so. So a
 * key that is missing, for whatever reason, takes nothing back.
 */
#ifndef ETCD_NOTES_H
#define ETCD_NOTES_H

#include "etcd/client.h"

#define ETCD_NOTE_NAME  64   /* bytes of a name */
#define ETCD_NOTE_VALUE 8192 /* of a text */
#define ETCD_NOTES_WAITING                                                                         \
	4096 /* that are not in etcd yet; beyond, everything is offered again later */

struct etcd_notes;

struct etcd_notes_owner {
	/* etcd has this text under this name; borrowed. */
	void (*note)(void *arg, struct span name, struct span text);
	/* What is told between these two came at once. */
	void (*batch)(void *arg, bool begins);
	/* Everything there is has been told: etcd_notes_put what it lacks. */
	void (*offer)(void *arg);
	/*
	 * Two texts of one name: writes the one that says what both do. 1: into
	 * merged (its length to *n); 0: the first, which etcd has, says it already.
	 */
	int (*merge)(void *arg, struct span first, struct span second, char merged[ETCD_NOTE_VALUE],
		size_t *n);
	void *arg;
};

/* prefix ends with a slash; copied. NULL without memory. */
struct etcd_notes *etcd_notes_new(struct etcd_client *client, const char *prefix,
	const struct etcd_notes_owner *owner) must_check;
void etcd_notes_free(struct etcd_notes *notes);

/*
 * To be in etcd until expires_s (seconds since 1970), as soon as it can be; both
 * texts are copied. Without memory, or with too many waiting, it is asked for
 * again by offer. Names of more than ETCD_NOTE_NAME bytes are our bug.
 */
void etcd_notes_put(
	struct etcd_notes *notes, const char *name, struct span text, int64_t expires_s);

/* Does what is due; when to call again (CLOCK_MONOTONIC, ns). */
uint64_t etcd_notes_tick(struct etcd_notes *notes, uint64_t now_ns, int64_t wall_s);

struct etcd_notes_stats {
	bool up; /* listed, and watched */
	size_t waiting;
	uint64_t put, told, malformed;
};
struct etcd_notes_stats etcd_notes_stats(const struct etcd_notes *notes);
/* A text that etcd has and that says nothing: counted. */
void etcd_notes_malformed(struct etcd_notes *notes);

DEFINE_CLEANUP(etcd_notes, struct etcd_notes *, etcd_notes_free)

#endif
