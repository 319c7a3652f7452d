/*
 * Who may ask an HTTP server that anybody can reach: whoever shows a client
 * certificate of ours or sends our token, under a name that is ours (a page in
 * somebody's browser that resolves its own name to us does not), and not from
 * within a browser's page at all.
 */
#ifndef SPOA_HTTP_GUARD_H
#define SPOA_HTTP_GUARD_H

#include "base/mem.h"
#include "base/span.h"

#include <stdbool.h>

struct MHD_Connection;

struct spoa_http_guard {
	bool certificate;  /* one is enough; the server has its client_ca */
	struct span token; /* one that is sent as "Authorization: Bearer" is enough; empty: none */
	struct span read_token;   /* the same, for routes that are for reading alone */
	const char *const *hosts; /* what Host may be, without a port */
	size_t n_hosts;
};

/* Is this value of Host, with or without a port, one of the guard's? */
bool spoa_http_guard_host(const struct spoa_http_guard *guard, const char *value) must_check;
/* Is this value of Authorization a token for the route? In constant time. */
bool spoa_http_guard_token(
	const struct spoa_http_guard *guard, const char *value, bool reading) must_check;

/* 0, or the HTTP status to refuse with and a line of text. */
unsigned spoa_http_guard_check(const struct spoa_http_guard *guard,
	struct MHD_Connection *connection, const char *method, bool reading,
	const char **ret_why) must_check;

#endif
