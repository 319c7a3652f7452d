#include "spoa/numbers.h"

#include "spoa/log.h"
#include "spoa/numbers_state.h"

#include <errno.h>
#include <string.h>

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

const struct spoa_config *spoa_numbers_config(const struct spoa_numbers *numbers)
{
	return numbers->config;
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
	size_t n = spoa_wanted_take(numbers, asks);

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
	int rc = spoa_numbers_is_of_role(numbers->config, number.id, span_of(ask->labels)) ? -EEXIST
											   : 0;

	if (rc)
		snprintf(why, STORE_WHY, "number %u is a role's by the configuration", number.id);
	else
		rc = spoa_numbers_make(numbers->config, numbers->policies, ask, number, &made);
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
	spoa_wanted_forget(numbers, span_of(ask->labels));
}

void spoa_numbers_answer(
	struct spoa_numbers *numbers, const struct spoa_ask *ask, struct ident_number number)
{
	const struct spoa_identity *old = spoa_identities_find(
		numbers->table, spoa_identity_hash(span_of(ask->labels)), span_of(ask->labels));
	bool is_new = !old || old->number.id != number.id; /* else only what may be done with it */
	char why[STORE_WHY] = "";
	struct base_now now;

	if (spoa_numbers_is_fixed(numbers->config, span_of(ask->labels))) {
		spoa_wanted_forget(numbers, span_of(ask->labels));
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
	spoa_wanted_forget(numbers, span_of(ask->labels));
}

void spoa_numbers_restore(struct spoa_numbers *numbers, const struct spoa_ask *ask,
	struct ident_number number, int64_t used_s)
{
	char why[STORE_WHY] = "";

	if (spoa_numbers_has_roles(numbers->config, ask->roles) &&
		!spoa_numbers_is_fixed(numbers->config, span_of(ask->labels)) &&
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
