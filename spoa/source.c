#include "spoa/source.h"

#include "spoa/file.h"
#include "spoa/log.h"
#include "spoa/recall.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BACKOFF_MAX_S 30.

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
	base_log_str(&log, "state", spoa_source_state_name(source->state));
	base_log_int(&log, "keys", source->set ? (int64_t)token_keyset_count(source->set) : 0);
	if (*source->why)
		base_log_str(&log, "why", source->why);
	spoa_log_close(&log);
}

/* The one mover. */
static void move(struct spoa_source *source, enum spoa_source_event event)
{
	source->state = spoa_freshness_next(source->state, event, source->had_keys);
}

static void tell(const struct spoa_source *source)
{
	source->env->changed(source->env->arg);
}

static bool under_way(const struct spoa_source *source)
{
	return spoa_freshness_busy(source->state);
}

bool spoa_source_on_demand(const struct spoa_source *source)
{
	return source->provider->pem_uri && !source->provider->jwks_file;
}

static void set_timer(struct spoa_source *source, ev_timer *timer, double seconds)
{
	ev_timer_stop(source->env->loop, timer);
	ev_now_update(source->env->loop);
	ev_timer_set(timer, seconds > 0. ? seconds : 0., 0.);
	ev_timer_start(source->env->loop, timer);
}

/* The next fetch, give or take an eighth, so that many agents and providers do not come at once. */
static void arm(struct spoa_source *source, double seconds)
{
	double share = (double)(random() % 2001 - 1000) / 8000.;

	set_timer(source, &source->timer, seconds * (1. + share));
}

static void fetch_failed(struct spoa_source *source)
{
	double backoff = (double)(UINT64_C(1) << (source->failures < 5 ? source->failures : 5));

	move(source, SPOA_SOURCE_FAILED);
	if (source->failures < UINT32_MAX)
		source->failures++;
	spoa_metrics_add(source->env->metrics, SPOA_COUNT_KEY_FETCHES_FAILED, 1);
	log_state(source, BASE_LOG_WARNING, "keys_not_fetched");
	if (!source->provider->jwks_file && !spoa_source_on_demand(source))
		arm(source, backoff < BACKOFF_MAX_S ? backoff : BACKOFF_MAX_S);
	tell(source);
}

/* The provider was reached and says what its keys are. */
static void fetch_succeeded(struct spoa_source *source)
{
	source->fetched_at = source->provider->jwks_file ? UINT64_MAX : source->sent_at;
	source->failures = 0;
	source->why[0] = '\0';
	move(source, SPOA_SOURCE_GOT);
	spoa_metrics_add(source->env->metrics, SPOA_COUNT_KEY_FETCHES, 1);
}

/* From now on its keys end after the hard lifetime, unless it is reached again. */
static void restart_lifetime(struct spoa_source *source, int64_t age_s)
{
	source->had_keys = true;
	set_timer(source, &source->expiry, (double)source->provider->keep / 1000. - (double)age_s);
}

void spoa_source_recall(struct spoa_source *source)
{
	cleanup(free) char *json = NULL;
	int64_t age_s;
	size_t n;

	if (source->provider->jwks_file ||
		spoa_recall_get(source->env->store, source->provider, &json, &n, &age_s))
		return;
	if (token_keyset_parse((struct span){.p = json, .n = n}, source->algs, &source->set, NULL))
		return;
	source->state = SPOA_SOURCE_STALE;
	restart_lifetime(source, age_s);
	log_state(source, BASE_LOG_INFO, "keys_remembered");
}

static void on_expiry(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct spoa_source *source = timer->data;

	(void)loop;
	(void)events;
	token_keyset_unref(TAKE_PTR(source->set));
	source->fetched_at = 0;
	source->fetch.etag[0] = '\0'; /* "not modified" would be about keys that are gone */
	move(source, SPOA_SOURCE_TOO_OLD);
	log_state(source, BASE_LOG_ERROR, "keys_expired");
	tell(source);
}

