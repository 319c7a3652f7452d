/*
 * The least that a server can do, to compare with:
 *
 *	floor echo N ADDRESS...   N bytes come, N bytes go back
 *	floor ack ADDRESS...      a NOTIFY comes, an ACK goes back that sets one
 *	                          variable: one read, all complete frames, one
 *	                          write of all ACKs; nothing is checked
 *	floor say FILE ADDRESS... the same with the payload that is in FILE
 *	floor each ADDRESS...     the same with a write for each ACK
 *	floor wrong ADDRESS...    ACKs with another frame's id, for the test of
 *	                          the load generator
 */
#include "spop/ack.h"
#include "spop/frame.h"
#include "spop/hello.h"
#include "tests/bench/machine.h"
#include "tests/bench/peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROOM (128 * 1024)

enum mode { ECHO, ACK, SAY, EACH, WRONG };
static const char *const MODES[] = {"echo", "ack", "say", "each", "wrong"};

struct conn {
	int fd;
	bool listening;
	size_t held;
	unsigned char *in; /* ROOM bytes, from the first byte on */
};

static enum mode mode;
static size_t echo_bytes;
static unsigned char said[SPOP_FRAME_SIZE_DEFAULT];
static size_t n_said;
static unsigned char out_bytes[2 * ROOM];

static void send_all(int fd, const void *p, size_t n)
{
	const unsigned char *at = p;

	/* Blocking for a moment is fine here: the load generator always reads. */
	while (n) {
		ssize_t sent = send(fd, at, n, MSG_NOSIGNAL);

		if (sent < 0 && errno != EAGAIN && errno != EINTR)
			return;
		if (sent > 0) {
			at += sent;
			n -= (size_t)sent;
		}
	}
}

static void hello(struct wr *w)
{
	struct spop_frame_mark mark = spop_frame_begin(w, SPOP_AGENT_HELLO, SPOP_FIN, 0, 0);

	spop_hello_encode_agent(
		w, &(struct spop_agent_hello){
			   .max_frame_size = SPOP_FRAME_SIZE_DEFAULT, .pipelining = true});
	if (spop_frame_end(w, mark, SPOP_FRAME_SIZE_DEFAULT))
		bench_die("HELLO does not fit");
}

static void ack(struct wr *w, const struct spop_frame *frame)
{
	struct spop_data allow = {.type = SPOP_STR, .text = SPAN("allow")};
	struct spop_frame_mark mark = spop_frame_begin(
		w, SPOP_ACK, SPOP_FIN, frame->stream_id, frame->frame_id + (mode == WRONG));

	if (mode == SAY)
		wr_bytes(w, said, n_said);
	else
		spop_ack_set(w, SPOP_SCOPE_TXN, SPAN("verdict"), &allow);
	if (spop_frame_end(w, mark, SPOP_FRAME_SIZE_DEFAULT))
		bench_die("ACK does not fit");
}

static void answer_frames(struct conn *conn)
{
	struct rd in = rd_of(conn->in, conn->held);
	struct wr out = wr_of(out_bytes, sizeof(out_bytes));
	struct spop_frame frame;

	while (spop_frame_next(&in, SPOP_FRAME_SIZE_DEFAULT, &frame) == 1) {
		if (frame.type == SPOP_HAPROXY_HELLO)
			hello(&out);
		else if (frame.type == SPOP_NOTIFY)
			ack(&out, &frame);
		if (mode != EACH)
			continue;
		send_all(conn->fd, out_bytes, wr_len(&out));
		wr_rewind(&out, 0);
	}
	send_all(conn->fd, out_bytes, wr_len(&out));
	conn->held = rd_left(&in);
	memmove(conn->in, in.p, conn->held);
}

static void answer_bytes(struct conn *conn)
{
	size_t whole = conn->held / echo_bytes * echo_bytes;

	send_all(conn->fd, conn->in, whole);
	conn->held -= whole;
	memmove(conn->in, conn->in + whole, conn->held);
}

static void watch(int epoll, int fd, bool listening)
{
	struct conn *conn = calloc(1, sizeof(*conn));
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = conn};

	if (!conn || !(listening || (conn->in = malloc(ROOM))))
		bench_die("out of memory");
	conn->fd = fd;
	conn->listening = listening;
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		bench_die("epoll: %m");
}

static void on_event(int epoll, struct conn *conn)
{
	ssize_t got;

	if (conn->listening) {
		int fd = accept4(conn->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0)
			watch(epoll, fd, false);
		return;
	}
	got = recv(conn->fd, conn->in + conn->held, ROOM - conn->held, 0);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		close(conn->fd);
		free(conn->in);
		free(conn);
		return;
	}
	conn->held += (size_t)got;
	if (mode == ECHO)
		answer_bytes(conn);
	else
		answer_frames(conn);
}

static void read_mode(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(MODES); i++) {
		if (!strcmp(word, MODES[i])) {
			mode = (enum mode)i;
			return;
		}
	}
	bench_die("floor: %s is no mode", word);
}

static void read_payload(const char *path)
{
	FILE *f = fopen(path, "re");

	if (!f)
		bench_die("cannot read %s", path);
	n_said = fread(said, 1, sizeof(said), f);
	fclose(f);
}

int main(int argc, char **argv)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	int first = 2;

	if (argc < 3)
		bench_die("usage: floor echo N|ack|say FILE|each|wrong ADDRESS...");
	read_mode(argv[1]);
	if (mode == ECHO)
		echo_bytes = (size_t)atol(argv[first++]);
	if (mode == ECHO && (!echo_bytes || echo_bytes > ROOM))
		bench_die("floor: 1 to %d bytes", ROOM);
	if (mode == SAY)
		read_payload(argv[first++]);
	for (int i = first; i < argc; i++)
		watch(epoll, bench_listen(argv[i]), true);
	for (;;) {
		struct epoll_event events[256];
		int n = epoll_wait(epoll, events, ARRAY_SIZE(events), -1);

		for (int i = 0; i < n; i++)
			on_event(epoll, events[i].data.ptr);
	}
}
