#include "spoa/introspect.h"

#include "spoa/inquiry.h"
#include "spoa/log.h"
#include "token/introspection.h"

#include <errno.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>

/* Nobody is asked again so soon after there was no proper answer. */
#define FAILED_NS (1 * (uint64_t)NS_PER_S)
/* A request that never comes to an end is forgotten after this. */
#define PENDING_NS  (2 * (uint64_t)SPOA_INTROSPECT_TIMEOUT_MS * (uint64_t)NS_PER_MS)
#define WHY         200
#define LINES_PER_S 5

/* One token on its way to a provider and back. */
struct exchange {
	TAILQ_ENTRY(exchange) link;
	struct spoa_config *config;
	const struct conf_provider *provider;
	struct spoa_results_key key;
	size_t n;
	char token[];
};

TAILQ_HEAD(exchanges, exchange);

struct spoa_introspect {
	struct net *net;
	struct spoa_metrics *metrics;
	void (*changed)(void *arg);
	void (*wake)(void *arg);
	void *arg;
	struct spoa_results *results;
	struct spoa_log_limit lines;

	pthread_mutex_t lock; /* guards these two */
	struct exchanges waiting;
	size_t n_waiting;

	struct exchanges asked; /* the main thread's alone */
	size_t n_asked;
};

struct spoa_introspect *spoa_introspect_new(struct net *net, struct spoa_metrics *metrics,
	void (*changed)(void *arg), void (*wake)(void *arg), void *arg)
{
	struct spoa_introspect *in = calloc(1, sizeof(*in));

	if (in)
		in->results = spoa_results_new();
	if (!in || !in->results) {
		free(in);
		return NULL;
	}
	in->net = net;
	in->metrics = metrics;
	in->changed = changed;
	in->wake = wake;
	in->arg = arg;
	pthread_mutex_init(&in->lock, NULL);
	TAILQ_INIT(&in->waiting);
	TAILQ_INIT(&in->asked);
	return in;
}

static void exchange_free(struct exchange *x)
{
	spoa_config_unref(x->config);
	explicit_bzero(x->token, x->n);
	free(x);
}

static void free_all(struct exchanges *list)
{
	struct exchange *x;

	while ((x = TAILQ_FIRST(list))) {
		TAILQ_REMOVE(list, x, link);
		exchange_free(x);
	}
}

void spoa_introspect_free(struct spoa_introspect *in)
{
	if (!in)
		return;
	free_all(&in->waiting);
	free_all(&in->asked);
	spoa_results_free(in->results);
	pthread_mutex_destroy(&in->lock);
	free(in);
}

struct spoa_results *spoa_introspect_results(struct spoa_introspect *in)
{
	return in->results;
}

uint64_t spoa_introspect_origin(const struct conf_provider *provider)
{
	const struct conf_introspection *how = &provider->introspection;
	const char *const parts[] = {provider->name, provider->issuer, how->url, how->client_id,
		provider->ca_file, provider->proxy, provider->allow_http ? "http" : "https"};
	/* Hashes of the parts: of one length, whatever an operator writes. */
	unsigned char hashes[ARRAY_SIZE(parts)][SHA256_DIGEST_LENGTH], hash[SHA256_DIGEST_LENGTH];
	uint64_t origin;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		const char *part = parts[i] ? parts[i] : "";

		SHA256((const unsigned char *)part, strlen(part), hashes[i]);
	}
	SHA256(hashes[0], sizeof(hashes), hash);
	memcpy(&origin, hash, sizeof(origin));
	return origin;
}

/* The clock of how long a word counts: it goes on while the machine sleeps. */
static uint64_t boot_now(void)
{
	struct base_now now;

	base_clock_now(&now);
	return now.boot_ns;
}

