#include "spoa/stall.h"

#include "spoa/log.h"

#include <stdio.h>

static void say(double seconds)
{
	struct base_log log;

	if (!spoa_log_open(&log, BASE_LOG_WARNING, "stood_still"))
		return;
	base_log_int(&log, "milliseconds", (int64_t)(seconds * 1000.));
	base_log_str(&log, "meaning",
		"the process was stopped or got no processor; what waited is hung up on");
	spoa_log_close(&log);
}

static void on_beat(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct spoa_worker *worker = timer->data;
	int64_t limit = worker->snapshot->config->conf->spop.max_stall;
	uint64_t now = base_clock_mono_ns();
	double since = (double)(now - worker->last_beat) / (double)NS_PER_S;

	(void)events;
	worker->last_beat = now;
	if (TAILQ_EMPTY(&worker->conns)) {
		ev_timer_stop(loop, timer);
		return;
	}
	if (!limit || since < SPOA_STALL_BEAT_SECONDS + (double)limit / 1000.)
		return;
	worker->stale_until = now + (uint64_t)(SPOA_STALL_AFTER_SECONDS * (double)NS_PER_S);
	spoa_metrics_add(&worker->metrics, SPOA_COUNT_STALLS, 1);
	say(since);
}

void spoa_stall_init(struct spoa_worker *worker)
{
	ev_timer_init(&worker->beat, on_beat, SPOA_STALL_BEAT_SECONDS, SPOA_STALL_BEAT_SECONDS);
	/* First, whatever else there is. */
	ev_set_priority(&worker->beat, EV_MAXPRI);
	worker->beat.data = worker;
	worker->stale_until = 0;
}

void spoa_stall_watch(struct spoa_worker *worker)
{
	if (ev_is_active(&worker->beat))
		return;
	worker->last_beat = base_clock_mono_ns();
	ev_timer_again(worker->loop, &worker->beat);
}

void spoa_stall_done(struct spoa_worker *worker)
{
	ev_timer_stop(worker->loop, &worker->beat);
}

bool spoa_stall_is_stale(struct spoa_worker *worker)
{
	if (worker->stale_until && base_clock_mono_ns() >= worker->stale_until)
		worker->stale_until = 0;
	return worker->stale_until;
}
