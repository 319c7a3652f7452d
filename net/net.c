#include "net/net.h"

#include "base/clock.h"
#include "net/outcome.h"
#include "net/transfer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

/* Idle connections that are kept for the next request to the same server. */
#define KEPT_CONNECTIONS 64L
/* How often the thread looks at the time of those that wait, and when none does. */
#define WAITING_POLL_MS 100
#define IDLE_POLL_MS    1000

struct net {
	CURLM *multi;
	void (*wake)(void *arg);
	void *arg;
	pthread_t thread;
	bool running; /* the thread was started */

	pthread_mutex_t lock; /* guards from here on */
	bool stopping;
	size_t n_unanswered; /* submitted and not taken */
	struct net_transfer *waiting;
	struct net_transfer **waiting_end;
	struct net_answer *answers;
	struct net_answer **answers_end;
	size_t n_lines, lines_bytes; /* of them that are lines */
	void *cancelled[NET_REQUESTS_MAX];
	size_t n_cancelled;

	/* The thread's alone; after it ended, net_free's. */
	struct net_transfer *active[NET_ACTIVE_MAX];
	size_t n_active;
};

DEFINE_CLEANUP(net, struct net *, net_free)

static void queue_answer(struct net *net, struct net_answer *answer)
{
	pthread_mutex_lock(&net->lock);
	*net->answers_end = answer;
	net->answers_end = &answer->next;
	if (answer->more) {
		net->n_lines++;
		net->lines_bytes += answer->body_len;
	}
	pthread_mutex_unlock(&net->lock);
	net->wake(net->arg);
}

/* Ends the transfer, whose answer is written. */
static void deliver(struct net *net, struct net_transfer *t)
{
	struct net_answer *answer = TAKE_PTR(t->answer);

	net_transfer_free(t);
	queue_answer(net, answer);
}

static bool lines_full(const struct net *net)
{
	return net->n_lines >= NET_LINES_MAX || net->lines_bytes >= NET_LINES_BYTES_MAX;
}

static bool has_room(void *arg)
{
	struct net *net = arg;
	bool full;

	pthread_mutex_lock(&net->lock);
	full = lines_full(net);
	pthread_mutex_unlock(&net->lock);
	return !full;
}

static void on_line(void *arg, struct net_answer *line)
{
	queue_answer(arg, line);
}

static struct net_transfer *waiting_pop(struct net *net)
{
	struct net_transfer *t;

	pthread_mutex_lock(&net->lock);
	t = net->waiting;
	if (t) {
		net->waiting = t->next;
		t->next = NULL;
	}
	if (!net->waiting)
		net->waiting_end = &net->waiting;
	pthread_mutex_unlock(&net->lock);
	return t;
}

/* Cuts those out of the queue whose time is over; returns them as a list. */
static struct net_transfer *waiting_expired(struct net *net, uint64_t now_ns)
{
	struct net_transfer *expired = NULL;
	struct net_transfer **at = &net->waiting;

	pthread_mutex_lock(&net->lock);
	while (*at) {
		struct net_transfer *t = *at;

		if (now_ns < t->deadline_ns && !t->cancelled) {
			at = &t->next;
			continue;
		}
		*at = t->next;
		t->next = expired;
		expired = t;
	}
	net->waiting_end = at;
	pthread_mutex_unlock(&net->lock);
	return expired;
}

static void expire_waiting(struct net *net)
{
	struct base_now now;
	struct net_transfer *t;

	base_clock_now(&now);
	t = waiting_expired(net, now.mono_ns);
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

		if (t->paused && has_room(net)) {
			t->paused = false;
			curl_easy_pause(t->easy, CURLPAUSE_CONT);
		}
	}
}

static bool was_cancelled(const struct net *net, const void *owner)
{
	for (size_t i = 0; i < net->n_cancelled; i++)
		if (net->cancelled[i] == owner)
			return true;
	return false;
}

/* Makes those expire that nobody wants any more, wherever they are. */
static void take_cancelled(struct net *net)
{
	pthread_mutex_lock(&net->lock);
	for (struct net_transfer *t = net->waiting; net->n_cancelled && t; t = t->next)
		t->cancelled = t->cancelled || was_cancelled(net, t->answer->owner);
	for (size_t i = 0; net->n_cancelled && i < net->n_active; i++)
		net->active[i]->cancelled = net->active[i]->cancelled ||
					    was_cancelled(net, net->active[i]->answer->owner);
	net->n_cancelled = 0;
	pthread_mutex_unlock(&net->lock);
}

static void end_cancelled(struct net *net)
{
	take_cancelled(net);
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
		struct net_transfer *t = waiting_pop(net);

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

int net_submit(struct net *net, const struct net_request *request)
{
	cleanup(net_transfer) struct net_transfer *t = NULL;
	int rc = net_transfer_new(request, &t);

	if (rc)
		return rc;
	pthread_mutex_lock(&net->lock);
	if (net->n_unanswered == NET_REQUESTS_MAX) {
		rc = -EAGAIN;
	} else {
		t->room = has_room;
		t->line = on_line;
		t->arg = net;
		net->n_unanswered++;
		*net->waiting_end = t;
		net->waiting_end = &t->next;
		t = NULL; /* the queue's now */
	}
	pthread_mutex_unlock(&net->lock);
	if (!rc)
		curl_multi_wakeup(net->multi);
	return rc;
}

void net_cancel(struct net *net, void *owner)
{
	pthread_mutex_lock(&net->lock);
	if (!was_cancelled(net, owner) && net->n_cancelled < NET_REQUESTS_MAX)
		net->cancelled[net->n_cancelled++] = owner;
	pthread_mutex_unlock(&net->lock);
	curl_multi_wakeup(net->multi);
}

/* Under the lock. Whether streams that wait may go on now. */
static bool account_taken(struct net *net, const struct net_answer *answer)
{
	bool was_full = lines_full(net);

	if (!answer->more) {
		net->n_unanswered--;
		return false;
	}
	net->n_lines--;
	net->lines_bytes -= answer->body_len;
	return was_full && !lines_full(net);
}

struct net_answer *net_take(struct net *net)
{
	struct net_answer *answer;
	bool go = false;

	pthread_mutex_lock(&net->lock);
	answer = net->answers;
	if (answer) {
		net->answers = answer->next;
		answer->next = NULL;
		go = account_taken(net, answer);
	}
	if (!net->answers)
		net->answers_end = &net->answers;
	pthread_mutex_unlock(&net->lock);
	if (go)
		curl_multi_wakeup(net->multi);
	return answer;
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
	while ((t = waiting_pop(net)))
		net_transfer_free(t);
	while ((answer = net_take(net)))
		net_answer_free(answer);
	curl_multi_cleanup(net->multi);
	pthread_mutex_destroy(&net->lock);
	free(net);
}