void spoa_introspect_want(struct spoa_introspect *in, struct spoa_config *config, size_t i,
	const struct spoa_results_key *key, struct span token)
{
	uint64_t now = boot_now();
	struct exchange *x = malloc(sizeof(*x) + token.n);
	bool queued;

	if (!x)
		return;
	if (!spoa_results_claim(in->results, key, now, now + PENDING_NS)) {
		free(x);
		return;
	}
	*x = (struct exchange){
		.config = spoa_config_ref(config),
		.provider = &config->conf->providers[i],
		.key = *key,
		.n = token.n,
	};
	memcpy(x->token, token.p, token.n);
	pthread_mutex_lock(&in->lock);
	queued = in->n_waiting < SPOA_INTROSPECT_WAITING;
	if (queued) {
		TAILQ_INSERT_TAIL(&in->waiting, x, link);
		in->n_waiting++;
	}
	pthread_mutex_unlock(&in->lock);
	if (queued) {
		in->wake(in->arg);
		return;
	}
	exchange_free(x);
	spoa_results_put(in->results, key,
		&(struct spoa_result){.said = SPOA_SAID_FAILED, .until = now + FAILED_NS});
}

static void log_failure(struct spoa_introspect *in, const struct exchange *x, const char *why)
{
	struct base_log log;
	uint64_t lost;

	if (!spoa_log_allowed(&in->lines, LINES_PER_S, boot_now(), &lost) ||
		!spoa_log_open(&log, BASE_LOG_WARNING, "introspection_failed"))
		return;
	base_log_str(&log, "provider", x->provider->name);
	base_log_str(&log, "why", why);
	if (lost)
		base_log_int(&log, "suppressed", (int64_t)lost);
	spoa_log_close(&log);
}

/* The exchange is over; what is known now is for the workers to find. */
static void conclude(
	struct spoa_introspect *in, struct exchange *x, const struct spoa_result *result)
{
	static const enum spoa_counter COUNTERS[] = {
		[SPOA_SAID_ACTIVE] = SPOA_COUNT_INTROSPECTED_ACTIVE,
		[SPOA_SAID_INACTIVE] = SPOA_COUNT_INTROSPECTED_INACTIVE,
		[SPOA_SAID_FAILED] = SPOA_COUNT_INTROSPECTED_FAILED,
	};

	spoa_results_put(in->results, &x->key, result);
	spoa_metrics_add(in->metrics, COUNTERS[result->said], 1);
	exchange_free(x);
	in->changed(in->arg);
}

static void fail(struct spoa_introspect *in, struct exchange *x, const char *why)
{
	const struct spoa_result failed = {
		.said = SPOA_SAID_FAILED, .until = boot_now() + FAILED_NS};

	log_failure(in, x, why);
	conclude(in, x, &failed);
}

static int submit(struct spoa_introspect *in, struct exchange *x, char why[WHY])
{
	const struct conf_provider *p = x->provider;
	const struct conf_introspection *how = &p->introspection;
	cleanup(spoa_inquiry) char *body = NULL;
	cleanup(spoa_inquiry) char *authorization = NULL;
	const char *headers[3] = {
		"Content-Type: application/x-www-form-urlencoded", "Accept: application/json"};
	struct net_request request = {
		.url = how->url,
		.ca_file = p->ca_file,
		.cert_file = how->cert_file,
		.key_file = how->key_file,
		.proxy = p->proxy,
		.networks = (const char *const *)p->networks.items,
		.n_networks = p->networks.n,
		.allow_http = p->allow_http,
		.headers = headers,
		.n_headers = 2,
		.max_bytes = TOKEN_INTROSPECTION_MAX,
		.timeout_ms = SPOA_INTROSPECT_TIMEOUT_MS,
		.owner = x,
	};
	int rc = spoa_inquiry_make(
		how, (struct span){.p = x->token, .n = x->n}, &body, &authorization, why);

	if (rc)
		return rc;
	if (authorization)
		headers[request.n_headers++] = authorization;
	request.post = body;
	rc = net_submit(in->net, &request);
	if (rc)
		snprintf(why, WHY, "cannot ask %.100s: %s", how->url, strerror(-rc));
	return rc;
}

