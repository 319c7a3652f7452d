#include "spoa/numbers.h"

#include "spoa/log.h"
#include "spoa/route.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

/* A set on its way, from the worker that wants it to its answer. */
struct wanted {
	uint64_t hash;
	size_t n_labels;
	const char *roles; /* behind labels */
	bool asked;
	char labels[];
};

struct spoa_numbers {
	struct spoa_allocator allocator;
	struct spoa_numbers_owner owner;
	struct spoa_metrics *metrics;
	struct spoa_log_limit lines;
	struct spoa_config *config;
	struct spoa_policies *policies;
	struct spoa_identities *table;
	struct spoa_identities *gone; /* the one before another configuration came */

	/* Answers that are not in the table yet. */
	struct spoa_identity **fresh;
	size_t n_fresh, room_fresh;
	bool failed;

	pthread_mutex_t lock; /* of wanted */
	struct wanted *wanted[SPOA_NUMBERS_WANTED];
	size_t n_wanted;
};

struct spoa_numbers *spoa_numbers_new(const struct spoa_allocator *allocator,
	const struct spoa_numbers_owner *owner, struct spoa_metrics *metrics)
{
	struct spoa_numbers *numbers = calloc(1, sizeof(*numbers));

	if (!numbers)
		return NULL;
	numbers->allocator = *allocator;
	numbers->owner = *owner;
	numbers->metrics = metrics;
	pthread_mutex_init(&numbers->lock, NULL);
	return numbers;
}

static void drop_fresh(struct spoa_numbers *numbers)
{
	for (size_t i = 0; i < numbers->n_fresh; i++)
		spoa_identity_unref(numbers->fresh[i]);
	numbers->n_fresh = 0;
}

void spoa_numbers_free(struct spoa_numbers *numbers)
{
	if (!numbers)
		return;
	for (size_t i = 0; i < numbers->n_wanted; i++)
		free(numbers->wanted[i]);
	drop_fresh(numbers);
	free(numbers->fresh);
	spoa_identities_unref(numbers->table);
	spoa_identities_unref(numbers->gone);
	spoa_policies_unref(numbers->policies);
	spoa_config_unref(numbers->config);
	pthread_mutex_destroy(&numbers->lock);
	free(numbers);
}

struct spoa_identities *spoa_numbers_table(const struct spoa_numbers *numbers)
{
	return numbers->table;
}

const struct spoa_identity *spoa_numbers_find(
	const struct spoa_numbers *numbers, struct span labels)
{
	uint64_t hash = spoa_identity_hash(labels);

	for (size_t i = numbers->n_fresh; i-- > 0;)
		if (numbers->fresh[i]->hash == hash &&
			span_eq(labels, spoa_identity_labels(numbers->fresh[i])))
			return numbers->fresh[i];
	return spoa_identities_find(numbers->table, hash, labels);
}

/* Does the configuration still have each of these roles? */
static bool has_roles(const struct spoa_config *config, const char *names)
{
	struct span rest = span_of(names), name;

	while (span_next(&rest, ',', &name))
		if (spoa_config_role(config, name) == config->conf->n_roles)
			return false;
	return true;
}

const struct spoa_config *spoa_numbers_config(const struct spoa_numbers *numbers)
{
	return numbers->config;
}

/* The configuration's own word about a set counts before any other. */
static bool is_fixed(const struct spoa_config *config, struct span labels)
{
	for (size_t i = 0; i < config->conf->n_roles; i++)
		if (config->conf->roles[i].number && config->roles[i].labels &&
			span_is(labels, config->roles[i].labels))
			return true;
	return false;
}

/* And so does its word about a number. */
static bool is_of_role(const struct spoa_config *config, uint32_t id, struct span labels)
{
	for (size_t i = 0; i < config->conf->n_roles; i++)
		if (config->conf->roles[i].number == id && config->roles[i].labels &&
			!span_is(labels, config->roles[i].labels))
			return true;
	return false;
}

