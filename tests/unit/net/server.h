/*
 * A small HTTP server that misbehaves on request: the path says how. One
 * thread accepts, one thread serves each connection.
 *
 *	/ok       200 "hello"                /empty     200 without a body
 *	/missing  404 "no"                   /moved     302 to /ok of the same server
 *	/big      200, 1000 bytes            /chunked   200, 1000 bytes, no length told
 *	/endless  200, bytes until closed    /headers   200, header lines until closed
 *	/slow     200, one byte every 50 ms  /hang      never a byte
 *	/cut      200, half of its body      /close     closes at once
 *	/noise    not HTTP                   /user      200, the request's head
 *	/kept     200, head and body of the request; the connection goes on
 *	/lines    200, lines in pieces       /flood     200, lines until closed
 *	/tagged   200 with ETag, Cache-Control and Age
 */
#ifndef TESTS_UNIT_NET_SERVER_H
#define TESTS_UNIT_NET_SERVER_H

#include <openssl/types.h>

struct server;

struct server_options {
	const char *unix_path; /* NULL: TCP on 127.0.0.1 */
	X509 *cert;            /* NULL: no TLS */
	EVP_PKEY *key;
	int max_tls;     /* 0: the newest */
	X509 *client_ca; /* clients must have a certificate that it signed; NULL: none */
};

struct server *server_start(const struct server_options *options);

/* Ends every connection and joins every thread. NULL is fine. */
void server_stop(struct server *server);

int server_port(const struct server *server);

/* Requests whose head was read so far. */
unsigned server_hits(struct server *server);

/* The head of the last request that was read; the server must be quiet. */
const char *server_last_head(struct server *server);

/* Connections that were accepted so far. */
unsigned server_connections(struct server *server);

/* A loopback port on which nobody listens. */
int server_closed_port(void);

#endif
