#include "spoa/keys.h"

#include "base/clock.h"
#include "spoa/source.h"
#include "spoa/status.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct spoa_keys {
	struct spoa_source_env env;
	void (*changed)(void *arg);
	void *arg;
	ev_timer tell; /* calls changed from the loop, once for many changes */
	struct spoa_config *config;
	struct spoa_source **sources; /* same order as the configuration's providers */
	size_t n;
	uintptr_t last_serial;
};

static void on_tell(struct ev_loop *loop, ev_timer *watcher, int events)
{
	struct spoa_keys *keys = watcher->data;

	(void)loop;
	(void)events;
	keys->changed(keys->arg);
}

static void source_changed(void *arg)
{
	struct spoa_keys *keys = arg;

	if (!ev_is_active(&keys->tell)) {
		ev_timer_set(&keys->tell, 0., 0.);
		ev_timer_start(keys->env.loop, &keys->tell);
	}
}

void spoa_keys_need(struct spoa_keys *keys, uint64_t unknown, uint64_t doubted, const char *kid)
{
	for (size_t i = 0; i < keys->n; i++) {
		if (unknown >> i & 1)
			spoa_source_need(keys->sources[i], false, kid);
		else if (doubted >> i & 1)
			spoa_source_need(keys->sources[i], true, kid);
	}
}

bool spoa_keys_pending(const struct spoa_keys *keys)
{
	/* A timer that has run out is not active any more, and yet its function may come later. */
	return ev_is_active(&keys->tell) || ev_is_pending(&keys->tell);
}

void spoa_keys_answer(struct spoa_keys *keys, struct net_answer *answer)
{
	cleanup(net_answer) struct net_answer *owned = answer;

	/* A source that is not found any more went away in a reload. */
	for (size_t i = 0; i < keys->n; i++) {
		if (keys->sources[i]->serial != (uintptr_t)owned->owner)
			continue;
		spoa_source_answer(keys->sources[i], owned);
		return;
	}
}

static int fill_one(
	struct spoa_source *source, struct spoa_snapshot *snapshot, size_t i, uint64_t now)
{
	struct spoa_keys_age *age = &snapshot->ages[i];

	if (source->set)
		snapshot->issuers[i].keys = token_keyset_ref(source->set);
	*age = (struct spoa_keys_age){
		.fetched_at = source->fetched_at,
		.refresh_from = spoa_source_may_from(source, false, now),
		.recheck_from = spoa_source_may_from(source, true, now),
	};
	if (!spoa_source_on_demand(source))
		return 0;
	age->absent = malloc(sizeof(source->absent));
	if (!age->absent)
		return -ENOMEM;
	memcpy(age->absent, source->absent, sizeof(source->absent));
	return 0;
}

int spoa_keys_fill(struct spoa_keys *keys, struct spoa_snapshot *snapshot)
{
	struct base_now now;
	int rc = 0;

	base_clock_now(&now);
	for (size_t i = 0; !rc && i < keys->n && i < snapshot->n_issuers; i++)
		if (conf_provider_has_key_set(keys->sources[i]->provider))
			rc = fill_one(keys->sources[i], snapshot, i, now.mono_ns);
	return rc;
}

static bool is_missing(const struct spoa_source *source)
{
	return !source->set && !spoa_source_on_demand(source) &&
	       conf_provider_has_key_set(source->provider);
}

size_t spoa_keys_missing(const struct spoa_keys *keys)
{
	size_t missing = 0;

	for (size_t i = 0; i < keys->n; i++)
		missing += is_missing(keys->sources[i]);
	return missing;
}

/* A provider with a secret, or with certificates only, has nothing to fetch. */
static const char *state_of(const struct spoa_source *source)
{
	return conf_provider_has_key_set(source->provider) ? spoa_source_state_name(source->state)
							   : "local";
}

