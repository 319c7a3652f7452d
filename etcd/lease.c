#include "etcd/lease.h"

#include "base/clock.h"

#include <errno.h>

/* How often it is kept alive: a third of its time, but it is also how we notice that etcd is away. */
#define EVERY_MAX_NS ((uint64_t)(5 * NS_PER_S))
/* After a failure: this, and twice as long each time, up to EVERY_MAX_NS. */
#define RETRY_NS ((uint64_t)(100 * NS_PER_MS))

struct etcd_lease {
	struct etcd_client *client;
	struct etcd_lease_owner owner;
	int64_t ttl_s;
	int64_t id;             /* 0: none */
	struct etcd_call *call; /* under way; NULL: none */
	uint64_t sent_ns;       /* that call */
	uint64_t until_ns;      /* it lives for sure */
	uint64_t next_ns;       /* when to ask again */
	uint64_t retry_ns;      /* how long to wait after the next failure */
	uint64_t now_ns;        /* of the last tick */
	bool over;              /* given back */
};

struct etcd_lease *etcd_lease_new(
	struct etcd_client *client, int64_t ttl_s, const struct etcd_lease_owner *owner)
{
	struct etcd_lease *lease = calloc(1, sizeof(*lease));

	if (!lease)
		return NULL;
	lease->client = client;
	lease->ttl_s = ttl_s;
	lease->owner = *owner;
	lease->retry_ns = RETRY_NS;
	return lease;
}

void etcd_lease_free(struct etcd_lease *lease)
{
	if (lease)
		etcd_client_drop(lease->client, lease->call);
	free(lease);
}

int64_t etcd_lease_id(const struct etcd_lease *lease)
{
	return lease->id;
}

static void end(struct etcd_lease *lease)
{
	lease->id = 0;
	lease->until_ns = 0;
	lease->next_ns = 0;
	lease->owner.ended(lease->owner.arg);
}

static void retry_later(struct etcd_lease *lease)
{
	lease->next_ns = lease->now_ns + lease->retry_ns;
	lease->retry_ns *= 2;
	if (lease->retry_ns > EVERY_MAX_NS)
		lease->retry_ns = EVERY_MAX_NS;
}

/* It lives on from when we asked, not from when the answer came. */
static void keep(struct etcd_lease *lease, int64_t ttl_s)
{
	uint64_t every = (uint64_t)ttl_s * (uint64_t)NS_PER_S / 3;

	lease->until_ns = lease->sent_ns + (uint64_t)ttl_s * (uint64_t)NS_PER_S;
	lease->next_ns = lease->sent_ns + (every < EVERY_MAX_NS ? every : EVERY_MAX_NS);
	lease->retry_ns = RETRY_NS;
}

static void on_granted(void *arg, int error, const struct etcd_reply *reply, const char *why)
{
	struct etcd_lease *lease = arg;

	(void)why;
	lease->call = NULL;
	if (error || !reply->ttl) {
		retry_later(lease);
		return;
	}
	lease->id = reply->lease;
	keep(lease, reply->ttl);
	lease->owner.granted(lease->owner.arg);
}

static void on_kept(void *arg, int error, const struct etcd_reply *reply, const char *why)
{
	struct etcd_lease *lease = arg;

	(void)why;
	lease->call = NULL;
	if (!error && reply->ttl && reply->lease == lease->id)
		keep(lease, reply->ttl);
	else if (!error || error == -ENOENT)
		end(lease);
	else
		retry_later(lease);
}

static void ask(struct etcd_lease *lease)
{
	enum etcd_kind kind = lease->id ? ETCD_KEEPALIVE : ETCD_GRANT;
	json_t *request =
		lease->id ? etcd_request_lease(lease->id) : etcd_request_grant(lease->ttl_s);

	lease->sent_ns = lease->now_ns;
	if (etcd_client_call(lease->client, kind, request, lease->id ? on_kept : on_granted, lease,
		    &lease->call))
		retry_later(lease);
}

uint64_t etcd_lease_tick(struct etcd_lease *lease, uint64_t now_ns)
{
	lease->now_ns = now_ns;
	if (lease->over)
		return UINT64_MAX;
	if (lease->id && now_ns >= lease->until_ns) {
		etcd_client_drop(lease->client, TAKE_PTR(lease->call));
		end(lease);
	}
	if (!lease->call && now_ns >= lease->next_ns)
		ask(lease);
	if (lease->call)
		return lease->id ? lease->until_ns : UINT64_MAX;
	return lease->id && lease->until_ns < lease->next_ns ? lease->until_ns : lease->next_ns;
}

void etcd_lease_doubt(struct etcd_lease *lease)
{
	if (lease->id && !lease->call)
		lease->next_ns = 0;
}

static void on_revoked(void *arg, int error, const struct etcd_reply *reply, const char *why)
{
	(void)arg;
	(void)error;
	(void)reply;
	(void)why;
}

void etcd_lease_revoke(struct etcd_lease *lease)
{
	etcd_client_drop(lease->client, TAKE_PTR(lease->call));
	lease->over = true;
	if (lease->id)
		(void)!etcd_client_call(lease->client, ETCD_REVOKE, etcd_request_lease(lease->id),
			on_revoked, NULL, NULL);
	lease->id = 0;
}
