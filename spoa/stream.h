/*
 * The bytes of one connection, plain or under TLS, for a loop that reads once
 * and writes once per turn. Never blocks.
 */
#ifndef SPOA_STREAM_H
#define SPOA_STREAM_H

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct ssl_st;
struct ssl_ctx_st;

struct spoa_stream {
	int fd;
	struct ssl_st *tls;  /* NULL: plain */
	bool wants_write;    /* a read that said -EAGAIN goes on when the socket is writable */
	unsigned long error; /* OpenSSL's, behind a -EPROTO */
};

/*
 * Takes over fd in every case. With a context the peer has to begin TLS; the
 * handshake happens inside the reads. 0 or -ENOMEM.
 */
int spoa_stream_init(struct spoa_stream *stream, int fd, struct ssl_ctx_st *context) must_check;
void spoa_stream_done(struct spoa_stream *stream);

/*
 * At most n bytes. 0: the peer has ended; -EAGAIN: nothing yet; -EPROTO: TLS
 * failed, or its handshake took more than SPOA_STREAM_HANDSHAKE bytes; other
 * -errno of recv.
 */
ssize_t spoa_stream_read(struct spoa_stream *stream, void *p, size_t n) must_check;

/*
 * Writes what the socket takes, maybe less than n. After -EAGAIN the same bytes
 * come first the next time (they may lie elsewhere, and more may follow).
 */
ssize_t spoa_stream_write(struct spoa_stream *stream, const void *p, size_t n) must_check;

/* Bytes came already that no event of the socket will tell of: read again. */
bool spoa_stream_pending(const struct spoa_stream *stream);

/* The peer has shown a certificate that the listener's CA and names accept. */
bool spoa_stream_verified(const struct spoa_stream *stream);

/* The text of stream->error, for a log. */
void spoa_stream_why(const struct spoa_stream *stream, char *ret, size_t size);

#define SPOA_STREAM_HANDSHAKE (64 * 1024)

#endif