static size_t asked_of(const struct spoa_introspect *in, const struct exchange *like)
{
	const struct exchange *x;
	size_t n = 0;

	TAILQ_FOREACH(x, &in->asked, link)
	n += x->key.origin == like->key.origin;
	return n;
}

/* The first that waits and whose provider has a free place; taken out of the queue. */
static struct exchange *take_next(struct spoa_introspect *in)
{
	struct exchange *x = NULL;

	if (in->n_asked >= SPOA_INTROSPECT_ALL)
		return NULL;
	pthread_mutex_lock(&in->lock);
	TAILQ_FOREACH(x, &in->waiting, link)
	if (asked_of(in, x) < SPOA_INTROSPECT_EACH)
		break;
	if (x) {
		TAILQ_REMOVE(&in->waiting, x, link);
		in->n_waiting--;
	}
	pthread_mutex_unlock(&in->lock);
	return x;
}

void spoa_introspect_send(struct spoa_introspect *in)
{
	struct exchange *x;

	while ((x = take_next(in))) {
		char why[WHY] = "";

		if (submit(in, x, why)) {
			fail(in, x, why);
			continue;
		}
		TAILQ_INSERT_TAIL(&in->asked, x, link);
		in->n_asked++;
	}
}

static struct exchange *take_asked(struct spoa_introspect *in, const void *owner)
{
	struct exchange *x;

	TAILQ_FOREACH(x, &in->asked, link)
	if (x == owner)
		break;
	if (x) {
		TAILQ_REMOVE(&in->asked, x, link);
		in->n_asked--;
	}
	return x;
}

/* How long an active token's word counts: the ttl, and not past exp. */
static void set_life(const struct conf_introspection *how, int64_t exp, struct spoa_result *result)
{
	int64_t ttl_ms = how->ttl;
	struct base_now now;
	int64_t left_s;

	base_clock_now(&now);
	left_s = exp - base_clock_wall_s(&now);
	if (left_s < ttl_ms / 1000)
		ttl_ms = left_s > 0 ? left_s * 1000 : 0;
	result->until = now.boot_ns + (uint64_t)ttl_ms * (uint64_t)NS_PER_MS;
	result->good_till = base_clock_wall_s(&now) + (how->ttl + 999) / 1000;
	/* Once, at least: whoever waits is to hear that it has expired. */
	if (!ttl_ms)
		result->until = now.boot_ns + FAILED_NS;
}

static void judge(struct spoa_introspect *in, struct exchange *x, const struct net_answer *answer)
{
	struct spoa_result result = {.json = {.p = answer->body, .n = answer->body_len}};
	int64_t exp = INT64_MAX;

	switch (token_introspection_judge(result.json, &exp)) {
	case TOKEN_INTROSPECTED_ACTIVE:
		result.said = SPOA_SAID_ACTIVE;
		set_life(&x->provider->introspection, exp, &result);
		break;
	case TOKEN_INTROSPECTED_INACTIVE:
		result.said = SPOA_SAID_INACTIVE;
		result.until = boot_now() + (uint64_t)x->provider->introspection.negative_ttl *
						    (uint64_t)NS_PER_MS;
		break;
	case TOKEN_INTROSPECTED_NONSENSE:
		fail(in, x, "the answer is not one (RFC 7662 2.2)");
		return;
	}
	conclude(in, x, &result);
}

bool spoa_introspect_answer(struct spoa_introspect *in, const struct net_answer *answer)
{
	struct exchange *x = take_asked(in, answer->owner);
	char why[WHY];

	if (!x)
		return false;
	if (answer->error) {
		fail(in, x, answer->why);
	} else if (answer->status != 200) {
		snprintf(why, sizeof(why), "HTTP status %ld", answer->status);
		fail(in, x, why);
	} else {
		judge(in, x, answer);
	}
	spoa_introspect_send(in);
	return true;
}
