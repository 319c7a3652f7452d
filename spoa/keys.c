#include "spoa/keys.h"

#include "spoa/log.h"
#include "token/discovery.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FETCH_TIMEOUT_MS 10000
#define DISCOVERY_MAX    (64 * 1024)
#define BACKOFF_MAX_S    30.
#define WHY_MAX          200

enum event {
	START,
	GOT,
	FAILED,
};

#define NONE SPOA_KEYS_STATES /* the event cannot come in this state */
static const unsigned char NEXT[SPOA_KEYS_STATES][FAILED + 1] = {
	[SPOA_KEYS_EMPTY] = {SPOA_KEYS_FETCHING, SPOA_KEYS_FRESH, SPOA_KEYS_EMPTY},
	[SPOA_KEYS_FETCHING] = {NONE, SPOA_KEYS_FRESH, SPOA_KEYS_EMPTY},
	[SPOA_KEYS_FRESH] = {SPOA_KEYS_REFRESHING, SPOA_KEYS_FRESH, SPOA_KEYS_STALE},
	[SPOA_KEYS_REFRESHING] = {NONE, SPOA_KEYS_FRESH, SPOA_KEYS_STALE},
	[SPOA_KEYS_STALE] = {SPOA_KEYS_REFRESHING, SPOA_KEYS_FRESH, SPOA_KEYS_STALE},
};

static const char *const STATE_NAMES[] = {"empty", "fetching", "fresh", "refreshing", "stale"};
_Static_assert(ARRAY_SIZE(STATE_NAMES) == SPOA_KEYS_STATES, "a word for each");

struct source {
	uintptr_t serial; /* names the source to the net thread, also after it is gone */
	const struct conf_provider *provider;
	uint32_t algs;
	enum spoa_keys_state state;
	struct token_keyset *set;
	uint64_t fetched_at; /* when the request that brought the set was sent */
	uint64_t sent_at;
	bool in_discovery;
	unsigned failures;   /* in a row */
	double allowance;    /* fetches that unknown key ids may still cause */
	uint64_t allowed_at; /* when allowance was last brought up to date */
	ev_timer timer;      /* the next fetch of our own accord */
	char why[WHY_MAX];   /* of the last failure; empty after success */
	struct spoa_keys *keys;
};

struct spoa_keys {
	struct ev_loop *loop;
	struct net *net;
	struct spoa_metrics *metrics;
	void (*changed)(void *arg);
	void *arg;
	ev_idle tell; /* calls changed from the loop, once for many changes */
	struct spoa_config *config;
	struct source **sources; /* same order as the configuration's providers */
	size_t n;
	uintptr_t last_serial;
};

static uint64_t mono_now(void)
{
	struct base_now now;

	base_clock_now(&now);
	return now.mono_ns;
}

static void log_state(const struct source *source, enum base_log_level level, const char *event)
{
	struct base_log log;

	if (!spoa_log_open(&log, level, event))
		return;
	base_log_str(&log, "provider", source->provider->name);
	base_log_str(&log, "state", STATE_NAMES[source->state]);
	base_log_int(&log, "keys", source->set ? (int64_t)token_keyset_count(source->set) : 0);
	if (*source->why)
		base_log_str(&log, "why", source->why);
	spoa_log_close(&log);
}

/* The one mover. */
static void move(struct source *source, enum event event)
{
	unsigned next = NEXT[source->state][event];

	if (next != NONE)
		source->state = (enum spoa_keys_state)next;
}

static bool under_way(const struct source *source)
{
	return source->state == SPOA_KEYS_FETCHING || source->state == SPOA_KEYS_REFRESHING;
}

static void on_tell(struct ev_loop *loop, ev_idle *watcher, int events)
{
	struct spoa_keys *keys = watcher->data;

	(void)events;
	ev_idle_stop(loop, watcher);
	keys->changed(keys->arg);
}

static void tell(struct spoa_keys *keys)
{
	ev_idle_start(keys->loop, &keys->tell);
}

static void arm(struct source *source, double seconds)
{
	struct ev_loop *loop = source->keys->loop;

	ev_timer_stop(loop, &source->timer);
	ev_now_update(loop);
	ev_timer_set(&source->timer, seconds, 0.);
	ev_timer_start(loop, &source->timer);
}

