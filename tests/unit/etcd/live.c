#include "tests/unit/etcd/live.h"
#include "tests/unit/etcd/suites.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define AGENTS 8

static pid_t etcd_pid;
static char folder[64], endpoint[64], peer[64];
static const char *const ENDPOINTS[] = {endpoint};
static struct net *net;
static int woken;
static struct live_agent *agents[AGENTS];
static struct live_agent *straight;

struct etcd_numbers_options live_options;

const char *live_endpoint(void)
{
	return endpoint;
}

static void on_wake(void *arg)
{
	(void)arg;
	if (eventfd_write(woken, 1))
		abort();
}

static int free_port(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, n), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	close(fd);
	return ntohs(a.sin_port);
}

static void be_etcd(void)
{
	char cluster[80];
	int log;

	snprintf(cluster, sizeof(cluster), "default=%s", peer);
	if (chdir(folder))
		_exit(126);
	log = open("log", O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(log, 1);
	dup2(log, 2);
	/* A lease is never shorter than one and a half elections: here a second. */
	execlp("etcd", "etcd", "--data-dir", "data", "--listen-client-urls", endpoint,
		"--advertise-client-urls", endpoint, "--listen-peer-urls", peer,
		"--initial-advertise-peer-urls", peer, "--initial-cluster", cluster,
		"--heartbeat-interval", "50", "--election-timeout", "500", (char *)NULL);
	_exit(127);
}

static void spawn(void)
{
	etcd_pid = fork();
	if (!etcd_pid)
		be_etcd();
	ck_assert_int_gt(etcd_pid, 0);
}

/* Who asked what is under way: the newest one of an address counts. */
static struct {
	void *owner;
	struct live_agent *agent;
} asked[1024];
static size_t n_asked;

static struct live_agent *who_asked(const void *owner)
{
	for (size_t i = 0; i < ARRAY_SIZE(asked); i++)
		if (asked[i].owner == owner && asked[i].agent)
			return asked[i].agent;
	return NULL;
}

static void note(struct live_agent *agent, void *owner)
{
	for (size_t i = 0; i < ARRAY_SIZE(asked); i++)
		if (asked[i].owner == owner)
			asked[i].agent = NULL;
	asked[n_asked % ARRAY_SIZE(asked)].owner = owner;
	asked[n_asked++ % ARRAY_SIZE(asked)].agent = agent;
}

static int submit(void *arg, const struct net_request *request)
{
	struct live_agent *agent = arg;

	if (agent->deaf)
		return -EAGAIN;
	note(agent, request->owner);
	return net_submit(net, request);
}

static void cancel(void *arg, void *owner)
{
	(void)arg;
	net_cancel(net, owner);
}

static void on_changed(void *arg, const char *labels, struct ident_number number)
{
	struct live_agent *agent = arg;

	(void)labels;
	agent->n_changed++;
	agent->last = number;
}

static struct live_agent *client_new(void)
{
	const struct etcd_options options = {
		.endpoints = ENDPOINTS, .n_endpoints = 1, .allow_http = true, .timeout_ms = 2000};
	struct live_agent *agent = calloc(1, sizeof(*agent));
	const struct etcd_port port = {submit, cancel, agent};

	agent->client = etcd_client_new(&options, &port);
	ck_assert_ptr_nonnull(agent->client);
	for (size_t i = 0; i < AGENTS; i++)
		if (!agents[i]) {
			agents[i] = agent;
			return agent;
		}
	ck_abort_msg("too many agents");
}

struct live_agent *live_agent_new(const char *node)
{
	struct live_agent *agent = client_new();
	const struct etcd_numbers_owner owner = {.changed = on_changed, .arg = agent};
	struct etcd_numbers_options options = live_options;

	snprintf(agent->node, sizeof(agent->node), "%s", node);
	options.cluster.node = agent->node;
	agent->numbers = etcd_numbers_new(agent->client, &options, &owner);
	ck_assert_ptr_nonnull(agent->numbers);
	return agent;
}

void live_agent_free(struct live_agent *agent, bool goodbye)
{
	if (goodbye && agent->numbers) {
		etcd_numbers_goodbye(agent->numbers);
		live_pass(50);
	}
	for (size_t i = 0; i < AGENTS; i++)
		if (agents[i] == agent)
			agents[i] = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(asked); i++)
		if (asked[i].agent == agent)
			asked[i].agent = NULL;
	etcd_numbers_free(agent->numbers);
	etcd_client_free(agent->client);
	while (agent->held) {
		struct net_answer *next = agent->held->next;

		net_answer_free(agent->held);
		agent->held = next;
	}
	free(agent);
	live_pass(30); /* what was cancelled is gone before its addresses are used again */
}