/* Takes the set, or says in why why not. */
static int take_set(struct spoa_source *source, struct span json)
{
	struct token_keyset *set = NULL;
	struct token_keyset_stats stats = {0};
	int rc = token_keyset_parse(json, source->algs, &set, &stats);

	if (rc) {
		snprintf(source->why, sizeof(source->why), "%s%s%s",
			rc == -ENOKEY ? "the key set holds no usable key"
				      : "the answer is not a JWK set",
			*stats.why ? ": " : "", stats.why);
		return rc;
	}
	token_keyset_unref(source->set);
	source->set = set;
	fetch_succeeded(source);
	log_state(source, BASE_LOG_INFO, "keys_fetched");
	/* What should not have been published is not to lie on our disk, too. */
	if (!stats.n_private && !stats.n_symmetric && !source->provider->jwks_file)
		spoa_recall_put(source->env->store, source->provider, json);
	if (stats.n_private)
		log_state(source, BASE_LOG_ERROR, "provider_publishes_private_keys");
	return 0;
}

static void read_file(struct spoa_source *source)
{
	cleanup(free) char *text = NULL;
	int rc = spoa_file_text(source->provider->jwks_file, TOKEN_KEYSET_MAX_BYTES, &text);

	if (rc)
		snprintf(source->why, sizeof(source->why), "%.150s: %s",
			source->provider->jwks_file, strerror(-rc));
	else
		rc = take_set(source, span_of(text));
	if (rc)
		fetch_failed(source);
	else
		tell(source);
}

static void begin(struct spoa_source *source, const char *kid)
{
	ev_timer_stop(source->env->loop, &source->timer);
	move(source, SPOA_SOURCE_START);
	source->sent_at = mono_now();
	if (spoa_fetch_begin(&source->fetch, kid, source->why))
		fetch_failed(source);
}

void spoa_source_start(struct spoa_source *source)
{
	if (under_way(source) || spoa_source_on_demand(source))
		return;
	if (!source->provider->jwks_file) {
		begin(source, NULL);
		return;
	}
	move(source, SPOA_SOURCE_START);
	read_file(source);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	spoa_source_start(timer->data);
}

/* Puts a key id into the queue; one that is there, or finds it full, is left out. */
static void want(struct spoa_source *source, const char *kid)
{
	for (size_t i = 0; i < source->n_wanted; i++)
		if (!strcmp(source->wanted[i], kid))
			return;
	if (source->n_wanted < SPOA_SOURCE_WANTED)
		snprintf(source->wanted[source->n_wanted++], SPOA_FETCH_KID + 1, "%s", kid);
}

/* Asks for the next key id of the queue, if that is allowed. */
static void ask_next(struct spoa_source *source)
{
	char kid[SPOA_FETCH_KID + 1];

	if (under_way(source) || !source->n_wanted)
		return;
	memcpy(kid, source->wanted[0], sizeof(kid));
	memmove(source->wanted[0], source->wanted[1],
		--source->n_wanted * sizeof(source->wanted[0]));
	if (spoa_allowance_take(&source->allowance, false, mono_now()))
		begin(source, kid);
	else
		tell(source);
}

void spoa_source_need(struct spoa_source *source, bool doubted, const char *kid)
{
	if (source->provider->jwks_file)
		return;
	if (spoa_source_on_demand(source)) {
		if (!spoa_fetch_is_kid(span_of(kid)))
			return;
		if (!under_way(source) || strcmp(source->fetch.kid, kid))
			want(source, kid);
		ask_next(source);
		return;
	}
	if (under_way(source))
		return;
	if (spoa_allowance_take(&source->allowance, doubted, mono_now()))
		spoa_source_start(source);
	else
		tell(source); /* the snapshot that the worker saw was too hopeful */
}

