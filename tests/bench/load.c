#include "tests/bench/load.h"

#include "spop/frame.h"
#include "tests/bench/machine.h"
#include "tests/bench/peer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define IN_ROOM   (256 * 1024)
#define CHECK_ALL 100 /* of so many ACKs, one is read to its end */
/* Nothing came for so long: the server lost a frame, or is gone. */
#define SILENCE_MS 10000

struct slot {
	uint32_t frame_id; /* 0: nothing open */
	uint64_t sent_at;
};

struct conn {
	int fd;
	bool blocked; /* waits for the socket to take more */
	size_t in_held, out_held;
	unsigned char *in, *out;
	struct slot *slots;
	uint32_t next_frame;
};

struct run {
	const struct bench_load *load;
	struct bench_result *result;
	struct conn *conns;
	size_t n_open; /* frames in flight */
	size_t next_token;
	uint64_t n_acks, n_bytes;
	uint64_t now;
	int epoll;
};

static size_t longest(const struct bench_load *load)
{
	return load->traffic ? load->traffic->longest : load->raw_bytes;
}

static void say_notify(struct run *run, struct conn *conn, size_t slot)
{
	const struct bench_traffic *traffic = run->load->traffic;

	if (++conn->next_frame > BENCH_ID_MAX)
		conn->next_frame = BENCH_ID_MIN;
	conn->slots[slot] = (struct slot){.frame_id = conn->next_frame, .sent_at = run->now};
	conn->out_held += bench_traffic_copy(traffic, run->next_token,
		BENCH_ID_MIN + (uint32_t)slot, conn->next_frame, conn->out + conn->out_held);
	if (++run->next_token == traffic->n)
		run->next_token = 0;
	run->n_open++;
}

static void say_raw(struct run *run, struct conn *conn)
{
	conn->slots[0] = (struct slot){.frame_id = 1, .sent_at = run->now};
	memset(conn->out + conn->out_held, 'x', run->load->raw_bytes);
	conn->out_held += run->load->raw_bytes;
	run->n_open++;
}

static void say(struct run *run, struct conn *conn, size_t slot)
{
	if (run->load->traffic)
		say_notify(run, conn, slot);
	else
		say_raw(run, conn);
}

static void watch(struct run *run, struct conn *conn, int op)
{
	struct epoll_event event = {
		.events = EPOLLIN | (conn->blocked ? EPOLLOUT : 0), .data.ptr = conn};

	if (epoll_ctl(run->epoll, op, conn->fd, &event))
		bench_die("epoll: %m");
}

static void flush(struct run *run, struct conn *conn)
{
	ssize_t sent = 0;
	bool blocked;

	if (conn->out_held)
		sent = send(conn->fd, conn->out, conn->out_held, MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN && errno != EINTR)
		bench_die("send: %m");
	if (sent > 0) {
		conn->out_held -= (size_t)sent;
		memmove(conn->out, conn->out + sent, conn->out_held);
	}
	blocked = conn->out_held > 0;
	if (blocked == conn->blocked)
		return;
	conn->blocked = blocked;
	watch(run, conn, EPOLL_CTL_MOD);
}

static void answered(struct run *run, struct slot *slot, size_t bytes)
{
	bench_histogram_add(&run->result->latency, run->now - slot->sent_at);
	slot->frame_id = 0;
	run->n_acks++;
	run->n_bytes += bytes;
	run->n_open--;
}

static void check_ack(struct run *run, const struct conn *conn, const struct spop_frame *frame)
{
	uint64_t slot = frame->stream_id - BENCH_ID_MIN;
	int actions;

	if (frame->type != SPOP_ACK || frame->flags != SPOP_FIN)
		bench_die("a frame of type %u came", frame->type);
	if (slot >= run->load->depth || !conn->slots[slot].frame_id ||
		conn->slots[slot].frame_id != frame->frame_id)
		bench_die("an ACK for stream %llu, frame %llu, which is not open",
			(unsigned long long)frame->stream_id, (unsigned long long)frame->frame_id);
	if (!bench_ack_says(frame->payload, run->load->verdict))
		bench_die("an ACK without the verdict %s at its end", run->load->verdict);
	if (run->n_acks % CHECK_ALL)
		return;
	actions = bench_ack_count(frame->payload);
	if (actions < 0 || (run->load->actions && (size_t)actions != run->load->actions))
		bench_die("an ACK with %d actions", actions);
}

static void read_acks(struct run *run, struct conn *conn, bool go_on)
{
	struct rd in = rd_of(conn->in, conn->in_held);
	struct spop_frame frame;
	int rc;

	while ((rc = spop_frame_next(&in, SPOP_FRAME_SIZE_DEFAULT, &frame)) == 1) {
		size_t slot;

		check_ack(run, conn, &frame);
		slot = (size_t)frame.stream_id - BENCH_ID_MIN;
		answered(run, &conn->slots[slot], frame.payload.n);
		if (go_on)
			say(run, conn, slot);
	}
	if (rc < 0)
		bench_die("bytes that are no frame");
	conn->in_held = rd_left(&in);
	memmove(conn->in, in.p, conn->in_held);
}