static uint64_t now_ns(void)
{
	struct base_now now;

	base_clock_now(&now);
	return now.mono_ns;
}

/* The answer did not come: what there is instead is what the net thread would say. */
static void lose(struct net_answer *answer)
{
	free(TAKE_PTR(answer->body));
	answer->body_len = 0;
	answer->status = 0;
	answer->error = -ETIMEDOUT;
}

static void hold(struct live_agent *agent, struct net_answer *answer)
{
	struct net_answer **at = &agent->held;

	while (*at)
		at = &(*at)->next;
	answer->next = NULL;
	*at = answer;
}

static void hand_out(struct live_agent *agent, struct net_answer *answer)
{
	bool counts = !answer->more;

	if (counts && agent->lose_each && agent->n_answers % agent->lose_each == 1)
		lose(answer);
	if (counts && agent->deaf)
		lose(answer);
	agent->n_answers += counts;
	if (counts || !agent->deaf)
		(void)etcd_client_answer(agent->client, answer);
	net_answer_free(answer);
}

static void take(struct net_answer *answer)
{
	struct live_agent *agent = who_asked(answer->owner);

	if (!agent)
		net_answer_free(answer);
	else if (agent->delay_each && !answer->more && rand() % (int)agent->delay_each == 0)
		hold(agent, answer);
	else
		hand_out(agent, answer);
}

static void release_held(struct live_agent *agent)
{
	struct net_answer *answer = agent->held;

	if (!answer || rand() % 4)
		return;
	agent->held = answer->next;
	answer->next = NULL;
	hand_out(agent, answer);
}

void live_turn(void)
{
	struct pollfd fd = {.fd = woken, .events = POLLIN};
	struct net_answer *answer;
	eventfd_t n;

	if (poll(&fd, 1, 1) == 1)
		eventfd_read(woken, &n);
	while ((answer = net_take(net)))
		take(answer);
	for (size_t i = 0; i < AGENTS; i++) {
		if (!agents[i] || agents[i]->frozen)
			continue;
		release_held(agents[i]);
		etcd_client_tick(agents[i]->client, now_ns());
		if (agents[i]->numbers)
			(void)etcd_numbers_tick(agents[i]->numbers, now_ns());
	}
}

void live_pass(unsigned ms)
{
	uint64_t until = now_ns() + ms * (uint64_t)NS_PER_MS;

	while (now_ns() < until)
		live_turn();
}

/* What the last straight call said. */
static struct {
	bool done;
	int error;
	char value[8192];
	size_t n;
	void (*visit)(void *arg, const struct etcd_kv *kv);
	void *arg;
	int64_t revision;
} said;

static void on_said(void *arg, int error, const struct etcd_reply *reply, const char *why)
{
	(void)arg;
	(void)why;
	said.done = true;
	said.error = error;
	said.n = reply ? reply->n_kvs : 0;
	said.revision = reply ? reply->revision : 0;
	for (size_t i = 0; i < said.n; i++)
		if (said.visit)
			said.visit(said.arg, &reply->kvs[i]);
	if (said.n)
		snprintf(said.value, sizeof(said.value), "%.*s", SPAN_ARG(reply->kvs[0].value));
}

static int call(enum etcd_kind kind, json_t *request)
{
	said.done = false;
	ck_assert_int_eq(etcd_client_call(straight->client, kind, request, on_said, NULL, NULL), 0);
	LIVE_UNTIL(said.done);
	return said.error;
}

void live_each(const char *prefix, void (*visit)(void *arg, const struct etcd_kv *kv), void *arg)
{
	said.visit = visit;
	said.arg = arg;
	ck_assert_int_eq(call(ETCD_RANGE, etcd_request_range(&(struct etcd_range){
						  .key = span_of(prefix), .prefix = true})),
		0);
	said.visit = NULL;
}

