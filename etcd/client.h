/*
 * Calls to etcd: one at a time to one of several endpoints, each with an end
 * that comes for sure. On one thread; nothing here waits.
 *
 * An answer that is lost says nothing about what happened: a write may have
 * been made. Whoever makes one must be able to make it again.
 */
#ifndef ETCD_CLIENT_H
#define ETCD_CLIENT_H

#include "etcd/reply.h"
#include "net/net.h"

/* Calls under way at once, streams included. */
#define ETCD_CALLS_MAX 96

struct etcd_client;
struct etcd_call;

/* How requests get out: the net thread, or a test's double. As net_submit and net_cancel. */
struct etcd_port {
	int (*submit)(void *arg, const struct net_request *request);
	void (*cancel)(void *arg, void *owner);
	void *arg;
};

/* Texts are borrowed for as long as the client lives. */
struct etcd_options {
	const char *const *endpoints; /* "https://host:2379" */
	size_t n_endpoints;
	const char *ca_file; /* NULL: the system's */
	const char *cert_file, *key_file;
	const char *user, *password; /* NULL: none */
	bool allow_http;
	long timeout_ms; /* of a call; of a stream until its first line */
};

/*
 * How a call goes on or ended. With error 0 there is a reply, which lives as
 * long as the call of this function; else there is none, and why says it:
 *   what net_answer has (-EIO for what would mean something of etcd's), -EPROTO,
 *   what etcd_reply_error has.
 * A stream says so for each of its lines, and ends with an error: -EPIPE when
 * etcd closed it. The call is gone when this is called, but for lines.
 */
typedef void etcd_done_fn(void *arg, int error, const struct etcd_reply *reply, const char *why);

/* NULL without memory. */
struct etcd_client *etcd_client_new(
	const struct etcd_options *options, const struct etcd_port *port) must_check;
/*
 * Drops all calls without a word; answers that come later are not for it, and
 * the port has to have cancelled them before another client is made. NULL is fine.
 */
void etcd_client_free(struct etcd_client *client);

/*
 * Takes over request (NULL: no memory). 0 and, if wanted, the call; -ENOMEM;
 * -EAGAIN when there are ETCD_CALLS_MAX; -EINVAL for an endpoint that is none.
 */
int etcd_client_call(struct etcd_client *client, enum etcd_kind kind, json_t *request,
	etcd_done_fn *done, void *arg, struct etcd_call **ret_call) must_check;

/* Nobody wants to know any more: done is not called. NULL is fine. */
void etcd_client_drop(struct etcd_client *client, struct etcd_call *call);

/* An answer of the port; false: it is not the client's. Does not free it. */
bool etcd_client_answer(struct etcd_client *client, const struct net_answer *answer);

/* Streams whose first line is late end then. To be called now and then. */
void etcd_client_tick(struct etcd_client *client, uint64_t now_ns);

/* Is it an answer to a call of this kind? */
bool etcd_client_asked(
	const struct etcd_client *client, const struct net_answer *answer, enum etcd_kind kind);

/* A stream was refused within a 200: it counts as a failure, and the next call logs in anew. */
void etcd_client_relogin(struct etcd_client *client, const char *why);

/* The present endpoint is of no use: the next one is next. */
void etcd_client_elsewhere(struct etcd_client *client);

struct etcd_client_stats {
	const char *endpoint; /* in use */
	uint64_t calls, failures, malformed;
	size_t under_way;
	size_t revoking; /* of them, leases that are being given back */
	const char *why; /* of the last failure; empty: none since the last success */
};
struct etcd_client_stats etcd_client_stats(const struct etcd_client *client);

DEFINE_CLEANUP(etcd_client, struct etcd_client *, etcd_client_free)

#endif
