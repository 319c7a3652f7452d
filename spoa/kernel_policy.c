#include "spoa/kernel_policy.h"

#include "bpfmap/control.h"
#include "bpfmap/policy.h"
#include "spoa/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHARE 10 /* of the time, one part may go into writing what fails */

static void cleanup_fn_set(struct spoa_kernel_set *set)
{
	spoa_kernel_rules_done(set);
}

static int explain(int err, char why[BPFMAP_WHY])
{
	if (!*why)
		snprintf(why, BPFMAP_WHY, "%s", strerror(-err));
	return err;
}

static void forget_what(struct spoa_kernel_policy *now)
{
	spoa_config_unref(TAKE_PTR(now->config));
	spoa_policies_unref(TAKE_PTR(now->policies));
	spoa_maps_unref(TAKE_PTR(now->maps));
}

void spoa_kernel_policy_done(struct spoa_kernel_policy *now)
{
	forget_what(now);
	for (size_t i = 0; i < now->n_known; i++)
		free((char *)now->known[i].labels);
	free(now->known);
	*now = (struct spoa_kernel_policy){0};
}

static void log_set(int err, const char *why, uint64_t took_ns)
{
	struct base_log log;

	if (!spoa_log_open(&log, err ? BASE_LOG_ERROR : BASE_LOG_INFO, "kernel_policy"))
		return;
	base_log_str(&log, "state", err ? "the old set goes on" : "in force");
	if (err)
		base_log_str(&log, "why", why);
	base_log_int(&log, "us", (int64_t)(took_ns / 1000));
	spoa_log_close(&log);
}

static void log_identity(const char *state, const char *why, uint32_t identity)
{
	struct base_log log;

	if (!spoa_log_open(&log, BASE_LOG_ERROR, "kernel_policy"))
		return;
	base_log_str(&log, "state", state);
	base_log_str(&log, "why", why);
	base_log_int(&log, "identity", identity);
	spoa_log_close(&log);
}

static int write_all(struct spoa_kernel_policy *now, char why[BPFMAP_WHY])
{
	cleanup(set) struct spoa_kernel_set set = {0};
	int err = spoa_kernel_rules_all(now, &set);

	if (!err)
		err = bpfmap_policy_swap(now->maps->map,
			&(struct bpfmap_policy){set.targets, set.n_targets, set.rules, set.n_rules},
			&now->epoch, why);
	return err ? explain(err, why) : 0;
}

static uint64_t mono_now(void)
{
	struct base_now now;

	base_clock_now(&now);
	return now.mono_ns;
}

/* One failure is one line, however often it is tried. */
static void write_set(struct spoa_kernel_policy *now)
{
	char why[BPFMAP_WHY] = "";
	uint64_t begun = mono_now(), took;
	int err;

	if (begun < now->again_at)
		return;
	err = write_all(now, why);
	took = mono_now() - begun;
	now->written = !err;
	now->again_at = err ? begun + SHARE * took : 0;
	if (!err || err != now->failed)
		log_set(err, why, took);
	now->failed = err;
}

static int write_one(struct spoa_kernel_policy *now, const struct spoa_kernel_identity *identity,
	uint32_t *ret_epoch, char why[BPFMAP_WHY])
{
	cleanup(set) struct spoa_kernel_set set = {0};
	int err = spoa_kernel_rules_of(now->policies, identity, &set);

	if (!err)
		err = bpfmap_policy_add(now->maps->map, set.rules, set.n_rules, ret_epoch, why);
	return err ? explain(err, why) : 0;
}

static int remove_rules(struct spoa_kernel_policy *now, const struct spoa_kernel_identity *identity,
	char why[BPFMAP_WHY])
{
	cleanup(set) struct spoa_kernel_set set = {0};
	int err = spoa_kernel_rules_of(now->policies, identity, &set);

	if (!err)
		err = bpfmap_policy_remove(now->maps->map, set.rules, set.n_rules, why);
	return err ? explain(err, why) : 0;
}

static void remove_one(struct spoa_kernel_policy *now, const struct spoa_kernel_identity *identity)
{
	char why[BPFMAP_WHY] = "";

	if (remove_rules(now, identity, why))
		log_identity("an identity that is gone keeps its rules until the next set", why,
			identity->number);
}

/* Into another agent's set. Until it is complete, these identities may less. */
static void join(struct spoa_kernel_policy *now)
{
	struct bpfmap_control control;
	char why[BPFMAP_WHY] = "";
	int err = bpfmap_control_get(now->maps->map, &control);

	if (err || control.epoch == now->epoch)
		return;
	for (size_t i = 0; i < now->n_known && !err; i++) {
		uint32_t epoch;

		err = write_one(now, &now->known[i], &epoch, why);
		if (err && err != now->failed)
			log_identity("not in the owner's set", why, now->known[i].number);
	}
	now->failed = err;
	now->epoch = err ? 0 : control.epoch;
}

void spoa_kernel_policy_use(struct spoa_kernel_policy *now, struct spoa_config *config,
	struct spoa_policies *policies, struct spoa_maps *maps, bool owns)
{
	bool same = now->policies == policies && now->maps == maps && now->owns == owns;