size_t live_count(const char *prefix)
{
	live_each(prefix, NULL, NULL);
	return said.n;
}

const char *live_get(const char *key)
{
	ck_assert_int_eq(
		call(ETCD_RANGE, etcd_request_range(&(struct etcd_range){.key = span_of(key)})), 0);
	return said.n ? said.value : NULL;
}

void live_put(const char *key, const char *value)
{
	struct etcd_txn txn;

	etcd_txn_init(&txn);
	if (value)
		etcd_txn_then_put(&txn, span_of(key), span_of(value), 0);
	else
		etcd_txn_then_delete(&txn, span_of(key));
	ck_assert_int_eq(call(ETCD_TXN, etcd_txn_done(&txn)), 0);
}

void live_compact(void)
{
	char url[128], body[64];
	struct net_answer *answer = NULL;
	struct net_request request = {.url = url,
		.allow_http = true,
		.post = body,
		.max_bytes = 4096,
		.timeout_ms = 5000,
		.owner = body};

	live_put("compacted", "once");
	snprintf(url, sizeof(url), "%s/v3/kv/compaction", endpoint);
	snprintf(body, sizeof(body), "{\"revision\":\"%lld\",\"physical\":true}",
		(long long)said.revision);
	ck_assert_int_eq(net_submit(net, &request), 0);
	while (!answer || answer->owner != body) {
		poll(NULL, 0, 1);
		if (answer)
			take(answer);
		answer = net_take(net);
	}
	ck_assert_int_eq(answer->status, 200);
	net_answer_free(answer);
}

static bool is_healthy(void)
{
	return call(ETCD_RANGE, etcd_request_range(&(struct etcd_range){.key = SPAN("x")})) == 0;
}

static void wait_healthy(void)
{
	for (int i = 0; i < 600 && !is_healthy(); i++) {
		ck_assert_msg(waitpid(etcd_pid, NULL, WNOHANG) == 0,
			"etcd does not run; is etcd-server installed? See %s/log", folder);
		live_pass(50);
	}
	ck_assert(is_healthy());
}

void live_start(void)
{
	strcpy(folder, "/tmp/identityd-etcd-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(endpoint, sizeof(endpoint), "http://127.0.0.1:%d", free_port());
	snprintf(peer, sizeof(peer), "http://127.0.0.1:%d", free_port());
	woken = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ck_assert_int_eq(net_new(on_wake, NULL, &net), 0);
	straight = client_new();
	spawn();
	wait_healthy();
}

void live_kill(void)
{
	kill(etcd_pid, SIGKILL);
	waitpid(etcd_pid, NULL, 0);
}

void live_again(void)
{
	spawn();
	wait_healthy();
}

void live_freeze(bool on)
{
	kill(etcd_pid, on ? SIGSTOP : SIGCONT);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* A lease that has not ended yet may take its keys along later, which is fine. */
static void delete_one(void *arg, const struct etcd_kv *kv)
{
	struct etcd_txn *txn = arg;

	if (json_array_size(txn->then) < ETCD_TXN_MAX)
		etcd_txn_then_delete(txn, kv->key);
}

static void wipe(const char *prefix)
{
	size_t left;

	do {
		struct etcd_txn txn;

		etcd_txn_init(&txn);
		live_each(prefix, delete_one, &txn);
		left = said.n;
		ck_assert_int_eq(call(ETCD_TXN, etcd_txn_done(&txn)), 0);
	} while (left);
}

static void free_agents(void)
{
	for (size_t i = 0; i < AGENTS; i++)
		if (agents[i] && agents[i] != straight)
			live_agent_free(agents[i], false);
}

void live_begin(void)
{
	live_options = (struct etcd_numbers_options){
		.cluster = {.prefix = "cilium", .clusters = 255, .name = "default"},
		.lease_s = 60,
		.settle_ns = 100 * NS_PER_MS,
		.rest_ns = 3600 * NS_PER_S,
		.max = 65536,
	};
	wipe("cilium/");
	wipe("identityd/");
}

void live_end(void)
{
	free_agents();
}

void live_stop(void)
{
	free_agents();
	live_agent_free(straight, false);
	net_free(net);
	live_kill();
	nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	close(woken);
}