static void fetch_failed(struct source *source, const char *why)
{
	double backoff = (double)(UINT64_C(1) << (source->failures < 5 ? source->failures : 5));

	snprintf(source->why, sizeof(source->why), "%s", why);
	move(source, FAILED);
	if (source->failures < UINT32_MAX)
		source->failures++;
	spoa_metrics_add(source->keys->metrics, SPOA_COUNT_KEY_FETCHES_FAILED, 1);
	log_state(source, BASE_LOG_WARNING, "keys_not_fetched");
	if (!source->provider->jwks_file)
		arm(source, backoff < BACKOFF_MAX_S ? backoff : BACKOFF_MAX_S);
	tell(source->keys);
}

/* The refresh interval, give or take a tenth, so that many agents do not come at once. */
static double refresh_seconds(const struct source *source)
{
	double share = (double)(random() % 2001 - 1000) / 10000.;

	return (double)source->provider->refresh / 1000. * (1. + share);
}

static void take_set(struct source *source, struct span json)
{
	struct token_keyset *set = NULL;
	struct token_keyset_stats stats = {0};
	char why[WHY_MAX];
	int rc = token_keyset_parse(json, source->algs, &set, &stats);

	if (rc) {
		snprintf(why, sizeof(why), "%s%s%s",
			rc == -ENOKEY ? "the key set holds no usable key"
				      : "the answer is not a JWK set",
			*stats.why ? ": " : "", stats.why);
		fetch_failed(source, why);
		return;
	}
	token_keyset_unref(source->set);
	source->set = set;
	source->fetched_at = source->provider->jwks_file ? UINT64_MAX : source->sent_at;
	source->failures = 0;
	source->why[0] = '\0';
	move(source, GOT);
	spoa_metrics_add(source->keys->metrics, SPOA_COUNT_KEY_FETCHES, 1);
	log_state(source, BASE_LOG_INFO, "keys_fetched");
	if (stats.n_private)
		log_state(source, BASE_LOG_ERROR, "provider_publishes_private_keys");
	if (!source->provider->jwks_file)
		arm(source, refresh_seconds(source));
	tell(source->keys);
}

static void read_file(struct source *source)
{
	cleanup(fd) int fd = open(source->provider->jwks_file, O_RDONLY | O_CLOEXEC);
	cleanup(free) char *text = malloc(TOKEN_KEYSET_MAX_BYTES + 1);
	char why[WHY_MAX];
	ssize_t n = -1;

	if (fd >= 0 && text)
		n = read(fd, text, TOKEN_KEYSET_MAX_BYTES + 1);
	if (n < 0) {
		snprintf(why, sizeof(why), "%s: %s", source->provider->jwks_file, strerror(errno));
		fetch_failed(source, why);
		return;
	}
	take_set(source, (struct span){.p = text, .n = (size_t)n});
}

static void send_request(struct source *source, const char *url, bool discovery)
{
	struct net_request request = {
		.url = url,
		.ca_file = source->provider->ca_file,
		.allow_http = source->provider->allow_http,
		.max_bytes = discovery ? DISCOVERY_MAX : TOKEN_KEYSET_MAX_BYTES,
		.timeout_ms = FETCH_TIMEOUT_MS,
		.owner = (void *)source->serial,
	};
	char why[WHY_MAX];
	int rc;

	source->in_discovery = discovery;
	rc = net_submit(source->keys->net, &request);
	if (rc) {
		snprintf(why, sizeof(why), "cannot ask for %.100s: %s", url, strerror(-rc));
		fetch_failed(source, why);
	}
}

static void start_fetch(struct source *source)
{
	char url[TOKEN_URL_MAX + 1];

	if (under_way(source))
		return;
	ev_timer_stop(source->keys->loop, &source->timer);
	move(source, START);
	source->sent_at = mono_now();
	if (source->provider->jwks_file)
		read_file(source);
	else if (source->provider->jwks_uri)
		send_request(source, source->provider->jwks_uri, false);
	else if (token_discovery_url(source->provider->issuer, url))
		fetch_failed(source, "the issuer is too long for a URL");
	else
		send_request(source, url, true);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	start_fetch(timer->data);
}