/* An identity that policies and routes know: of a role, or one that came up with a caller. */
static int make(const struct spoa_config *config, struct spoa_policies *policies,
	const struct spoa_ask *ask, struct ident_number number, struct spoa_identity **ret)
{
	struct span labels = span_of(ask->labels);
	cleanup(spoa_identity) struct spoa_identity *made =
		spoa_identity_new(labels, span_of(ask->roles));
	int rc = 0;

	if (!made)
		return -ENOMEM;
	made->number = number;
	for (size_t i = 0; made->role < 0 && i < config->conf->n_roles; i++)
		if (config->roles[i].labels && span_is(labels, config->roles[i].labels))
			made->role = (int)i;
	if (made->role < 0)
		made->route = spoa_route_find(config->conf, made->labels);
	if (made->role < 0 && policies && policies->index)
		rc = policy_index_caller(policies->index, labels, &made->policy_caller);
	if (rc)
		return rc;
	*ret = TAKE_PTR(made);
	return 0;
}

/* The same identity for another configuration or other policies. */
static int remake(struct spoa_config *config, struct spoa_policies *policies,
	const struct spoa_identity *old, struct spoa_identities *table)
{
	const struct spoa_ask ask = {old->labels, old->roles};
	cleanup(spoa_identity) struct spoa_identity *made = NULL;
	int rc;

	if (!has_roles(config, old->roles) || is_fixed(config, spoa_identity_labels(old)) ||
		is_of_role(config, old->number.id, spoa_identity_labels(old)))
		return 0;
	rc = make(config, policies, &ask, old->number, &made);
	if (rc)
		return rc;
	atomic_init(&made->used, atomic_load_explicit(&old->used, memory_order_relaxed));
	spoa_identities_put(table, config, made);
	return 0;
}

int spoa_numbers_prepare(struct spoa_numbers *numbers, struct spoa_config *config,
	struct spoa_policies *policies, struct spoa_identities **ret_table)
{
	const struct spoa_identities *old = numbers->table;
	cleanup(spoa_identities) struct spoa_identities *of_roles = spoa_identities_new(config);
	cleanup(spoa_identities) struct spoa_identities *table = NULL;
	int rc = 0;

	if (of_roles)
		table = spoa_identities_copy(of_roles, old ? old->n : 0);
	if (!table)
		return -ENOMEM;
	table->failed_at = old ? old->failed_at : 0;
	for (size_t i = 0; !rc && old && i < old->n_slots; i++)
		if (old->slots[i] && (old->slots[i]->role < 0 || config == numbers->config))
			rc = remake(config, policies, old->slots[i], table);
	if (!rc)
		*ret_table = TAKE_PTR(table);
	return rc;
}

void spoa_numbers_adopt(struct spoa_numbers *numbers, struct spoa_config *config,
	struct spoa_policies *policies, struct spoa_identities *table)
{
	struct spoa_config *old_config = numbers->config;
	struct spoa_policies *old_policies = numbers->policies;

	numbers->config = spoa_config_ref(config);
	numbers->policies = spoa_policies_ref(policies);
	spoa_identities_unref(numbers->gone);
	numbers->gone = numbers->table;
	numbers->table = table;
	spoa_policies_unref(old_policies);
	spoa_config_unref(old_config);
}

static struct wanted *copy(struct span labels, struct span roles, uint64_t hash)
{
	struct wanted *wanted = calloc(1, sizeof(*wanted) + labels.n + roles.n + 2);

	if (!wanted)
		return NULL;
	wanted->hash = hash;
	wanted->n_labels = labels.n;
	memcpy(wanted->labels, labels.p, labels.n);
	if (roles.n)
		memcpy(wanted->labels + labels.n + 1, roles.p, roles.n);
	wanted->roles = wanted->labels + labels.n + 1;
	return wanted;
}

/* Its place among what is wanted, or -1. */
static int find_wanted(const struct spoa_numbers *numbers, uint64_t hash, struct span labels)
{
	for (size_t i = 0; i < numbers->n_wanted; i++)
		if (numbers->wanted[i]->hash == hash && span_is(labels, numbers->wanted[i]->labels))
			return (int)i;
	return -1;
}

