#include "etcd/watch.h"

#include "base/clock.h"

#include <errno.h>
#include <string.h>

#define PAGE 1000 /* keys; a page of the longest labels is 6 MiB */
/* After a failure: this, and twice as long each time, up to the other. */
#define RETRY_NS     ((uint64_t)(50 * NS_PER_MS))
#define RETRY_MAX_NS ((uint64_t)(5 * NS_PER_S))

enum state {
	IDLE, /* to begin at next_ns: with a list, or, from revision on, a watch */
	LISTING,
	OPENING,  /* the watch was asked for */
	WATCHING, /* and etcd has said that it is there */
};

struct etcd_watch {
	struct etcd_client *client;
	struct etcd_watch_owner owner;
	char *prefix, *list;
	enum state state;
	bool has_listed;
	struct etcd_call *call;
	int64_t list_revision; /* of the list under way; 0: its first page */
	char *from;            /* the next page's first key */
	size_t n_from;
	int64_t revision; /* everything up to it is known; 0: a list is needed */
	uint64_t now_ns, next_ns, retry_ns;
};

struct etcd_watch *etcd_watch_new(struct etcd_client *client, const char *prefix, const char *list,
	const struct etcd_watch_owner *owner)
{
	cleanup(etcd_watch) struct etcd_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	watch->client = client;
	watch->owner = *owner;
	watch->retry_ns = RETRY_NS;
	watch->prefix = strdup(prefix);
	watch->list = strdup(list);
	return watch->prefix && watch->list ? TAKE_PTR(watch) : NULL;
}

void etcd_watch_free(struct etcd_watch *watch)
{
	if (!watch)
		return;
	etcd_client_drop(watch->client, watch->call);
	free(watch->prefix);
	free(watch->list);
	free(watch->from);
	free(watch);
}

bool etcd_watch_is_up(const struct etcd_watch *watch)
{
	return watch->state == WATCHING;
}

bool etcd_watch_has_listed(const struct etcd_watch *watch)
{
	return watch->has_listed;
}

static void retry_later(struct etcd_watch *watch)
{
	watch->state = IDLE;
	watch->next_ns = watch->now_ns + watch->retry_ns;
	watch->retry_ns *= 2;
	if (watch->retry_ns > RETRY_MAX_NS)
		watch->retry_ns = RETRY_MAX_NS;
}

static void tell(struct etcd_watch *watch, const struct etcd_reply *reply)
{
	if (watch->owner.batch)
		watch->owner.batch(watch->owner.arg, true);
	for (size_t i = 0; i < reply->n_kvs; i++) {
		const struct etcd_kv *kv = &reply->kvs[i];

		(kv->deleted ? watch->owner.gone : watch->owner.put)(watch->owner.arg, kv);
	}
	if (watch->owner.batch)
		watch->owner.batch(watch->owner.arg, false);
}

static void on_event(void *arg, int error, const struct etcd_reply *reply, const char *why)
{
	struct etcd_watch *watch = arg;

	(void)why;
	if (error || reply->canceled) {
		if (!error) /* the line is the last one; the call goes on */
			etcd_client_drop(watch->client, watch->call);
		watch->call = NULL;
		if (error == -ERANGE || (!error && reply->compacted))
			watch->revision = 0;
		else if (!error) /* refused: etcd says so with a 200 */
			etcd_client_relogin(watch->client, "etcd canceled the watch");
		retry_later(watch);
		return;
	}
	/* It was set back: from our revision on it would say nothing for a long time. */
	if (!reply->n_kvs && reply->revision < watch->revision) {
		etcd_client_drop(watch->client, TAKE_PTR(watch->call));
		watch->revision = 0;
		retry_later(watch);
		return;
	}
	watch->state = WATCHING;
	watch->retry_ns = RETRY_NS;
	tell(watch, reply);
	/*
	 * The answer to the creation has the store's revision, and events up to it
	 * may still come. Of a fragment, more of its last revision.
	 */
	if (!reply->n_kvs || reply->fragment)
		return;
	if (reply->kvs[reply->n_kvs - 1].modified > watch->revision)
		watch->revision = reply->kvs[reply->n_kvs - 1].modified;
	watch->owner.reached(watch->owner.arg, watch->revision);
}

static void begin_watch(struct etcd_watch *watch)
{
	json_t *request = etcd_request_watch(
		(struct span){.p = watch->prefix, .n = strlen(watch->prefix)}, watch->revision + 1);

	watch->state = OPENING;
	if (etcd_client_call(watch->client, ETCD_WATCH, request, on_event, watch, &watch->call))
		retry_later(watch);
}

static void ask_page(struct etcd_watch *watch);

/* The key behind the last one of a page. */
static int next_from(struct etcd_watch *watch, struct span last)
{
	char *from = realloc(watch->from, last.n + 1);

	if (!from)
		return -ENOMEM;
	memcpy(from, last.p, last.n);
	from[last.n] = '\0';
	watch->from = from;
	watch->n_from = last.n + 1;
	return 0;
}

static void on_page(void *arg, int error, const struct etcd_reply *reply, const char *why)
{
	struct etcd_watch *watch = arg;

	(void)why;
	watch->call = NULL;
	if (error || (reply->more && !reply->n_kvs) || reply->revision < watch->list_revision) {
		retry_later(watch);
		return;
	}
	if (!watch->list_revision) {
		watch->list_revision = reply->revision;
		watch->owner.list(watch->owner.arg);
	}
	tell(watch, reply);
	if (reply->more) {
		if (next_from(watch, reply->kvs[reply->n_kvs - 1].key))
			retry_later(watch);
		else
			ask_page(watch);
		return;
	}
	watch->revision = watch->list_revision;
	watch->has_listed = true;
	watch->owner.listed(watch->owner.arg);
	watch->owner.reached(watch->owner.arg, watch->revision);
	begin_watch(watch);
}

static void ask_page(struct etcd_watch *watch)
{
	const struct etcd_range range = {
		.key = {.p = watch->list, .n = strlen(watch->list)},
		.prefix = true,
		.from = {.p = watch->from, .n = watch->n_from},
		.limit = PAGE,
		.revision = watch->list_revision,
	};

	watch->state = LISTING;
	if (etcd_client_call(watch->client, ETCD_RANGE, etcd_request_range(&range), on_page, watch,
		    &watch->call))
		retry_later(watch);
}

uint64_t etcd_watch_tick(struct etcd_watch *watch, uint64_t now_ns)
{
	watch->now_ns = now_ns;
	if (watch->state != IDLE)
		return UINT64_MAX;
	if (now_ns < watch->next_ns)
		return watch->next_ns;
	if (watch->revision) {
		begin_watch(watch);
	} else {
		watch->list_revision = 0;
		watch->n_from = 0;
		ask_page(watch);
	}
	return watch->state == IDLE ? watch->next_ns : UINT64_MAX;
}

void etcd_watch_again(struct etcd_watch *watch)
{
	if (watch->state == LISTING)
		return;
	etcd_client_drop(watch->client, TAKE_PTR(watch->call));
	watch->state = IDLE;
	watch->next_ns = 0;
}
