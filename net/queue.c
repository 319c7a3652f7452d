#include "net/queue.h"

#include <errno.h>

void net_queue_answer(struct net *net, struct net_answer *answer)
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

static bool lines_full(const struct net *net)
{
	return net->n_lines >= NET_LINES_MAX || net->lines_bytes >= NET_LINES_BYTES_MAX;
}

bool net_queue_has_room(struct net *net)
{
	bool full;

	pthread_mutex_lock(&net->lock);
	full = lines_full(net);
	pthread_mutex_unlock(&net->lock);
	return !full;
}

static bool on_room(void *arg)
{
	return net_queue_has_room(arg);
}

static void on_line(void *arg, struct net_answer *line)
{
	net_queue_answer(arg, line);
}

struct net_transfer *net_queue_pop(struct net *net)
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

struct net_transfer *net_queue_expired(struct net *net, uint64_t now_ns)
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

static bool was_cancelled(const struct net *net, const void *owner)
{
	for (size_t i = 0; i < net->n_cancelled; i++)
		if (net->cancelled[i] == owner)
			return true;
	return false;
}

void net_queue_take_cancelled(struct net *net)
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
		t->room = on_room;
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