void spoa_numbers_want(struct spoa_numbers *numbers, struct span labels, struct span roles)
{
	uint64_t hash = spoa_identity_hash(labels);
	struct wanted *wanted;

	pthread_mutex_lock(&numbers->lock);
	if (numbers->n_wanted < SPOA_NUMBERS_WANTED && find_wanted(numbers, hash, labels) < 0) {
		wanted = copy(labels, roles, hash);
		if (wanted)
			numbers->wanted[numbers->n_wanted++] = wanted;
	}
	pthread_mutex_unlock(&numbers->lock);
	numbers->owner.wake(numbers->owner.arg);
}

/* It has its answer. */
static void forget(struct spoa_numbers *numbers, struct span labels)
{
	int i;

	pthread_mutex_lock(&numbers->lock);
	i = find_wanted(numbers, spoa_identity_hash(labels), labels);
	if (i >= 0) {
		free(numbers->wanted[i]);
		numbers->wanted[i] = numbers->wanted[--numbers->n_wanted];
	}
	pthread_mutex_unlock(&numbers->lock);
}

static bool names_it(const char *names, struct span role)
{
	struct span rest = span_of(names), name;

	while (span_next(&rest, ',', &name))
		if (span_eq(name, role))
			return true;
	return false;
}

/* Those on their way into the table: asked about, or answered. Of one role, or (empty) of all. */
static size_t coming(const struct spoa_numbers *numbers, struct span role)
{
	size_t n = 0;

	for (size_t i = 0; i < numbers->n_wanted; i++)
		n += numbers->wanted[i]->asked && *numbers->wanted[i]->roles &&
		     (!role.n || names_it(numbers->wanted[i]->roles, role));
	for (size_t i = 0; i < numbers->n_fresh; i++)
		n += !role.n || names_it(numbers->fresh[i]->roles, role);
	return n;
}

/* May there be one more with these roles? Workers looked, too, but each at the table that it had. */
static bool has_room(const struct spoa_numbers *numbers, const char *roles)
{
	const struct spoa_config *config = numbers->config;
	struct span rest = span_of(roles), name;

	if (numbers->table->n_dynamic + coming(numbers, (struct span){0}) >=
		(size_t)config->conf->identity.max)
		return false;
	while (span_next(&rest, ',', &name)) {
		size_t i = spoa_config_role(config, name);

		if (i < config->conf->n_roles && config->roles[i].template &&
			numbers->table->of_each[i] + coming(numbers, name) >=
				(uint64_t)config->conf->roles[i].max_identities)
			return false;
	}
	return true;
}

/* What nobody was asked about yet; a set that got its number meanwhile is wanted no more. */
static size_t take_asks(struct spoa_numbers *numbers, struct spoa_ask asks[SPOA_NUMBERS_WANTED])
{
	size_t n = 0;

	pthread_mutex_lock(&numbers->lock);
	for (size_t i = 0; i < numbers->n_wanted;) {
		struct wanted *one = numbers->wanted[i];
		struct span labels = {one->labels, one->n_labels};
		bool dynamic = *one->roles;

		if (one->asked) {
			i++;
		} else if (spoa_identities_find(numbers->table, one->hash, labels) ||
			   (dynamic && !has_room(numbers, one->roles))) {
			free(one);
			numbers->wanted[i] = numbers->wanted[--numbers->n_wanted];
		} else {
			one->asked = true;
			asks[n++] = (struct spoa_ask){one->labels, one->roles};
			i++;
		}
	}
	pthread_mutex_unlock(&numbers->lock);
	return n;
}

static void forget_missing(struct spoa_numbers *numbers, const struct spoa_identities *old);

void spoa_numbers_published(struct spoa_numbers *numbers)
{
	if (!numbers->gone)
		return;
	forget_missing(numbers, numbers->gone);
	spoa_identities_unref(TAKE_PTR(numbers->gone));
}