	if (!same && now->maps && !owns && now->epoch)
		for (size_t i = 0; i < now->n_known; i++)
			remove_one(now, &now->known[i]);
	spoa_config_ref(config);
	spoa_policies_ref(policies);
	spoa_maps_ref(maps);
	forget_what(now);
	now->config = config;
	now->policies = policies;
	now->maps = maps;
	now->owns = owns;
	if (!same) {
		now->written = false;
		now->again_at = now->epoch = 0;
		now->failed = 0;
	}
	if (!maps)
		return;
	if (!owns)
		join(now);
	else if (!now->written)
		write_set(now);
}

static size_t find(const struct spoa_kernel_policy *now, uint32_t identity)
{
	size_t i = 0;

	while (i < now->n_known && now->known[i].number != identity)
		i++;
	return i;
}

static int remember(struct spoa_kernel_policy *now, uint32_t identity, struct span labels)
{
	struct spoa_kernel_identity *at;

	if (now->n_known == now->room_known) {
		size_t room = now->room_known ? 2 * now->room_known : 64;

		at = reallocarray(now->known, room, sizeof(*at));
		if (!at)
			return -ENOMEM;
		now->known = at;
		now->room_known = room;
	}
	at = &now->known[now->n_known];
	at->number = identity;
	at->labels = strndup(labels.p, labels.n);
	if (!at->labels)
		return -ENOMEM;
	now->n_known++;
	return 0;
}

static void forget(struct spoa_kernel_policy *now, size_t at)
{
	free((char *)now->known[at].labels);
	now->known[at] = now->known[--now->n_known];
}

static bool is_known_by(const struct spoa_kernel_policy *now, const char *labels)
{
	for (size_t i = 0; i < now->n_known; i++)
		if (!strcmp(now->known[i].labels, labels))
			return true;
	return false;
}

uint32_t spoa_kernel_role_number(const struct spoa_kernel_policy *now, size_t role)
{
	const struct ident_role *of = &now->config->roles[role];
	const struct conf *conf = now->config->conf;

	if (!of->number.id || conf->roles[role].number || !conf->etcd.endpoints.n)
		return of->number.id;
	return find(now, of->number.id) < now->n_known || is_known_by(now, of->labels)
		       ? 0
		       : of->number.id;
}

static const struct ident_role *find_role(const struct spoa_kernel_policy *now, uint32_t identity)
{
	for (size_t r = 0; now->config && r < now->config->conf->n_roles; r++)
		if (now->config->roles[r].number.id == identity && spoa_kernel_role_number(now, r))
			return &now->config->roles[r];
	return NULL;
}

/* What is known at this place, into the kernel; what cannot be there is not known. */
static int put(struct spoa_kernel_policy *now, size_t at, char why[BPFMAP_WHY])
{
	uint32_t epoch = 0;
	int err;

	if (!now->maps)
		return 0;
	err = write_one(now, &now->known[at], &epoch, why);
	if (err)
		forget(now, at);
	else if (epoch != now->epoch) /* another agent's set came: all of ours go there */
		now->epoch = 0;
	return err;
}

int spoa_kernel_policy_appear(
	struct spoa_kernel_policy *now, uint32_t identity, struct span labels, char why[BPFMAP_WHY])
{
	size_t at = find(now, identity), n = now->n_known;
	const struct ident_role *role = at < n ? NULL : find_role(now, identity);
	struct spoa_kernel_identity former = {identity, at < n ? now->known[at].labels
							: role ? role->labels
							       : NULL};
	int err;

	*why = '\0';
	if (former.labels && span_is(labels, former.labels))
		return 0;
	if (now->maps && now->owns && !now->written) {
		snprintf(why, BPFMAP_WHY, "the policies are not in the kernel yet");
		return -EAGAIN;
	}
	err = remember(now, identity, labels);
	if (err)
		return explain(err, why);
	/* The number is another's now. In between it may what anybody may. */
	if (now->maps && former.labels)
		err = remove_rules(now, &former, why);
	if (err) {
		forget(now, n);
		return err;
	}
	if (at < n)
		forget(now, at); /* and the new one takes its place */
	return put(now, at, why);
}

struct span spoa_kernel_policy_labels(const struct spoa_kernel_policy *now, uint32_t identity)
{
	const struct ident_role *role = identity ? find_role(now, identity) : NULL;
	size_t known = find(now, identity);

	return role                   ? span_of(role->labels)
	       : known < now->n_known ? span_of(now->known[known].labels)
				      : (struct span){0};
}

/* The number that a role came with, and that it has no more. */
static void role_goes(struct spoa_kernel_policy *now, uint32_t identity, struct span labels)
{
	for (size_t r = 0; now->config && now->maps && r < now->config->conf->n_roles; r++) {
		const struct ident_role *role = &now->config->roles[r];

		if (role->labels && role->number.id == identity && span_is(labels, role->labels) &&
			!spoa_kernel_role_number(now, r))
			remove_one(now, &(struct spoa_kernel_identity){identity, role->labels});
	}
}

void spoa_kernel_policy_go(struct spoa_kernel_policy *now, uint32_t identity, struct span labels)
{
	size_t at = find(now, identity);

	if (at == now->n_known) {
		role_goes(now, identity, labels);
		return;
	}
	if (!span_is(labels, now->known[at].labels))
		return;
	/* A role may have the same labels, and so the same number. */
	if (now->maps && !find_role(now, identity))
		remove_one(now, &now->known[at]);
	forget(now, at);
}
