#include "audit/audit.h"

#include "audit/file.h"
#include "base/clock.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>

#define BUFFER_BYTES (4 * AUDIT_LINE_MAX)
/* How long a line may lie before it is written; wakes only cost when a ring fills faster. */
#define LINGER_MS   100
#define RETRY_MS    1000
#define RANDOM_MANY 256

struct audit {
	struct audit_file file;
	struct audit_style style;
	void (*state_changed)(void *arg, int error, bool only_rotation);
	void *arg;
	pthread_t thread;
	bool started;
	int wake; /* eventfd */

	/* The thread's. */
	char *buffer; /* BUFFER_BYTES: from sent to n is to be written */
	size_t sent, n;
	uint64_t lines; /* in the buffer */
	int rotation;   /* of the last try, 0 or -errno: no reason not to write */
	uint64_t told;  /* losses that stand in a line already */
	unsigned char random[16 * RANDOM_MANY];
	size_t random_left;

	/* Shared. */
	atomic_bool stop, reopen;
	atomic_int error, rotation_error;
	atomic_uint_fast64_t written, dropped;
	unsigned n_rings;
	struct audit_ring *rings[];
};

static uint64_t all_lost(const struct audit *audit)
{
	uint64_t lost = atomic_load_explicit(&audit->dropped, memory_order_relaxed);

	for (unsigned i = 0; i < audit->n_rings; i++)
		lost += audit_ring_lost(audit->rings[i]);
	return lost;
}

struct audit_stats audit_stats(const struct audit *audit)
{
	return (struct audit_stats){
		.written = atomic_load_explicit(&audit->written, memory_order_relaxed),
		.lost = all_lost(audit),
		.error = atomic_load_explicit(&audit->error, memory_order_relaxed),
		.rotation = atomic_load_explicit(&audit->rotation_error, memory_order_relaxed),
	};
}

static void wake(struct audit *audit)
{
	uint64_t one = 1;

	/* It cannot fail but by overflow, and then the thread is awake. */
	if (write(audit->wake, &one, sizeof(one)) < 0)
		assert(errno == EAGAIN);
}

void audit_put(struct audit *audit, unsigned ring, const struct audit_entry *entry)
{
	assert(ring < audit->n_rings);
	if (audit_ring_push(audit->rings[ring], entry))
		wake(audit);
}

void audit_reopen(struct audit *audit)
{
	atomic_store(&audit->reopen, true);
	wake(audit);
}

static void set_error(struct audit *audit, int error, int rotation)
{
	bool changed = atomic_exchange(&audit->error, error) != error;

	changed |= atomic_exchange(&audit->rotation_error, rotation) != rotation;
	if (changed && audit->state_changed)
		audit->state_changed(audit->arg, error ? error : rotation, !error && rotation);
}

/* Writes what is in the buffer. 0 when all of it is out, else -errno, and the rest stays. */
static int flush(struct audit *audit)
{
	while (audit->sent < audit->n) {
		int64_t took = audit_file_write(&audit->file, audit->buffer + audit->sent,
			audit->n - audit->sent, LINGER_MS);

		if (took < 0)
			return (int)took;
		audit->sent += (size_t)took;
	}
	atomic_fetch_add_explicit(&audit->written, audit->lines, memory_order_relaxed);
	audit->sent = audit->n = 0;
	audit->lines = 0;
	audit->rotation = audit_file_rotate(&audit->file);
	return 0;
}

static const unsigned char *next_random(struct audit *audit)
{
	if (!audit->random_left) {
		/* Cut short only by a signal, and those are the main thread's. */
		while (getrandom(audit->random, sizeof(audit->random), 0) !=
			(ssize_t)sizeof(audit->random))
			;
		audit->random_left = RANDOM_MANY;
	}
	return audit->random + 16 * --audit->random_left;
}

static struct wr room(struct audit *audit)
{
	return wr_of(audit->buffer + audit->n, BUFFER_BYTES - audit->n);
}

static bool has_room(const struct audit *audit)
{
	return BUFFER_BYTES - audit->n >= 2 * AUDIT_LINE_MAX;
}

