#include "tests/unit/spoa/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS 10000

struct peer *peer_new(struct spoa_worker *worker, bool small)
{
	struct spoa_newcomer newcomer = {.peer = "test"};
	struct peer *peer = calloc(1, sizeof(*peer));
	int size = 4096;
	int fds[2];

	ck_assert_ptr_nonnull(peer);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	if (small)
		ck_assert_int_eq(setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	ck_assert_int_eq(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	peer->fd = fds[0];
	newcomer.fd = fds[1];
	ck_assert(spoa_worker_has_room(worker));
	spoa_worker_give(worker, &newcomer);
	return peer;
}

void peer_free(struct peer *peer)
{
	if (peer->fd >= 0)
		close(peer->fd);
	free(peer);
}

void peer_send(struct peer *peer, const struct wr *w)
{
	const uint8_t *p = w->start;

	ck_assert(!w->bad);
	while (p < w->p) {
		ssize_t n = send(peer->fd, p, (size_t)(w->p - p), MSG_NOSIGNAL);

		ck_assert_int_gt(n, 0);
		p += n;
	}
}

bool peer_next(struct peer *peer, struct spop_frame *ret)
{
	static unsigned char frame[UINT16_MAX + 8];

	for (;;) {
		struct pollfd pollfd = {.fd = peer->fd, .events = POLLIN};
		struct rd r = rd_of(peer->buf, peer->len);
		ssize_t n;
		int rc = spop_frame_next(&r, UINT16_MAX, ret);

		ck_assert_int_ge(rc, 0);
		if (rc) {
			size_t used = (size_t)(r.p - peer->buf);
			size_t at = (size_t)((const unsigned char *)ret->payload.p - peer->buf);

			memcpy(frame, peer->buf, used);
			if (ret->payload.n)
				ret->payload.p = (const char *)frame + at;
			peer->len -= used;
			memmove(peer->buf, peer->buf + used, peer->len);
			return true;
		}
		ck_assert_msg(poll(&pollfd, 1, PATIENCE_MS) == 1, "no frame from the worker");
		n = recv(peer->fd, peer->buf + peer->len, sizeof(peer->buf) - peer->len, 0);
		if (n <= 0) {
			ck_assert_msg(n == 0 || errno == ECONNRESET, "recv");
			ck_assert_uint_eq(peer->len, 0); /* never inside a frame */
			return false;
		}
		peer->len += (size_t)n;
	}
}

struct help_ack peer_ack(struct peer *peer)
{
	struct spop_frame frame;

	ck_assert_msg(peer_next(peer, &frame), "the worker closed");
	return help_ack(&frame);
}

void peer_hello(struct peer *peer, uint32_t max_frame)
{
	unsigned char buf[512];
	struct wr w = wr_of(buf, sizeof(buf));
	struct spop_frame frame;

	help_hello(&w, max_frame, true, false);
	peer_send(peer, &w);
	ck_assert(peer_next(peer, &frame));
	ck_assert_uint_eq(frame.type, SPOP_AGENT_HELLO);
}

bool peer_is_silent(struct peer *peer, int ms)
{
	struct pollfd pollfd = {.fd = peer->fd, .events = POLLIN};

	return peer->len == 0 && poll(&pollfd, 1, ms) == 0;
}

void peer_expect_closed(struct peer *peer)
{
	struct spop_frame frame;

	ck_assert(!peer_next(peer, &frame));
}
