/*
 * Connections end a few at a time, so that HAProxy can answer others between
 * them: ten thousand at once would hold its loop up for a second. Their
 * packets are dropped from the first moment, whenever their turn comes.
 */
#include "spoa/kernel.h"

#include <errno.h>
#include <unistd.h>

#define SLICE_S .002  /* between two slices */
#define RATE    4000. /* a second: a third of what HAProxy's thread can do */
#define EVEN_S  .5    /* at this rate for so long */
#define HURRY_S .05   /* then it doubles each time: 20,000 within .85 s */
#define AT_ONCE 8     /* fewer do not disturb anybody */

static double seconds_since(uint64_t ns)
{
	return (double)(base_clock_mono_ns() - ns) / (double)NS_PER_S;
}

/* How many may have ended so long after the beginning of a pass. */
static double allowed(double seconds)
{
	double rate = RATE, sum = AT_ONCE;

	if (seconds <= EVEN_S)
		return sum + rate * seconds;
	sum += rate * EVEN_S;
	for (seconds -= EVEN_S; seconds > 0 && sum < 1e9; seconds -= HURRY_S) {
		rate *= 2;
		sum += rate * HURRY_S;
	}
	return sum;
}

static void stop(struct spoa_kernel *kernel)
{
	ev_timer_stop(kernel->loop, &kernel->killing.slice);
	cleanup_fn_fd(&kernel->killing.fd);
	kernel->killing.fd = -1;
}

/*
 * After a pass that was interrupted there is another one: it may have missed
 * a socket, and whatever was asked for meanwhile is due.
 */
static void end_pass(struct spoa_kernel *kernel, int err)
{
	struct spoa_kernel_killing *killing = &kernel->killing;
	bool another = killing->again || (killing->n_slices > 1 && killing->n);

	stop(kernel);
	if (err)
		spoa_kernel_complain("kill", err);
	if (!err && another)
		spoa_kernel_end(kernel, killing->next_expires);
}

static void slice(struct spoa_kernel *kernel)
{
	struct spoa_kernel_killing *killing = &kernel->killing;
	double may = allowed(seconds_since(killing->begun));
	unsigned n = 0;
	int rc = 1;

	killing->n_slices++;
	if (may > killing->n)
		rc = bpfmap_kill_some(killing->fd, (unsigned)(may - killing->n) + 1, &n);
	killing->n += n;
	if (rc <= 0)
		end_pass(kernel, rc);
}

static void on_slice(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	slice(timer->data);
}

static void begin(struct spoa_kernel *kernel, bool expires)
{
	struct spoa_kernel_killing *killing = &kernel->killing;
	int err = expires ? bpfmap_undue(kernel->maps->map) : 0;

	if (!err)
		err = bpfmap_kill_begin(kernel->maps->map, &killing->fd);
	/* A kernel without the iterator drops packets; that was said at start and is in status. */
	if (err && err != -ENOENT)
		spoa_kernel_complain("kill", err);
	if (err)
		return;
	spoa_metrics_add(kernel->metrics, SPOA_COUNT_KILL_SCANS, 1);
	ev_now_update(kernel->loop);
	ev_timer_set(&killing->slice, SLICE_S, SLICE_S);
	ev_timer_start(kernel->loop, &killing->slice);
	slice(kernel);
}

void spoa_kernel_end(struct spoa_kernel *kernel, bool expires)
{
	struct spoa_kernel_killing *killing = &kernel->killing;

	if (killing->fd >= 0) { /* after the one that is on its way */
		killing->again = true;
		killing->next_expires = killing->next_expires || expires;
		return;
	}
	killing->begun = base_clock_mono_ns();
	killing->n = killing->n_slices = 0;
	killing->again = killing->next_expires = false;
	begin(kernel, expires);
}

void spoa_kernel_kill_init(struct spoa_kernel *kernel)
{
	kernel->killing.fd = -1;
	ev_init(&kernel->killing.slice, on_slice);
	kernel->killing.slice.data = kernel;
}

void spoa_kernel_kill_stop(struct spoa_kernel *kernel)
{
	stop(kernel);
}
