/*
 * The net thread: HTTP(S) requests in, answers out, so that no request loop
 * ever waits for TLS, DNS or a slow provider. It trusts nobody: no redirects,
 * no environment proxies, size and time ceilings, TLS 1.2 or later with the
 * peer checked.
 */
#ifndef NET_NET_H
#define NET_NET_H

#include "base/mem.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>

struct net;

struct net_request {
	const char *url;     /* copied */
	const char *ca_file; /* copied; NULL: the system's */
	bool allow_http;     /* else https only */
	size_t max_bytes;    /* body ceiling */
	long timeout_ms;     /* for the whole exchange */
	void *owner;         /* handed back with the answer */
};

struct net_answer {
	void *owner;
	int error;   /* 0, or -errno: -ETIMEDOUT, -EMSGSIZE, -ECONNREFUSED, -EIO, ... */
	long status; /* HTTP status when error is 0 */
	char *body;  /* owned; NUL-terminated behind body_len bytes */
	size_t body_len;
	char why[160];           /* a sentence when error is not 0 */
	struct net_answer *next; /* for the queue */
};

/*
 * Starts the thread. wake is called from the net thread whenever an answer
 * was queued; it must be safe there and must not block. 0 or -errno.
 */
int net_new(void (*wake)(void *arg), void *arg, struct net **ret_net) must_check;

/* Queues a request from any thread. 0, -ENOMEM, or -EINVAL (URL scheme not allowed). */
int net_submit(struct net *net, const struct net_request *request) must_check;

/* The next answer, or NULL. The caller ends it with net_answer_free. */
struct net_answer *net_take(struct net *net);
void net_answer_free(struct net_answer *answer);

/* Stops the thread; requests under way are dropped without an answer. NULL is fine. */
void net_free(struct net *net);

/*
 * One blocking GET over a unix socket, for identityctl. 0 and *ret_answer, or
 * -errno with a sentence in why.
 */
int net_unix_get(const char *socket_path, const char *path, struct net_answer **ret_answer,
	char why[160]) must_check;

DEFINE_CLEANUP(net_answer, struct net_answer *, net_answer_free)

#endif
