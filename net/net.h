/*
 * The net thread: HTTP(S) requests in, answers out, so that no request loop
 * ever waits for TLS, DNS or a slow provider. It trusts nobody: no redirects,
 * no environment proxies, size and time ceilings, TLS 1.2 or later with the
 * peer checked, and no connection to an address that nobody allowed.
 */
#ifndef NET_NET_H
#define NET_NET_H

#include "base/mem.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Requests between submit and take; so at most this many bodies are held. */
#define NET_REQUESTS_MAX 512

/*
 * Lines that wait to be taken, by number and by bytes. Beyond either, servers
 * are not read from until some are gone; what was read already (16 KiB at most
 * for each stream, and a line of it) comes on top.
 */
#define NET_LINES_MAX       128
#define NET_LINES_BYTES_MAX ((size_t)16 * 1024 * 1024)

/*
 * Exchanges at the same time; the others wait, their time running. One for the
 * keys of each provider (64), as many for introspection, and etcd's: a slow
 * provider delays no other, and introspection never delays keys.
 */
#define NET_ACTIVE_MAX 192

#define NET_ETAG_MAX 127 /* longer ones are not kept: RFC 9110 8.8.3 sets no limit */

struct net;

/* All text is copied. The host of url is one that the operator chose: see net/vet.h. */
struct net_request {
	const char *url;
	const char *ca_file;   /* trusted instead of the system's CAs; NULL: the system's */
	const char *cert_file; /* client certificate and its key, PEM (RFC 8705 2); NULL: none */
	const char *key_file;
	const char *proxy;           /* http://host:port; NULL: none */
	const char *const *networks; /* ranges that are no public addresses and yet allowed */
	size_t n_networks;
	bool allow_http;            /* else https only, and http to this machine itself */
	const char *const *headers; /* "Name: value"; for the server alone, not the proxy */
	size_t n_headers;
	const char *post; /* the body of a POST; NULL: a GET */
	size_t max_bytes; /* body ceiling; with lines: of each of them */
	long timeout_ms;  /* above 0; from submit to the last byte, waiting for a slot included */
	/*
	 * The body goes on and on: each of its lines comes as an answer of its own
	 * with more set, empty ones left out, as long as the status is 200; then the
	 * answer without more ends it. The time is only for what comes before the
	 * connection is there; who wants to wait no longer says net_cancel.
	 */
	bool lines;
	void *owner; /* handed back with the answer */
};

struct net_answer {
	void *owner;
	bool more;   /* one line of a body, see net_request; others follow */
	int error;   /* 0, or -errno: -ETIMEDOUT, -EMSGSIZE, -ECONNREFUSED, -EACCES, -EIO, ... */
	long status; /* HTTP status when error is 0; a redirect is just its 3xx */
	char *body;  /* owned; NUL-terminated behind body_len bytes; NULL when error is not 0 */
	size_t body_len;
	int64_t max_age_s;           /* how long it may be kept (RFC 9111 5.2.2); -1: not said */
	int64_t age_s;               /* how old it was when it was sent (RFC 9111 5.1) */
	char etag[NET_ETAG_MAX + 1]; /* with its quotes; empty when there is none */
	char why[160];               /* a sentence in printable ASCII when error is not 0 */
	struct net_answer *next;     /* for the queue */
};

/*
 * Starts the thread. wake is called from the net thread whenever an answer
 * was queued; it must be safe there and must not block. 0 or -errno.
 */
int net_new(void (*wake)(void *arg), void *arg, struct net **ret_net) must_check;

/*
 * Queues a request from any thread. Every request that was accepted gets
 * exactly one answer, unless net_free comes first.
 *   0
 *   -EINVAL  not a URL, its scheme is not allowed, it carries a user name, no timeout, a
 *            header with a line break, a network that is none
 *   -EAGAIN  NET_REQUESTS_MAX requests were submitted and their answers not taken yet
 *   -ENOMEM
 */
int net_submit(struct net *net, const struct net_request *request) must_check;

/*
 * Soon ends whatever this owner has submitted: its answer is -ECANCELED, or what
 * came first. There must be something of its own that is not answered yet.
 */
void net_cancel(struct net *net, void *owner);

/* The next answer, or NULL; from any thread. The caller ends it with net_answer_free. */
struct net_answer *net_take(struct net *net);
void net_answer_free(struct net_answer *answer);

/*
 * Stops the thread; requests under way are dropped without an answer, and wake
 * is not called any more. Never waits for a server or a name server. NULL is fine.
 */
void net_free(struct net *net);

/*
 * One blocking GET over a unix socket, for identityctl: at most 5 seconds and
 * 4 MiB. 0 and *ret_answer (the caller's, error 0, any HTTP status), or -errno
 * with a sentence in why; -EINVAL when path does not begin with a slash.
 */
int net_unix_get(const char *socket_path, const char *path, struct net_answer **ret_answer,
	char why[160]) must_check;

/* The same for a POST of JSON, which is borrowed. */
int net_unix_post(const char *socket_path, const char *path, struct span json,
	struct net_answer **ret_answer, char why[160]) must_check;

DEFINE_CLEANUP(net_answer, struct net_answer *, net_answer_free)

#endif