/* Brings the allowance for unknown key ids up to date. */
static void refill(struct source *source, uint64_t now)
{
	source->allowance += (double)(now - source->allowed_at) / (double)SPOA_KEYS_INTERVAL_NS;
	if (source->allowance > SPOA_KEYS_BURST)
		source->allowance = SPOA_KEYS_BURST;
	source->allowed_at = now;
}

void spoa_keys_need(struct spoa_keys *keys, uint64_t providers)
{
	uint64_t now = mono_now();

	for (size_t i = 0; i < keys->n; i++) {
		struct source *source = keys->sources[i];

		if (!(providers >> i & 1) || under_way(source) || source->provider->jwks_file)
			continue;
		refill(source, now);
		if (source->allowance >= 1.) {
			source->allowance -= 1.;
			start_fetch(source);
		} else {
			tell(keys); /* the snapshot that the worker saw was too hopeful */
		}
	}
}

static const char *const DISCOVERY_ERRORS[] = {
	"the discovery document is not one (OIDC Discovery 4.2)",
	"the discovery document names another issuer (OIDC Discovery 4.3)",
	"jwks_uri is not an https URL on the issuer's host; set jwks_uri to allow it",
};

static void take_discovery(struct source *source, struct span json)
{
	char url[TOKEN_URL_MAX + 1];
	int rc = token_discovery_parse(
		json, source->provider->issuer, source->provider->allow_http, url);

	if (rc == 0)
		send_request(source, url, false);
	else
		fetch_failed(source, DISCOVERY_ERRORS[rc == -EXDEV ? 1 : rc == -EPERM ? 2 : 0]);
}

static struct source *find_source(struct spoa_keys *keys, uintptr_t serial)
{
	for (size_t i = 0; i < keys->n; i++)
		if (keys->sources[i]->serial == serial)
			return keys->sources[i];
	return NULL;
}

void spoa_keys_answer(struct spoa_keys *keys, struct net_answer *answer)
{
	cleanup(net_answer) struct net_answer *owned = answer;
	struct source *source = find_source(keys, (uintptr_t)owned->owner);
	struct span body = {.p = owned->body, .n = owned->body_len};
	char why[WHY_MAX];

	if (!source) /* a reload took the provider away meanwhile */
		return;
	if (owned->error || owned->status != 200) {
		const char *what = source->in_discovery ? "discovery" : "key set";

		if (owned->error)
			snprintf(why, sizeof(why), "%s: %s", what, owned->why);
		else
			snprintf(why, sizeof(why), "%s: HTTP status %ld", what, owned->status);
		fetch_failed(source, why);
	} else if (source->in_discovery) {
		take_discovery(source, body);
	} else {
		take_set(source, body);
	}
}

void spoa_keys_fill(struct spoa_keys *keys, struct spoa_snapshot *snapshot)
{
	uint64_t now = mono_now();

	for (size_t i = 0; i < keys->n && i < snapshot->n_issuers; i++) {
		struct source *source = keys->sources[i];
		struct spoa_keys_age *age = &snapshot->ages[i];

		if (source->set)
			snapshot->issuers[i].keys = token_keyset_ref(source->set);
		age->fetched_at = source->fetched_at;
		age->refresh_from = UINT64_MAX;
		if (source->provider->jwks_file)
			continue;
		refill(source, now);
		age->refresh_from = source->allowance >= 1. || under_way(source)
					    ? 0
					    : now + (uint64_t)((1. - source->allowance) *
							       (double)SPOA_KEYS_INTERVAL_NS);
	}
}

size_t spoa_keys_missing(const struct spoa_keys *keys)
{
	size_t missing = 0;

	for (size_t i = 0; i < keys->n; i++)
		missing += !keys->sources[i]->set;
	return missing;
}

json_t *spoa_keys_status(const struct spoa_keys *keys)
{
	json_t *list = json_array();
	uint64_t now = mono_now();

	for (size_t i = 0; i < keys->n; i++) {
		const struct source *s = keys->sources[i];
		bool aged = s->set && s->fetched_at != UINT64_MAX;

		json_array_append_new(list,
			json_pack("{s:s, s:s, s:s, s:i, s:o, s:s?}", "name", s->provider->name,
				"issuer", s->provider->issuer, "state", STATE_NAMES[s->state],
				"keys", s->set ? (int)token_keyset_count(s->set) : 0, "key_age_s",
				aged ? json_integer((json_int_t)((now - s->fetched_at) /
								 (uint64_t)NS_PER_S))
				     : json_null(),
				"last_error", *s->why ? s->why : NULL));
	}
	return list;
}