void spoa_numbers_send(struct spoa_numbers *numbers)
{
	struct spoa_ask asks[SPOA_NUMBERS_WANTED];
	size_t n = take_asks(numbers, asks);

	if (n)
		numbers->allocator.ask(numbers->allocator.arg, numbers, asks, n);
	spoa_numbers_settle(numbers);
}

static void log_identity(enum base_log_level level, const char *event, const struct spoa_ask *ask,
	const struct ident_number *number, const char *why)
{
	struct base_log log;

	if (!spoa_log_open(&log, level, event))
		return;
	if (number) {
		base_log_int(&log, "identity", number->id);
		base_log_str(&log, "provenance", ident_provenance_name(number->from));
	}
	base_log_str(&log, "role", ask->roles);
	base_log_str(&log, "labels", ask->labels);
	if (why)
		base_log_str(&log, "why", why);
	spoa_log_close(&log);
}

static int add_fresh(struct spoa_numbers *numbers, struct spoa_identity *identity)
{
	size_t room = numbers->room_fresh ? numbers->room_fresh * 2 : 64;

	if (numbers->n_fresh == numbers->room_fresh) {
		struct spoa_identity **grown =
			reallocarray(numbers->fresh, room, sizeof(struct spoa_identity *));

		if (!grown)
			return -ENOMEM;
		numbers->fresh = grown;
		numbers->room_fresh = room;
	}
	numbers->fresh[numbers->n_fresh++] = spoa_identity_ref(identity);
	return 0;
}

/* 0, or -errno with why: the kernel and the policies know it, and it waits for the next table. */
static int bring(struct spoa_numbers *numbers, const struct spoa_ask *ask,
	struct ident_number number, int64_t used_s, char why[STORE_WHY])
{
	cleanup(spoa_identity) struct spoa_identity *made = NULL;
	int rc = is_of_role(numbers->config, number.id, span_of(ask->labels)) ? -EEXIST : 0;

	if (rc)
		snprintf(why, STORE_WHY, "number %u is a role's by the configuration", number.id);
	else
		rc = make(numbers->config, numbers->policies, ask, number, &made);
	if (!rc)
		atomic_init(&made->used, used_s);
	if (!rc && numbers->owner.appear)
		rc = numbers->owner.appear(
			numbers->owner.arg, number.id, span_of(ask->labels), why);
	if (!rc)
		rc = add_fresh(numbers, made);
	if (rc && !*why)
		snprintf(why, STORE_WHY, "%s", strerror(-rc));
	return rc;
}

void spoa_numbers_failed(struct spoa_numbers *numbers, const struct spoa_ask *ask, const char *why)
{
	struct base_now now;
	uint64_t lost;

	base_clock_now(&now);
	numbers->failed = true;
	spoa_metrics_add(numbers->metrics, SPOA_COUNT_IDENTITIES_FAILED, 1);
	if (spoa_log_allowed(&numbers->lines, 10, now.mono_ns, &lost))
		log_identity(BASE_LOG_ERROR, "identity_failed", ask, NULL, why);
	forget(numbers, span_of(ask->labels));
}

void spoa_numbers_answer(
	struct spoa_numbers *numbers, const struct spoa_ask *ask, struct ident_number number)
{
	const struct spoa_identity *old = spoa_identities_find(
		numbers->table, spoa_identity_hash(span_of(ask->labels)), span_of(ask->labels));
	bool is_new = !old || old->number.id != number.id; /* else only what may be done with it */
	char why[STORE_WHY] = "";
	struct base_now now;

	if (is_fixed(numbers->config, span_of(ask->labels))) {
		forget(numbers, span_of(ask->labels));
		return;
	}
	base_clock_now(&now);
	if (bring(numbers, ask, number, base_clock_wall_s(&now), why)) {
		spoa_numbers_failed(numbers, ask, why);
		return;
	}
	if (is_new) {
		spoa_metrics_add(numbers->metrics, SPOA_COUNT_IDENTITIES_NEW, 1);
		log_identity(BASE_LOG_INFO, "identity_new", ask, &number, NULL);
	}
	forget(numbers, span_of(ask->labels));
}

