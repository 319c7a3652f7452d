#include "spoa/source.h"

#include "spoa/log.h"
#include "token/discovery.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FETCH_TIMEOUT_MS 10000
#define DISCOVERY_MAX    (64 * 1024)
#define BACKOFF_MAX_S    30.
#define STORE_NAME_MAX   8192 /* a name, two URLs, a path: conf allows no more */
#define WHY_MAX          sizeof(((struct spoa_source *)0)->why)

enum event {
	START,
	GOT,
	FAILED,
};

#define NONE SPOA_SOURCE_STATES /* the event cannot come in this state */
static const unsigned char NEXT[SPOA_SOURCE_STATES][FAILED + 1] = {
	[SPOA_SOURCE_EMPTY] = {SPOA_SOURCE_FETCHING, SPOA_SOURCE_FRESH, SPOA_SOURCE_EMPTY},
	[SPOA_SOURCE_FETCHING] = {NONE, SPOA_SOURCE_FRESH, SPOA_SOURCE_EMPTY},
	[SPOA_SOURCE_FRESH] = {SPOA_SOURCE_REFRESHING, SPOA_SOURCE_FRESH, SPOA_SOURCE_STALE},
	[SPOA_SOURCE_REFRESHING] = {NONE, SPOA_SOURCE_FRESH, SPOA_SOURCE_STALE},
	[SPOA_SOURCE_STALE] = {SPOA_SOURCE_REFRESHING, SPOA_SOURCE_FRESH, SPOA_SOURCE_STALE},
};

static const char *const STATE_NAMES[] = {"empty", "fetching", "fresh", "refreshing", "stale"};
_Static_assert(ARRAY_SIZE(STATE_NAMES) == SPOA_SOURCE_STATES, "a word for each");

static uint64_t mono_now(void)
{
	struct base_now now;

	base_clock_now(&now);
	return now.mono_ns;
}

static void log_state(
	const struct spoa_source *source, enum base_log_level level, const char *event)
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
static void move(struct spoa_source *source, enum event event)
{
	unsigned next = NEXT[source->state][event];

	if (next != NONE)
		source->state = (enum spoa_source_state)next;
}

const char *spoa_source_state_name(enum spoa_source_state state)
{
	return STATE_NAMES[state];
}

static void tell(const struct spoa_source *source)
{
	source->env->changed(source->env->arg);
}

static bool under_way(const struct spoa_source *source)
{
	return source->state == SPOA_SOURCE_FETCHING || source->state == SPOA_SOURCE_REFRESHING;
}

/* The next fetch, give or take a tenth, so that many agents and providers do not come at once. */
static void arm(struct spoa_source *source, double seconds)
{
	struct ev_loop *loop = source->env->loop;
	double share = (double)(random() % 2001 - 1000) / 10000.;

	ev_timer_stop(loop, &source->timer);
	ev_now_update(loop);
	ev_timer_set(&source->timer, seconds * (1. + share), 0.);
	ev_timer_start(loop, &source->timer);
}

static void fetch_failed(struct spoa_source *source, const char *why)
{
	double backoff = (double)(UINT64_C(1) << (source->failures < 5 ? source->failures : 5));

	snprintf(source->why, sizeof(source->why), "%s", why);
	move(source, FAILED);
	if (source->failures < UINT32_MAX)
		source->failures++;
	spoa_metrics_add(source->env->metrics, SPOA_COUNT_KEY_FETCHES_FAILED, 1);
	log_state(source, BASE_LOG_WARNING, "keys_not_fetched");
	if (!source->provider->jwks_file)
		arm(source, backoff < BACKOFF_MAX_S ? backoff : BACKOFF_MAX_S);
	tell(source);
}

/*
 * What a set is remembered under: everything that says where it came from.
 * Whoever changes that may do so because the old place is not to be trusted.
 */
static void store_name(const struct spoa_source *source, char ret_name[STORE_NAME_MAX])
{
	const struct conf_provider *p = source->provider;

	snprintf(ret_name, STORE_NAME_MAX, "%s %s %s %s %s", p->name, p->issuer,
		p->allow_http ? "http" : "https", p->jwks_uri ? p->jwks_uri : "-",
		p->ca_file ? p->ca_file : "-");
}

static void remember(const struct spoa_source *source, struct span json)
{
	char name[STORE_NAME_MAX];
	char why[STORE_WHY] = "";
	struct base_now now;

	if (!source->env->store || source->provider->jwks_file)
		return;
	store_name(source, name);
	base_clock_now(&now);
	if (store_keys_put(source->env->store, name, json, base_clock_wall_s(&now), why))
		spoa_log(BASE_LOG_WARNING, "keys_not_remembered", "why", why);
}

void spoa_source_recall(struct spoa_source *source)
{
	char name[STORE_NAME_MAX];
	cleanup(free) char *json = NULL;
	struct base_now now;
	int64_t fetched_at;
	size_t n;

	if (!source->env->store || source->provider->jwks_file)
		return;
	store_name(source, name);
	base_clock_now(&now);
	if (store_keys_get(source->env->store, name, &json, &n, &fetched_at) ||
		base_clock_wall_s(&now) - fetched_at > SPOA_SOURCE_REMEMBER_S)
		return;
	if (token_keyset_parse((struct span){.p = json, .n = n}, source->algs, &source->set, NULL))
		return;
	source->state = SPOA_SOURCE_STALE;
	log_state(source, BASE_LOG_INFO, "keys_remembered");
}

