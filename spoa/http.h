/*
 * A small HTTP server (libmicrohttpd, driven by the main thread's loop): the
 * admin interface on its unix socket, the public one for strangers. What it
 * serves is a table of routes; everything else is 404.
 *
 * Nothing that a peer does costs more than the limits say: connections, bytes
 * of a request, idle time, and the whole life of a connection, so that a
 * request of one byte a second ends, too.
 */
#ifndef SPOA_HTTP_H
#define SPOA_HTTP_H

#include "base/mem.h"
#include "base/span.h"

#include <ev.h>

struct MHD_Connection;
struct spoa_http;
struct spoa_http_guard;

struct spoa_http_request {
	const char *content_type;          /* as it was sent; "" when it was not */
	struct span body;                  /* of a POST; at most the route's max_body */
	struct MHD_Connection *connection; /* for spoa_http_query; NULL in some tests */
};

/* A parameter of the URL's query, as long as the request; NULL: it is not there. */
const char *spoa_http_query(const struct spoa_http_request *request, const char *name);

/* Filled by the handler; status is 200, and the type the route's, until it says otherwise. */
struct spoa_http_answer {
	unsigned status;
	const char *content_type;
	const char *cache_control; /* "no-store" until the handler says otherwise */
	char *body;                /* malloc, taken over; NULL: 500, whatever the status says */
};

typedef void spoa_http_handler(
	void *arg, const struct spoa_http_request *request, struct spoa_http_answer *answer);

struct spoa_http_route {
	const char *method; /* "GET", which answers HEAD too, or "POST" */
	const char *path;
	const char *content_type;
	spoa_http_handler *handle;
	size_t max_body; /* of a POST */
	bool reading;    /* also for whom the guard lets only read */
};

struct spoa_http_options {
	const struct spoa_http_route *routes;
	size_t n_routes;
	void *arg; /* the handlers' */
	unsigned connections;
	unsigned idle_s; /* without a byte */
	unsigned life_s; /* from accept to the last byte; 0: no limit */
	/* PEM texts, borrowed until spoa_http_free; NULL: no TLS. */
	const char *tls_cert;
	const char *tls_key;
	const char *client_ca;               /* clients are asked for a certificate of it */
	const struct spoa_http_guard *guard; /* who may ask, borrowed; NULL: everybody */
};

/* Bytes of memory for the head of one connection's request. */
#define SPOA_HTTP_HEAD_BYTES (32 * 1024)

/*
 * Serves on a listening socket, which it takes over, also when it fails.
 * options is copied; what it points to must outlive the server. 0 or -errno;
 * -EKEYREJECTED when certificate and key cannot be used.
 */
int spoa_http_new(struct ev_loop *loop, int fd, const struct spoa_http_options *options,
	struct spoa_http **ret) must_check;
/* Accepts nobody any more, and leaves the socket to whoever else has it. NULL is fine. */
void spoa_http_quiet(struct spoa_http *http);
/* Closes every connection. NULL is fine. */
void spoa_http_free(struct spoa_http *http);

#endif
