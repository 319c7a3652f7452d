/*
 * What stands below a prefix, and every change of it from then on: a list in
 * pages, all of one revision, and a watch from the next revision on. A watch
 * that breaks is taken up where it was; when etcd has forgotten what came
 * since (compaction), or has been set back to what it was before (a restored
 * snapshot), the list is made anew.
 */
#ifndef ETCD_WATCH_H
#define ETCD_WATCH_H

#include "etcd/client.h"

struct etcd_watch;

struct etcd_watch_owner {
	/* A list begins: what it does not name until listed is gone. */
	void (*list)(void *arg);
	void (*put)(void *arg, const struct etcd_kv *kv);
	/* Only its key and revisions are set. */
	void (*gone)(void *arg, const struct etcd_kv *kv);
	void (*listed)(void *arg);
	/* Everything up to this revision has been told, as far as etcd has sent it. */
	void (*reached)(void *arg, int64_t revision);
	/* put and gone of one answer come between these two; NULL: it does not matter. */
	void (*batch)(void *arg, bool begins);
	void *arg;
};

/* list must begin with prefix: what is listed may be less than what is watched. Both are copied. */
struct etcd_watch *etcd_watch_new(struct etcd_client *client, const char *prefix, const char *list,
	const struct etcd_watch_owner *owner) must_check;
void etcd_watch_free(struct etcd_watch *watch);

/* Does what is due; when to call again (CLOCK_MONOTONIC, ns). */
uint64_t etcd_watch_tick(struct etcd_watch *watch, uint64_t now_ns);

/* Is the list complete, and the watch under way? */
bool etcd_watch_is_up(const struct etcd_watch *watch);
/* Was there ever a complete list? */
bool etcd_watch_has_listed(const struct etcd_watch *watch);

/* It seems to be stuck: begin it anew from where it was. A list that is under way goes on. */
void etcd_watch_again(struct etcd_watch *watch);

DEFINE_CLEANUP(etcd_watch, struct etcd_watch *, etcd_watch_free)

#endif
