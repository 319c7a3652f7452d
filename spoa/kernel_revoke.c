/* Revocations: gathered, carried out together, and once more. */
#include "spoa/kernel.h"

#include "spoa/hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define GATHER_S .01 /* revocations that come together are carried out together */
#define REST     2   /* times as long as a pass took, none begins: the main thread has other work */
#define REST_S   .25 /* at most */
#define AGAIN_S  .3  /* by then every worker decides with the newest snapshot */

/* Pending revocations at once; more are gathered in the next pass. */
#define PENDING_MAX 65536

static void carry_out(struct spoa_kernel *kernel, const struct bpfmap_revocation *list, size_t n)
{
	unsigned revoked = 0;
	struct base_log log;
	int err = bpfmap_revoke(kernel->maps->map, list, n, &revoked);

	if (err) {
		spoa_kernel_complain("revoke", err);
		return;
	}
	spoa_metrics_add(kernel->metrics, SPOA_COUNT_FLOWS_REVOKED, revoked);
	if (!revoked)
		return;
	spoa_kernel_end(kernel, false);
	if (!spoa_log_open(&log, BASE_LOG_INFO, "flows_revoked"))
		return;
	base_log_int(&log, "revocations", (int64_t)n);
	base_log_int(&log, "connections", revoked);
	spoa_log_close(&log);
}

static void repeat_later(struct spoa_kernel *kernel)
{
	kernel->n_ripe = kernel->n_done;
	ev_timer_set(&kernel->again, AGAIN_S, 0.);
	ev_timer_start(kernel->loop, &kernel->again);
}

/* What was carried out joins those that are to be repeated. */
static int keep_done(struct spoa_kernel *kernel)
{
	size_t n = kernel->n_done + kernel->n_pending;
	struct bpfmap_revocation *list = reallocarray(kernel->done, n + 1, sizeof(*list));

	if (!list)
		return -ENOMEM;
	memcpy(list + kernel->n_done, kernel->pending, kernel->n_pending * sizeof(*list));
	kernel->done = list;
	kernel->n_done = n;
	if (!ev_is_active(&kernel->again))
		repeat_later(kernel);
	return 0;
}

static void on_revoke(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct spoa_kernel *kernel = timer->data;
	int err;

	uint64_t begun = base_clock_mono_ns();

	(void)loop;
	(void)events;
	if (kernel->maps)
		carry_out(kernel, kernel->pending, kernel->n_pending);
	kernel->revoke_rest_s = REST * (double)(base_clock_mono_ns() - begun) / (double)NS_PER_S;
	err = keep_done(kernel);
	if (err)
		spoa_kernel_complain("revoke", err);
	kernel->n_pending = 0;
}

/* A worker may have bound such a token between our pass and its next snapshot. */
static void on_again(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct spoa_kernel *kernel = timer->data;

	(void)loop;
	(void)events;
	if (kernel->maps)
		carry_out(kernel, kernel->done, kernel->n_ripe);
	kernel->n_done -= kernel->n_ripe;
	memmove(kernel->done, kernel->done + kernel->n_ripe,
		kernel->n_done * sizeof(*kernel->done));
	if (kernel->n_done)
		repeat_later(kernel);
}

static int make_room(struct spoa_kernel *kernel)
{
	size_t room = kernel->room_pending ? 2 * kernel->room_pending : 16;
	struct bpfmap_revocation *list;

	if (kernel->n_pending < kernel->room_pending)
		return 0;
	if (room > PENDING_MAX)
		return -ENOSPC;
	list = reallocarray(kernel->pending, room, sizeof(*list));
	if (!list)
		return -ENOMEM;
	kernel->pending = list;
	kernel->room_pending = room;
	return 0;
}

void spoa_kernel_revoke(struct spoa_kernel *kernel, const struct token_revocation *what)
{
	int err = make_room(kernel);

	if (err == -ENOSPC) {
		on_revoke(kernel->loop, &kernel->revoke, 0);
		err = make_room(kernel);
	}
	if (err) {
		spoa_kernel_complain("revoke", err);
		return;
	}
	kernel->pending[kernel->n_pending++] = spoa_hash_revocation(what);
	if (!ev_is_active(&kernel->revoke)) {
		double rest = kernel->revoke_rest_s < REST_S ? kernel->revoke_rest_s : REST_S;

		ev_timer_set(&kernel->revoke, rest > GATHER_S ? rest : GATHER_S, 0.);
		ev_timer_start(kernel->loop, &kernel->revoke);
	}
}

void spoa_kernel_revoke_init(struct spoa_kernel *kernel)
{
	ev_init(&kernel->revoke, on_revoke);
	ev_init(&kernel->again, on_again);
	kernel->revoke.data = kernel->again.data = kernel;
}

void spoa_kernel_revoke_done(struct spoa_kernel *kernel)
{
	ev_timer_stop(kernel->loop, &kernel->revoke);
	ev_timer_stop(kernel->loop, &kernel->again);
	free(TAKE_PTR(kernel->pending));
	free(TAKE_PTR(kernel->done));
}