static void tell_losses(struct audit *audit)
{
	uint64_t lost = all_lost(audit);
	struct wr w = room(audit);
	struct base_now now;

	if (lost == audit->told)
		return;
	base_clock_now(&now);
	audit_flow_lost_line(&w, lost - audit->told, now.wall_ns, &audit->style);
	audit->n += wr_len(&w);
	audit->lines++;
	audit->told = lost;
}

/* Moves entries of one ring into the buffer; false when the buffer is full first. */
static bool take(struct audit *audit, struct audit_ring *ring)
{
	struct audit_entry entry;

	while (audit_ring_peek(ring, &entry)) {
		struct wr w = room(audit);

		if (!has_room(audit))
			return false;
		audit_flow_line(&w, &entry, &audit->style, next_random(audit));
		audit_ring_pop(ring);
		audit->n += wr_len(&w);
		audit->lines++;
	}
	return true;
}

/* Everything that is there now, on its way. 0 or -errno. */
static int pump(struct audit *audit)
{
	bool all;
	int rc = flush(audit);

	do {
		all = true;
		if (rc)
			return rc;
		for (unsigned i = 0; i < audit->n_rings; i++)
			all = take(audit, audit->rings[i]) && all;
		tell_losses(audit);
		rc = flush(audit);
	} while (!all);
	return rc;
}

static void *run(void *arg)
{
	struct audit *audit = arg;
	struct pollfd from = {.fd = audit->wake, .events = POLLIN};
	int rc = 0;

	while (!atomic_load(&audit->stop)) {
		uint64_t ignored;

		if (poll(&from, 1, rc ? RETRY_MS : LINGER_MS) == 1 &&
			read(audit->wake, &ignored, sizeof(ignored)) < 0)
			assert(errno == EAGAIN);
		/* Not in the middle of a buffer: then it is done as soon as that is out. */
		if (audit->sent == 0 && atomic_exchange(&audit->reopen, false))
			audit_file_reopen(&audit->file);
		rc = pump(audit);
		set_error(audit, -rc, -audit->rotation);
	}
	if (pump(audit))
		atomic_fetch_add(&audit->dropped, audit->lines);
	return NULL;
}

static int start(struct audit *audit)
{
	sigset_t all, old;
	int rc;

	/* Signals are the main thread's. */
	sigfillset(&all);
	sigdelset(&all, SIGSYS); /* blocked, it would kill: the daemon's filter answers it */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&audit->thread, NULL, run, audit);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	audit->started = rc == 0;
	return -rc;
}

static int fill(struct audit *audit, const struct audit_options *options)
{
	audit->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (audit->wake < 0)
		return -errno;
	audit->buffer = malloc(BUFFER_BYTES);
	if (!audit->buffer)
		return -ENOMEM;
	for (; audit->n_rings < options->n_rings; audit->n_rings++) {
		audit->rings[audit->n_rings] = audit_ring_new(options->ring_bytes);
		if (!audit->rings[audit->n_rings])
			return -ENOMEM;
	}
	return start(audit);
}

int audit_new(const struct audit_options *options, struct audit **ret)
{
	struct audit *audit =
		calloc(1, sizeof(*audit) + options->n_rings * sizeof(audit->rings[0]));
	int rc;

	if (!audit)
		return -ENOMEM;
	audit->wake = -1;
	audit->style = options->style;
	audit->state_changed = options->state_changed;
	audit->arg = options->arg;
	audit_file_init(&audit->file, options->path, options->max_bytes, options->keep);
	rc = fill(audit, options);
	if (rc) {
		audit_free(audit);
		return rc;
	}
	*ret = audit;
	return 0;
}

void audit_free(struct audit *audit)
{
	if (!audit)
		return;
	if (audit->started) {
		atomic_store(&audit->stop, true);
		wake(audit);
		pthread_join(audit->thread, NULL);
	}
	for (unsigned i = 0; i < audit->n_rings; i++)
		audit_ring_free(audit->rings[i]);
	audit_file_done(&audit->file);
	if (audit->wake >= 0)
		close(audit->wake);
	free(audit->buffer);
	free(audit);
}