/* One more key. Together they end when the first of them is too old. */
static int take_pem(struct spoa_source *source, struct span pem)
{
	struct token_keyset *set = NULL;
	const char *why = "out of memory";
	int rc = token_keyset_add_pem(
		source->set, span_of(source->fetch.kid), pem, source->algs, &set, &why);

	if (rc) {
		snprintf(source->why, sizeof(source->why), "key %s: %s", source->fetch.kid, why);
		return rc;
	}
	if (!source->set)
		restart_lifetime(source, 0);
	token_keyset_unref(source->set);
	source->set = set;
	fetch_succeeded(source);
	log_state(source, BASE_LOG_INFO, "keys_fetched");
	return 0;
}

/* The oldest word about a key id that is not there makes room for the newest. */
static void take_absent(struct spoa_source *source)
{
	struct spoa_absent *oldest = &source->absent[0];

	for (size_t i = 1; i < SPOA_ABSENT; i++)
		if (source->absent[i].asked_at < oldest->asked_at)
			oldest = &source->absent[i];
	memcpy(oldest->kid, source->fetch.kid, sizeof(oldest->kid));
	oldest->asked_at = source->sent_at;
	source->why[0] = '\0';
	if (source->set)
		fetch_succeeded(source);
	else
		move(source, SPOA_SOURCE_FAILED);
}

static int take_answer(struct spoa_source *source, const struct net_answer *answer)
{
	struct span body = {.p = answer->body, .n = answer->body_len};
	int rc = spoa_source_on_demand(source) ? take_pem(source, body) : take_set(source, body);

	if (!rc)
		spoa_fetch_took(&source->fetch, answer);
	return rc;
}

void spoa_source_answer(struct spoa_source *source, const struct net_answer *answer)
{
	enum spoa_fetch_result result = spoa_fetch_answer(&source->fetch, answer, source->why);

	if (result == SPOA_FETCH_MORE)
		return;
	if (result == SPOA_FETCH_GOT && take_answer(source, answer))
		result = SPOA_FETCH_FAILED;
	if (result == SPOA_FETCH_FAILED) {
		fetch_failed(source);
		ask_next(source);
		return;
	}
	if (result == SPOA_FETCH_UNCHANGED) {
		fetch_succeeded(source);
		spoa_recall_touch(source->env->store, source->provider);
	}
	if (result == SPOA_FETCH_ABSENT)
		take_absent(source);
	if (!spoa_source_on_demand(source)) {
		restart_lifetime(source, 0);
		/* At four fifths of its time, so that it is renewed before it is over. */
		arm(source, (double)spoa_fetch_lifetime(&source->fetch, answer) / 1000. * .8);
	}
	tell(source);
	ask_next(source);
}

uint64_t spoa_source_may_from(struct spoa_source *source, bool doubted, uint64_t now)
{
	uint64_t from;

	if (source->provider->jwks_file)
		return UINT64_MAX;
	from = spoa_allowance_from(&source->allowance, doubted, now);
	return under_way(source) ? 0 : from;
}

void spoa_source_free(struct spoa_source *source)
{
	if (!source)
		return;
	ev_timer_stop(source->env->loop, &source->timer);
	ev_timer_stop(source->env->loop, &source->expiry);
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
	source->algs = algs;
	source->fetch.net = env->net;
	source->fetch.owner = (void *)serial;
	spoa_source_adopt(source, provider);
	source->allowance = spoa_allowance_full(mono_now());
	ev_timer_init(&source->timer, on_timer, 0., 0.);
	ev_timer_init(&source->expiry, on_expiry, 0., 0.);
	source->timer.data = source->expiry.data = source;
	return source;
}

void spoa_source_adopt(struct spoa_source *source, const struct conf_provider *provider)
{
	source->provider = source->fetch.provider = provider;
}

bool spoa_source_fits(
	const struct spoa_source *source, const struct conf_provider *provider, uint32_t algs)
{
	return source->algs == algs && source->provider->keep == provider->keep &&
	       spoa_fetch_same(source->provider, provider);
}
