#include "spoa/stream.h"

#include "spoa/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

int spoa_stream_init(struct spoa_stream *stream, int fd, struct ssl_ctx_st *context)
{
	*stream = (struct spoa_stream){.fd = fd};
	if (!context)
		return 0;
	stream->tls = SSL_new(context);
	if (!stream->tls || !SSL_set_fd(stream->tls, fd)) {
		spoa_stream_done(stream);
		ERR_clear_error();
		return -ENOMEM;
	}
	SSL_set_accept_state(stream->tls);
	return 0;
}

void spoa_stream_done(struct spoa_stream *stream)
{
	/* SPOP has its own goodbye, so nobody waits for TLS's. */
	SSL_free(TAKE_PTR(stream->tls));
	if (stream->fd >= 0)
		close(TAKE_FD(stream->fd));
}

/* What an SSL call that returned rc <= 0 means for the loop. */
static ssize_t tls_result(struct spoa_stream *stream, int rc)
{
	switch (SSL_get_error(stream->tls, rc)) {
	case SSL_ERROR_WANT_READ:
		return -EAGAIN;
	case SSL_ERROR_WANT_WRITE:
		stream->wants_write = true;
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL: /* EOF without a goodbye, or a reset */
		return errno ? -errno : 0;
	default:
		stream->error = ERR_peek_last_error();
		/* HAProxy closes without TLS's goodbye as often as not: that is an end like others. */
		return ERR_GET_REASON(stream->error) == SSL_R_UNEXPECTED_EOF_WHILE_READING
			       ? 0
			       : -EPROTO;
	}
}

static bool handshake_too_long(const struct spoa_stream *stream)
{
	return !SSL_is_init_finished(stream->tls) &&
	       BIO_number_read(SSL_get_rbio(stream->tls)) > SPOA_STREAM_HANDSHAKE;
}

/* All records that one read of the socket brought, as far as they fit. */
static ssize_t tls_read(struct spoa_stream *stream, unsigned char *p, size_t n)
{
	size_t got = 0;
	ssize_t rc;

	stream->wants_write = false;
	do {
		size_t more = 0;

		ERR_clear_error();
		errno = 0;
		rc = SSL_read_ex(stream->tls, p + got, n - got, &more);
		got += more;
	} while (rc > 0 && got < n && SSL_has_pending(stream->tls));
	if (got)
		return (ssize_t)got; /* what ended the loop shows again at the next read */
	if (handshake_too_long(stream))
		return -EPROTO;
	return tls_result(stream, (int)rc);
}

ssize_t spoa_stream_read(struct spoa_stream *stream, void *p, size_t n)
{
	ssize_t got;

	if (stream->tls)
		return tls_read(stream, p, n);
	got = recv(stream->fd, p, n, 0);
	if (got >= 0)
		return got;
	return errno == EINTR ? -EAGAIN : -errno;
}

static ssize_t tls_write(struct spoa_stream *stream, const unsigned char *p, size_t n)
{
	bool waiting = stream->wants_write;
	size_t sent = 0;
	ssize_t rc;

	do {
		size_t more = 0;

		ERR_clear_error();
		errno = 0;
		rc = SSL_write_ex(stream->tls, p + sent, n - sent, &more);
		sent += more;
	} while (rc > 0 && sent < n);
	if (sent)
		return (ssize_t)sent;
	rc = tls_result(stream, (int)rc);
	stream->wants_write = waiting; /* is about reads */
	return rc ? rc : -EPIPE;
}

ssize_t spoa_stream_write(struct spoa_stream *stream, const void *p, size_t n)
{
	ssize_t sent;

	if (stream->tls)
		return tls_write(stream, p, n);
	sent = send(stream->fd, p, n, MSG_NOSIGNAL);
	if (sent >= 0)
		return sent;
	return errno == EINTR ? -EAGAIN : -errno;
}

bool spoa_stream_pending(const struct spoa_stream *stream)
{
	return stream->tls && SSL_has_pending(stream->tls);
}

bool spoa_stream_verified(const struct spoa_stream *stream)
{
	return stream->tls && SSL_is_init_finished(stream->tls) && spoa_tls_verified(stream->tls);
}

void spoa_stream_why(const struct spoa_stream *stream, char *ret, size_t size)
{
	ERR_error_string_n(stream->error, ret, size);
}