static void source_free(struct source *source)
{
	if (!source)
		return;
	ev_timer_stop(source->keys->loop, &source->timer);
	token_keyset_unref(source->set);
	free(source);
}

static struct source *source_new(
	struct spoa_keys *keys, const struct conf_provider *provider, uint32_t algs)
{
	struct source *source = calloc(1, sizeof(*source));

	if (!source)
		return NULL;
	source->serial = ++keys->last_serial;
	source->keys = keys;
	source->provider = provider;
	source->algs = algs;
	source->allowance = SPOA_KEYS_BURST;
	source->allowed_at = mono_now();
	ev_timer_init(&source->timer, on_timer, 0., 0.);
	source->timer.data = source;
	return source;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* Would a fetch for one bring what a fetch for the other brings? */
static bool same_source(const struct source *source, const struct conf_provider *p, uint32_t algs)
{
	const struct conf_provider *q = source->provider;

	return source->algs == algs && same_text(p->name, q->name) &&
	       same_text(p->issuer, q->issuer) && same_text(p->jwks_uri, q->jwks_uri) &&
	       same_text(p->ca_file, q->ca_file) && p->allow_http == q->allow_http &&
	       !p->jwks_file && !q->jwks_file;
}

static struct source *adopt(
	struct spoa_keys *keys, const struct conf_provider *provider, uint32_t algs)
{
	for (size_t i = 0; i < keys->n; i++) {
		struct source *old = keys->sources[i];

		if (!old || !same_source(old, provider, algs))
			continue;
		keys->sources[i] = NULL;
		return old;
	}
	return NULL;
}

int spoa_keys_configure(struct spoa_keys *keys, struct spoa_config *config)
{
	size_t n = config->conf->n_providers;
	struct source **sources = calloc(n + 1, sizeof(struct source *));
	struct source **fresh = calloc(n + 1, sizeof(struct source *));
	bool ok = sources && fresh;

	/* What can fail comes first: a new source for every provider, needed or not. */
	for (size_t i = 0; ok && i < n; i++) {
		fresh[i] = source_new(keys, &config->conf->providers[i], config->rules[i].algs);
		ok = fresh[i];
	}
	for (size_t i = 0; ok && i < n; i++) {
		const struct conf_provider *provider = &config->conf->providers[i];

		sources[i] = adopt(keys, provider, config->rules[i].algs);
		if (sources[i])
			sources[i]->provider = provider;
		else
			sources[i] = TAKE_PTR(fresh[i]);
	}
	for (size_t i = 0; fresh && i < n; i++)
		source_free(fresh[i]);
	free(fresh);
	if (!ok) {
		free(sources);
		return -ENOMEM;
	}
	for (size_t i = 0; i < keys->n; i++)
		source_free(keys->sources[i]);
	free(keys->sources);
	spoa_config_unref(keys->config);
	keys->config = spoa_config_ref(config);
	keys->sources = sources;
	keys->n = n;
	for (size_t i = 0; i < n; i++)
		if (sources[i]->state == SPOA_KEYS_EMPTY)
			start_fetch(sources[i]);
	return 0;
}

struct spoa_keys *spoa_keys_new(struct ev_loop *loop, struct net *net, struct spoa_metrics *metrics,
	void (*changed)(void *arg), void *arg)
{
	struct spoa_keys *keys = calloc(1, sizeof(*keys));

	if (!keys)
		return NULL;
	keys->loop = loop;
	keys->net = net;
	keys->metrics = metrics;
	keys->changed = changed;
	keys->arg = arg;
	ev_idle_init(&keys->tell, on_tell);
	keys->tell.data = keys;
	return keys;
}

void spoa_keys_free(struct spoa_keys *keys)
{
	if (!keys)
		return;
	ev_idle_stop(keys->loop, &keys->tell);
	for (size_t i = 0; i < keys->n; i++)
		source_free(keys->sources[i]);
	free(keys->sources);
	spoa_config_unref(keys->config);
	free(keys);
}
