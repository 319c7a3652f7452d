/* HAProxy's end of a socket pair whose other end a real worker has. */
#ifndef TESTS_SPOA_PEER_H
#define TESTS_SPOA_PEER_H

#include "spoa/worker.h"
#include "tests/unit/spoa/help.h"

struct peer {
	int fd;
	size_t len;
	unsigned char buf[256 * 1024]; /* read and not yet looked at */
};

/* Connects to the worker. small: a send buffer of the worker that a few answers fill. */
struct peer *peer_new(struct spoa_worker *worker, bool small);
void peer_free(struct peer *peer);

void peer_send(struct peer *peer, const struct wr *w);

/* The next frame; its spans live until the next call. false: the worker closed. */
bool peer_next(struct peer *peer, struct spop_frame *ret);

/* The next frame is an ACK. */
struct help_ack peer_ack(struct peer *peer);

/* Sends HELLO and reads the answer. */
void peer_hello(struct peer *peer, uint32_t max_frame);

/* Is there nothing to read for so long? */
bool peer_is_silent(struct peer *peer, int ms);

/* Asserts that the worker closes without another frame. */
void peer_expect_closed(struct peer *peer);

/* Waits until condition holds; ends the test after ten seconds. */
#define WAIT_UNTIL(condition)                                                                      \
	do {                                                                                       \
		int waited_ = 0;                                                                   \
		while (!(condition)) {                                                             \
			ck_assert_msg(waited_++ < 10000, "waited in vain: %s", #condition);        \
			usleep(1000);                                                              \
		}                                                                                  \
	} while (0)

#endif