void spoa_numbers_restore(struct spoa_numbers *numbers, const struct spoa_ask *ask,
	struct ident_number number, int64_t used_s)
{
	char why[STORE_WHY] = "";

	if (has_roles(numbers->config, ask->roles) &&
		!is_fixed(numbers->config, span_of(ask->labels)) &&
		bring(numbers, ask, number, used_s, why))
		spoa_numbers_failed(numbers, ask, why);
}

/* The next table: this one and the answers. */
static int put_fresh(struct spoa_numbers *numbers)
{
	struct spoa_identities *table = spoa_identities_copy(numbers->table, numbers->n_fresh);
	struct base_now now;

	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < numbers->n_fresh; i++)
		spoa_identities_put(table, numbers->config, numbers->fresh[i]);
	base_clock_now(&now);
	if (numbers->failed)
		table->failed_at = now.mono_ns;
	spoa_identities_unref(numbers->table);
	numbers->table = table;
	return 0;
}

/* Kernel and allocator forget a number that these labels had and have no more. */
static void let_go(struct spoa_numbers *numbers, const struct spoa_identity *one)
{
	struct span labels = spoa_identity_labels(one);
	const struct spoa_identity *now = spoa_identities_find(numbers->table, one->hash, labels);

	if (numbers->owner.go && (!now || now->number.id != one->number.id))
		numbers->owner.go(numbers->owner.arg, one->number.id, labels);
	if (numbers->allocator.gone && !now)
		numbers->allocator.gone(numbers->allocator.arg, one->labels);
}

/* Of several answers about the same labels the last one counts. */
static void forget_replaced(struct spoa_numbers *numbers, const struct spoa_identities *old)
{
	for (size_t i = 0; i < numbers->n_fresh; i++) {
		const struct spoa_identity *one = numbers->fresh[i];
		const struct spoa_identity *was =
			spoa_identities_find(old, one->hash, spoa_identity_labels(one));

		if (was)
			let_go(numbers, was);
		let_go(numbers, one);
	}
}

void spoa_numbers_settle(struct spoa_numbers *numbers)
{
	cleanup(spoa_identities) struct spoa_identities *old = spoa_identities_ref(numbers->table);

	if (!numbers->n_fresh && !numbers->failed)
		return;
	if (put_fresh(numbers)) {
		spoa_log(BASE_LOG_ERROR, "no_memory", "for", "identities");
		return; /* with the next one */
	}
	numbers->failed = false;
	numbers->owner.changed(numbers->owner.arg);
	forget_replaced(numbers, old);
	drop_fresh(numbers);
}

static bool any_gone(const struct spoa_identities *table,
	bool (*gone)(void *arg, const struct spoa_identity *identity), void *arg)
{
	for (size_t i = 0; i < table->n_slots; i++)
		if (table->slots[i] && gone(arg, table->slots[i]))
			return true;
	return false;
}

/* The kernel forgets what was in one table and is not, or not so, in the other. */
static void forget_missing(struct spoa_numbers *numbers, const struct spoa_identities *old)
{
	for (size_t i = 0; i < old->n_slots; i++)
		if (old->slots[i])
			let_go(numbers, old->slots[i]);
}

int spoa_numbers_withdraw(struct spoa_numbers *numbers,
	bool (*gone)(void *arg, const struct spoa_identity *identity), void *arg)
{
	cleanup(spoa_identities) struct spoa_identities *old = NULL;
	struct spoa_identities *table;

	if (!any_gone(numbers->table, gone, arg))
		return 0;
	table = spoa_identities_without(numbers->table, numbers->config, gone, arg);
	if (!table)
		return -ENOMEM;
	old = numbers->table;
	numbers->table = table;
	numbers->owner.changed(numbers->owner.arg);
	forget_missing(numbers, old);
	return 0;
}