static json_t *source_status(const struct spoa_source *source, uint64_t now)
{
	/* A file has no age, and when a remembered set was fetched was before this boot, maybe. */
	bool aged = source->fetched_at && source->fetched_at != UINT64_MAX;
	uint64_t age_s = aged ? (now - source->fetched_at) / (uint64_t)NS_PER_S : 0;

	return json_pack("{s:s, s:s, s:s, s:i, s:o, s:o}", "name", source->provider->name, "issuer",
		source->provider->issuer, "state", state_of(source), "keys",
		source->set ? (int)token_keyset_count(source->set) : 0, "key_age_s",
		aged ? json_integer((json_int_t)age_s) : json_null(), "last_error",
		spoa_status_text(source->why));
}

json_t *spoa_keys_status(const struct spoa_keys *keys)
{
	json_t *list = json_array();
	struct base_now now;

	base_clock_now(&now);
	for (size_t i = 0; i < keys->n; i++)
		json_array_append_new(list, source_status(keys->sources[i], now.mono_ns));
	return list;
}

/* The source that serves this provider already, taken out of the old list; or NULL. */
static struct spoa_source *adopt(
	struct spoa_keys *keys, const struct conf_provider *provider, uint32_t algs)
{
	for (size_t i = 0; i < keys->n; i++) {
		struct spoa_source *old = keys->sources[i];

		if (!old || !spoa_source_fits(old, provider, algs))
			continue;
		keys->sources[i] = NULL;
		spoa_source_adopt(old, provider);
		return old;
	}
	return NULL;
}

static void free_sources(struct spoa_source **sources, size_t n)
{
	for (size_t i = 0; sources && i < n; i++)
		spoa_source_free(sources[i]);
	free(sources);
}

/* A new source for every provider, needed or not: what can fail comes first. */
static struct spoa_source **new_sources(struct spoa_keys *keys, const struct spoa_config *config)
{
	size_t n = config->conf->n_providers;
	struct spoa_source **sources = calloc(n + 1, sizeof(struct spoa_source *));

	for (size_t i = 0; sources && i < n; i++) {
		sources[i] = spoa_source_new(&keys->env, ++keys->last_serial,
			&config->conf->providers[i], config->rules[i].algs);
		if (!sources[i]) {
			free_sources(sources, n);
			return NULL;
		}
	}
	return sources;
}

int spoa_keys_configure(struct spoa_keys *keys, struct spoa_config *config)
{
	struct spoa_source **sources = new_sources(keys, config);
	size_t n = config->conf->n_providers;

	if (!sources)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct spoa_source *old =
			adopt(keys, &config->conf->providers[i], config->rules[i].algs);

		if (old) {
			spoa_source_free(sources[i]);
			sources[i] = old;
		} else {
			spoa_source_recall(sources[i]);
		}
	}
	free_sources(keys->sources, keys->n);
	spoa_config_unref(keys->config);
	keys->config = spoa_config_ref(config);
	keys->sources = sources;
	keys->n = n;
	/* A file is read again: that is what whoever changed it reloads for. */
	for (size_t i = 0; i < n; i++)
		if (conf_provider_has_key_set(sources[i]->provider) &&
			(!sources[i]->fetched_at || sources[i]->provider->jwks_file))
			spoa_source_start(sources[i]);
	return 0;
}

struct spoa_keys *spoa_keys_new(struct ev_loop *loop, struct net *net, struct store *store,
	struct spoa_metrics *metrics, void (*changed)(void *arg), void *arg)
{
	struct spoa_keys *keys = calloc(1, sizeof(*keys));

	if (!keys)
		return NULL;
	keys->env = (struct spoa_source_env){
		.loop = loop,
		.net = net,
		.store = store,
		.metrics = metrics,
		.changed = source_changed,
		.arg = keys,
	};
	keys->changed = changed;
	keys->arg = arg;
	ev_timer_init(&keys->tell, on_tell, 0., 0.);
	keys->tell.data = keys;
	return keys;
}

void spoa_keys_free(struct spoa_keys *keys)
{
	if (!keys)
		return;
	ev_timer_stop(keys->env.loop, &keys->tell);
	free_sources(keys->sources, keys->n);
	spoa_config_unref(keys->config);
	free(keys);
}