static void take_set(struct spoa_source *source, struct span json)
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
	spoa_metrics_add(source->env->metrics, SPOA_COUNT_KEY_FETCHES, 1);
	log_state(source, BASE_LOG_INFO, "keys_fetched");
	/* What should not have been published is not to lie on our disk, too. */
	if (!stats.n_private && !stats.n_symmetric)
		remember(source, json);
	if (stats.n_private)
		log_state(source, BASE_LOG_ERROR, "provider_publishes_private_keys");
	if (!source->provider->jwks_file)
		arm(source, (double)source->provider->refresh / 1000.);
	tell(source);
}

static void read_file(struct spoa_source *source)
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

static void send_request(struct spoa_source *source, const char *url, bool discovery)
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
	rc = net_submit(source->env->net, &request);
	if (rc) {
		snprintf(why, sizeof(why), "cannot ask for %.100s: %s", url, strerror(-rc));
		fetch_failed(source, why);
	}
}

void spoa_source_start(struct spoa_source *source)
{
	char url[TOKEN_URL_MAX + 1];

	if (under_way(source))
		return;
	ev_timer_stop(source->env->loop, &source->timer);
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
	spoa_source_start(timer->data);
}

/* Brings the allowance for unknown key ids up to date. */
static void refill(struct spoa_source *source, uint64_t now)
{
	source->allowance += (double)(now - source->allowed_at) / (double)SPOA_SOURCE_INTERVAL_NS;
	if (source->allowance > SPOA_SOURCE_BURST)
		source->allowance = SPOA_SOURCE_BURST;
	source->allowed_at = now;
}

/* How much of the allowance must be left. */
static double price(bool doubted)
{
	return doubted ? SPOA_SOURCE_BURST : 1.;
}

void spoa_source_need(struct spoa_source *source, bool doubted)
{
	if (under_way(source) || source->provider->jwks_file)
		return;
	refill(source, mono_now());
	if (source->allowance >= price(doubted)) {
		source->allowance -= 1.;
		spoa_source_start(source);
	} else {
		tell(source); /* the snapshot that the worker saw was too hopeful */
	}
}

static const char *const DISCOVERY_ERRORS[] = {
	"the discovery document is not one (OIDC Discovery 4.2)",
	"the discovery document names another issuer (OIDC Discovery 4.3)",
	"jwks_uri is not an https URL on the issuer's host; set jwks_uri to allow it",
};

static void take_discovery(struct spoa_source *source, struct span json)
{
	char url[TOKEN_URL_MAX + 1];
	int rc = token_discovery_parse(
		json, source->provider->issuer, source->provider->allow_http, url);

	if (rc == 0)
		send_request(source, url, false);
	else
		fetch_failed(source, DISCOVERY_ERRORS[rc == -EXDEV ? 1 : rc == -EPERM ? 2 : 0]);
}

void spoa_source_answer(struct spoa_source *source, const struct net_answer *answer)
{
	struct span body = {.p = answer->body, .n = answer->body_len};
	const char *what = source->in_discovery ? "discovery" : "key set";
	char why[WHY_MAX];

	if (answer->error) {
		snprintf(why, sizeof(why), "%s: %s", what, answer->why);
		fetch_failed(source, why);
	} else if (answer->status != 200) {
		snprintf(why, sizeof(why), "%s: HTTP status %ld", what, answer->status);
		fetch_failed(source, why);
	} else if (source->in_discovery) {
		take_discovery(source, body);
	} else {
		take_set(source, body);
	}
}

uint64_t spoa_source_may_from(struct spoa_source *source, bool doubted, uint64_t now)
{
	double missing;

	if (source->provider->jwks_file)
		return UINT64_MAX;
	refill(source, now);
	missing = price(doubted) - source->allowance;
	if (missing <= 0. || under_way(source))
		return 0;
	return now + (uint64_t)(missing * (double)SPOA_SOURCE_INTERVAL_NS);
}

void spoa_source_free(struct spoa_source *source)
{
	if (!source)
		return;
	ev_timer_stop(source->env->loop, &source->timer);
	token_keyset_unref(source->set);
	free(source);
}

struct spoa_source *spoa_source_new(const struct spoa_source_env *env, uintptr_t serial,
	const struct conf_provider *provider, uint32_t algs)
{
	struct spoa_source *source = calloc(1, sizeof(*source));

	if (!source)
		return NULL;
	source->env = env;
	source->serial = serial;
	source->provider = provider;
	source->algs = algs;
	source->allowance = SPOA_SOURCE_BURST;
	source->allowed_at = mono_now();
	ev_timer_init(&source->timer, on_timer, 0., 0.);
	source->timer.data = source;
	return source;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

bool spoa_source_fits(
	const struct spoa_source *source, const struct conf_provider *p, uint32_t algs)
{
	const struct conf_provider *q = source->provider;

	return source->algs == algs && same_text(p->name, q->name) &&
	       same_text(p->issuer, q->issuer) && same_text(p->jwks_uri, q->jwks_uri) &&
	       same_text(p->jwks_file, q->jwks_file) && same_text(p->ca_file, q->ca_file) &&
	       p->allow_http == q->allow_http;
}
