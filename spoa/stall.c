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

static uint64_t mono_now(void)
{
	struct base_now now;

	base_clock_now(&now);
	return now.mono_ns;
}

static void on_beat(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct spoa_worker *worker = timer->data;
	int64_t limit = worker->snapshot->config->conf->spop.max_stall;
	uint64_t now = mono_now();
	double since = (double)(now - worker->last_beat) / (double)NS_PER_S;

	(void)events;
	worker->last_beat = now;
	if (TAILQ_EMPTY(&worker->conns)) {
		ev_timer_stop(loop, timer);
		return;
	}
	if (!limit || since < SPOA_STALL_BEAT_SECONDS + (double)limit / 1000.)
		return;
	worker->stale_until = ev_now(loop) + SPOA_STALL_AFTER_SECONDS;
	spoa_metrics_add(&worker->metrics, SPOA_COUNT_STALLS, 1);
	say(since);
}

void spoa_stall_init(struct spoa_worker *worker)
{
	ev_timer_init(&worker->beat, on_beat, SPOA_STALL_BEAT_SECONDS, SPOA_STALL_BEAT_SECONDS);
	/* First, whatever else there is. */
	ev_set_priority(&worker->beat, EV_MAXPRI);
	worker->beat.data = worker;
	worker->stale_until = 0.;
}

void spoa_stall_watch(struct spoa_worker *worker)
{
	if (ev_is_active(&worker->beat))
		return;
	worker->last_beat = mono_now();
	ev_timer_again(worker->loop, &worker->beat);
}

void spoa_stall_done(struct spoa_worker *worker)
{
	ev_timer_stop(worker->loop, &worker->beat);
}

bool spoa_stall_is_stale(const struct spoa_worker *worker)
{
	return ev_now(worker->loop) < worker->stale_until;
}