static void read_raw(struct run *run, struct conn *conn, bool go_on)
{
	if (conn->in_held < run->load->raw_bytes)
		return;
	if (conn->in_held > run->load->raw_bytes)
		bench_die("more bytes came back than were sent");
	conn->in_held = 0;
	answered(run, &conn->slots[0], run->load->raw_bytes);
	if (go_on)
		say(run, conn, 0);
}

static void on_readable(struct run *run, struct conn *conn, bool go_on)
{
	ssize_t got = recv(conn->fd, conn->in + conn->in_held, IN_ROOM - conn->in_held, 0);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0)
		bench_die("the server hung up");
	conn->in_held += (size_t)got;
	run->now = bench_now();
	if (run->load->traffic)
		read_acks(run, conn, go_on);
	else
		read_raw(run, conn, go_on);
	flush(run, conn);
}

/* Until so many more ACKs, or until then; go_on: an ACK is followed by the next NOTIFY. */
static void turn(struct run *run, uint64_t acks, uint64_t until, bool go_on)
{
	uint64_t end = acks ? run->n_acks + acks : UINT64_MAX;

	while (run->n_open && run->n_acks < end && (run->now = bench_now()) < until) {
		struct epoll_event events[256];
		int n = epoll_wait(run->epoll, events, ARRAY_SIZE(events), SILENCE_MS);

		if (n < 0 && errno != EINTR)
			bench_die("epoll: %m");
		if (!n)
			bench_die("no answer for %d ms, %zu frames are open", SILENCE_MS,
				run->n_open);
		for (int i = 0; i < n; i++) {
			struct conn *conn = events[i].data.ptr;

			if (events[i].events & ~(unsigned)EPOLLOUT)
				on_readable(run, conn, go_on);
			else
				flush(run, conn);
		}
	}
}

static void open_conn(struct run *run, struct conn *conn)
{
	const struct bench_load *load = run->load;

	conn->fd = bench_connect(load->where);
	if (load->traffic)
		bench_hello(conn->fd);
	bench_nonblocking(conn->fd);
	conn->in = malloc(IN_ROOM);
	conn->out = malloc(load->depth * longest(load));
	conn->slots = calloc(load->depth, sizeof(*conn->slots));
	conn->next_frame = BENCH_ID_MIN;
	if (!conn->in || !conn->out || !conn->slots)
		bench_die("out of memory");
	watch(run, conn, EPOLL_CTL_ADD);
}

static void close_conn(struct conn *conn)
{
	close(conn->fd);
	free(conn->in);
	free(conn->out);
	free(conn->slots);
}

static void measure(struct run *run)
{
	const struct bench_load *load = run->load;
	struct bench_result *result = run->result;
	uint64_t started = bench_now();
	uint64_t cpu = bench_cpu();
	uint64_t server = load->server ? bench_cpu_of(load->server) : 0;
	double ns;

	memset(&result->latency, 0, sizeof(result->latency));
	run->n_acks = run->n_bytes = 0;
	turn(run, load->count,
		load->count ? UINT64_MAX : started + (uint64_t)(load->measure_s * 1e9), true);
	ns = (double)(bench_now() - started);
	result->messages = run->n_acks;
	result->seconds = ns / 1e9;
	result->generator_busy = (double)(bench_cpu() - cpu) / ns;
	result->ack_bytes = (double)run->n_bytes / (double)run->n_acks;
	if (load->server)
		result->server_us =
			(double)(bench_cpu_of(load->server) - server) / 1e3 / (double)run->n_acks;
}

void bench_load_run(const struct bench_load *load, struct bench_result *ret_result)
{
	struct run run = {
		.load = load, .result = ret_result, .epoll = epoll_create1(EPOLL_CLOEXEC)};

	run.conns = calloc(load->n_conns, sizeof(*run.conns));
	if (!run.conns)
		bench_die("out of memory");
	for (size_t i = 0; i < load->n_conns; i++)
		open_conn(&run, &run.conns[i]);
	run.now = bench_now();
	for (size_t i = 0; i < load->n_conns; i++) {
		for (size_t slot = 0; slot < load->depth; slot++)
			say(&run, &run.conns[i], slot);
		flush(&run, &run.conns[i]);
	}
	if (!load->count)
		turn(&run, 0, run.now + (uint64_t)(load->warm_s * 1e9), true);
	measure(&run);
	/* What is still open must be answered too. */
	turn(&run, 0, UINT64_MAX, false);
	for (size_t i = 0; i < load->n_conns; i++)
		close_conn(&run.conns[i]);
	free(run.conns);
	close(run.epoll);
}
