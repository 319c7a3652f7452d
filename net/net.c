#include "net/net.h"

#include "base/clock.h"
#include "net/outcome.h"
#include "net/queue.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

/* Idle connections that are kept for the next request to the same server. */
#define KEPT_CONNECTIONS 64L
/* How often the thread looks at the time of those that wait, and when none does. */
#define WAITING_POLL_MS 100
#define IDLE_POLL_MS    1000

DEFINE_CLEANUP(net, struct net *, net_free)

/* Ends the transfer, whose answer is written. */
static void deliver(struct net *net, struct net_transfer *t)
{
	struct net_answer *answer = TAKE_PTR(t->answer);

	net_transfer_free(t);
	net_queue_answer(net, answer);
}

static void expire_waiting(struct net *net)
{
	struct base_now now;
	struct net_transfer *t;

	base_clock_now(&now);
	t = net_queue_expired(net, now.mono_ns);
	while (t) {
		struct net_transfer *next = t->next;

		net_outcome_fail(t, t->cancelled ? -ECANCELED : -ETIMEDOUT);
		deliver(net, t);
		t = next;
	}
}

static void start_one(struct net *net, struct net_transfer *t)
{
	int rc = net_transfer_start(t);

	if (!rc && curl_multi_add_handle(net->multi, t->easy) != CURLM_OK)
		rc = -ENOMEM;
	if (rc) {
		net_outcome_fail(t, rc);
		deliver(net, t);
		return;
	}
	net->active[net->n_active++] = t;
}

/* Streams that wait for room, once there is some. */
static void go_on(struct net *net)
{
	for (size_t i = 0; i < net->n_active; i++) {
		struct net_transfer *t = net->active[i];

		if (t->paused && net_queue_has_room(net)) {
			t->paused = false;
			curl_easy_pause(t->easy, CURLPAUSE_CONT);
		}
	}
}

static void end_cancelled(struct net *net)
{
	net_queue_take_cancelled(net);
	for (size_t i = 0; i < net->n_active;) {
		struct net_transfer *t = net->active[i];

		if (!t->cancelled) {
			i++;
			continue;
		}
		curl_multi_remove_handle(net->multi, t->easy);
		net->active[i] = net->active[--net->n_active];
		net_outcome_fail(t, -ECANCELED);
		deliver(net, t);
	}
}

static void start_waiting(struct net *net)
{
	while (net->n_active < NET_ACTIVE_MAX) {
		struct net_transfer *t = net_queue_pop(net);

		if (!t)
			return;
		start_one(net, t);
	}
	expire_waiting(net);
}

static void forget_active(struct net *net, const struct net_transfer *t)
{
	for (size_t i = 0; i < net->n_active; i++)
		if (net->active[i] == t) {
			net->active[i] = net->active[--net->n_active];
			return;
		}
}

static void collect(struct net *net)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(net->multi, &left))) {
		CURLcode code = msg->data.result;
		CURL *easy = msg->easy_handle;
		struct net_transfer *t = NULL;

		curl_easy_getinfo(easy, CURLINFO_PRIVATE, &t);
		curl_multi_remove_handle(net->multi, easy); /* msg is gone from here on */
		net_outcome_end(t, code);
		forget_active(net, t);
		deliver(net, t);
	}
}

static bool is_stopping(struct net *net)
{
	bool stopping;

	pthread_mutex_lock(&net->lock);
	stopping = net->stopping;
	pthread_mutex_unlock(&net->lock);
	return stopping;
}

static void *run(void *arg)
{
	static const struct timespec PAUSE = {.tv_nsec = 10 * NS_PER_MS};
	struct net *net = arg;
	int n_running;

	while (!is_stopping(net)) {
		end_cancelled(net);
		go_on(net);
		curl_multi_perform(net->multi, &n_running);
		collect(net);
		start_waiting(net); /* last, so that nobody waits while a slot is free */

		int wait_ms = net->n_active ? WAITING_POLL_MS : IDLE_POLL_MS;

		/* A submit since start_waiting has already woken this poll. */
		if (curl_multi_poll(net->multi, NULL, 0, wait_ms, NULL) != CURLM_OK)
			nanosleep(&PAUSE, NULL); /* out of memory: try again, but not at once */
	}
	return NULL;
}

/* The thread inherits a mask with everything blocked: signals are main's. */
static int start_thread(struct net *net)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	sigdelset(&all, SIGSYS); /* blocked, it would kill: the daemon's filter answers it */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&net->thread, NULL, run, net);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	net->running = !rc;
	return -rc;
}

int net_new(void (*wake)(void *arg), void *arg, struct net **ret_net)
{
	cleanup(net) struct net *net = NULL;
	int rc = net_transfer_global();

	if (rc)
		return rc;
	net = calloc(1, sizeof(*net));
	if (!net)
		return -ENOMEM;
	pthread_mutex_init(&net->lock, NULL);
	net->waiting_end = &net->waiting;
	net->answers_end = &net->answers;
	net->wake = wake;
	net->arg = arg;
	net->multi = curl_multi_init();
	if (!net->multi)
		return -ENOMEM;
	curl_multi_setopt(net->multi, CURLMOPT_MAXCONNECTS, KEPT_CONNECTIONS);
	rc = start_thread(net);
	if (rc)
		return rc;
	*ret_net = TAKE_PTR(net);
	return 0;
}

static void stop_thread(struct net *net)
{
	pthread_mutex_lock(&net->lock);
	net->stopping = true;
	pthread_mutex_unlock(&net->lock);
	curl_multi_wakeup(net->multi);
	pthread_join(net->thread, NULL);
}

void net_free(struct net *net)
{
	struct net_transfer *t;
	struct net_answer *answer;

	if (!net)
		return;
	if (net->running)
		stop_thread(net);
	while (net->n_active) {
		t = net->active[--net->n_active];
		curl_multi_remove_handle(net->multi, t->easy);
		net_transfer_free(t);
	}
	while ((t = net_queue_pop(net)))
		net_transfer_free(t);
	while ((answer = net_take(net)))
		net_answer_free(answer);
	curl_multi_cleanup(net->multi);
	pthread_mutex_destroy(&net->lock);
	free(net);
}
