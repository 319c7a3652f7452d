/*
 * One exchange: a request on its way to becoming an answer. Everything that
 * may go wrong with one server is here; queues are queue.c's, the thread net.c's.
 */
#ifndef NET_TRANSFER_H
#define NET_TRANSFER_H

#include "base/mem.h"
#include "net/net.h"
#include "net/vet.h"

#include <curl/curl.h>
#include <stdint.h>

/* All header lines of one answer together; an endless header is refused here. */
#define NET_HEADER_MAX (64 * 1024)

struct net_transfer {
	struct net_transfer *next; /* for the queue that holds it */
	struct net_answer *answer; /* owned; made at submit, so that it can always be given */
	CURL *easy;                /* owned; NULL until started */
	char *url;                 /* owned, like the other texts */
	char *ca_file;             /* these may be NULL */
	char *cert_file;
	char *key_file;
	char *proxy;
	char *post;
	struct curl_slist *headers;
	struct net_vet vet;
	bool http;            /* the URL's scheme, and it is allowed */
	uint64_t deadline_ns; /* CLOCK_MONOTONIC */
	size_t max_bytes;
	size_t body_room;    /* allocated behind answer->body, NUL included */
	size_t header_bytes; /* seen so far */
	bool lines;          /* see net_request */
	bool cancelled;
	bool paused; /* too many lines wait: asked to go on by the thread */
	/* With lines: hands a line on; false: there is no room, and t is to pause. */
	bool (*room)(void *arg);
	void (*line)(void *arg, struct net_answer *line);
	void *arg;
	int stopped;  /* -errno with which a callback of ours ended the transfer */
	bool refused; /* an address that is not allowed was left out */
	char detail[CURL_ERROR_SIZE];
};

/* libcurl's global set-up, once per process. 0 or -EIO. */
int net_transfer_global(void) must_check;

/* Checks and copies the request. 0, -EINVAL or -ENOMEM as net_submit. */
int net_transfer_new(
	const struct net_request *request, struct net_transfer **ret_transfer) must_check;

/*
 * Makes the easy handle, with all options set and the transfer as its private
 * pointer. 0, -ETIMEDOUT (nothing is left of the time), -ENOMEM or -EINVAL.
 */
int net_transfer_start(struct net_transfer *t) must_check;

/* options.c: sets all options of t->easy, with left_ms for the exchange. */
CURLcode net_transfer_options(struct net_transfer *t, long left_ms) must_check;

/* An answer with an empty body; NULL without memory. */
struct net_answer *net_answer_new(void *owner) must_check;

/* The handle must not be in a multi any more. NULL is fine. */
void net_transfer_free(struct net_transfer *t);

DEFINE_CLEANUP(net_transfer, struct net_transfer *, net_transfer_free)

#endif
