#include "spoa/allocator_etcd.h"

#include "spoa/log.h"
#include "store/shared.h"

#include <errno.h>
#include <string.h>

/* Asked for, and not in numbers' table yet: with which roles they came. */
struct pending {
	struct pending *next;
	const char *roles; /* behind labels */
	char labels[];
};

/* What is to be remembered at the end of the turn. */
struct fresh {
	struct fresh *next;
	uint32_t id;
	const char *roles; /* behind labels */
	char labels[];
};

struct spoa_allocator_etcd {
	struct store *store;
	struct spoa_allocator_local *local;
	struct spoa_etcd *etcd;       /* NULL before start */
	struct spoa_numbers *numbers; /* the same */
	struct pending *pending;
	struct fresh *fresh;
	struct spoa_workload_watch *workloads; /* or NULL */
	bool changed;                          /* since the last turn */
};

int spoa_allocator_etcd_new(
	struct store *store, struct spoa_allocator_local *local, struct spoa_allocator_etcd **ret)
{
	struct spoa_allocator_etcd *allocator = calloc(1, sizeof(*allocator));

	if (!allocator)
		return -ENOMEM;
	allocator->store = store;
	allocator->local = local;
	*ret = allocator;
	return 0;
}

static void drop_fresh(struct spoa_allocator_etcd *allocator)
{
	while (allocator->fresh) {
		struct fresh *next = allocator->fresh->next;

		free(allocator->fresh);
		allocator->fresh = next;
	}
}

void spoa_allocator_etcd_free(struct spoa_allocator_etcd *allocator)
{
	if (!allocator)
		return;
	while (allocator->pending) {
		struct pending *next = allocator->pending->next;

		free(allocator->pending);
		allocator->pending = next;
	}
	drop_fresh(allocator);
	free(allocator);
}

static struct pending **find_pending(struct spoa_allocator_etcd *allocator, const char *labels)
{
	struct pending **at = &allocator->pending;

	while (*at && strcmp((*at)->labels, labels))
		at = &(*at)->next;
	return at;
}

static void forget_pending(struct spoa_allocator_etcd *allocator, const char *labels)
{
	struct pending **at = find_pending(allocator, labels);
	struct pending *gone = *at;

	if (!gone)
		return;
	*at = gone->next;
	free(gone);
}

static int add_pending(struct spoa_allocator_etcd *allocator, const struct spoa_ask *ask)
{
	size_t n = strlen(ask->labels) + 1, n_roles = strlen(ask->roles) + 1;
	struct pending *pending = malloc(sizeof(*pending) + n + n_roles);

	if (!pending)
		return -ENOMEM;
	memcpy(pending->labels, ask->labels, n);
	memcpy(pending->labels + n, ask->roles, n_roles);
	pending->roles = pending->labels + n;
	pending->next = allocator->pending;
	allocator->pending = pending;
	return 0;
}

/* Until the end of the turn, so that many wait for the disk once. */
static void remember(struct spoa_allocator_etcd *allocator, const struct spoa_ask *ask, uint32_t id)
{
	size_t n = strlen(ask->labels) + 1, n_roles = strlen(ask->roles) + 1;
	struct fresh *fresh = malloc(sizeof(*fresh) + n + n_roles);

	if (!fresh)
		return; /* known again when etcd says it again */
	fresh->id = id;
	memcpy(fresh->labels, ask->labels, n);
	memcpy(fresh->labels + n, ask->roles, n_roles);
	fresh->roles = fresh->labels + n;
	fresh->next = allocator->fresh;
	allocator->fresh = fresh;
}

static const struct spoa_identity *identity_of(
	const struct spoa_allocator_etcd *allocator, const char *labels)
{
	return spoa_numbers_find(allocator->numbers, span_of(labels));
}

/* A role's labels, or those of an identity that a caller may come with again. */
static bool is_used(void *arg, const char *labels)
{
	const struct spoa_allocator_etcd *allocator = arg;
	const struct spoa_config *config = spoa_numbers_config(allocator->numbers);

	if (identity_of(allocator, labels))
		return true;
	for (size_t i = 0; i < config->conf->n_roles; i++)
		if (config->roles[i].labels && !config->conf->roles[i].number &&
			!strcmp(config->roles[i].labels, labels))
			return true;
	return *find_pending((struct spoa_allocator_etcd *)allocator, labels) != NULL;
}

/*
 * Without a number it keeps the one it had, but is not marked with it. What
 * nobody uses any more is none of ours: whose it was is not known here.
 */
static void on_number(void *arg, const char *labels, struct ident_number number)
{
	struct spoa_allocator_etcd *allocator = arg;
	const struct spoa_identity *identity = identity_of(allocator, labels);
	const struct pending *pending = *find_pending(allocator, labels);
	const struct spoa_ask ask = {labels, pending    ? pending->roles
					     : identity ? identity->roles
							: ""};
	struct spoa_ask kept = {labels, NULL};
	cleanup(free) char *roles = strdup(ask.roles);

	if (!roles || !is_used(allocator, labels) || (!number.id && !identity))
		return;
	kept.roles = roles;
	if (!number.id)
		number = (struct ident_number){
			.id = identity->number.id, .from = identity->number.from};
	else if (!identity || identity->number.id != number.id)
		remember(allocator, &kept, number.id);
	spoa_numbers_answer(allocator->numbers, &kept, number);
	forget_pending(allocator, labels);
	allocator->changed = true;
}

static void write_fresh(struct spoa_allocator_etcd *allocator)
{
	char why[STORE_WHY] = "";
	bool begun;
	int rc;

	if (!allocator->fresh)
		return;
	rc = store_begin(allocator->store, why);
	begun = !rc;
	for (const struct fresh *f = allocator->fresh; f && !rc; f = f->next)
		rc = store_shared_put(
			allocator->store, &(struct store_shared){f->labels, f->roles, f->id}, why);
	if (!rc)
		rc = store_end(allocator->store, true, why);
	else if (begun) /* else what is open is somebody else's */
		(void)!store_end(allocator->store, false, (char[STORE_WHY]){0});
	if (rc)
		spoa_log(BASE_LOG_ERROR, "identity_not_stored", "why", why);
	drop_fresh(allocator);
}

static void on_turned(void *arg)
{
	struct spoa_allocator_etcd *allocator = arg;

	write_fresh(allocator);
	if (!allocator->changed || !allocator->numbers)
		return;
	allocator->changed = false;
	spoa_numbers_settle(allocator->numbers);
	spoa_etcd_addresses(
		allocator->etcd, (struct spoa_config *)spoa_numbers_config(allocator->numbers));
}

static uint32_t before_of(const struct spoa_allocator_etcd *allocator, const char *labels)
{
	uint32_t id;

	return store_shared_get(allocator->store, labels, &id) ? 0 : id;
}

/* etcd is away: what is known goes on, what is new is refused or gets a local number. */
static void ask_away(struct spoa_allocator_etcd *allocator, struct spoa_numbers *numbers,
	const struct spoa_ask *ask, uint32_t before)
{
	const struct conf *conf = spoa_numbers_config(numbers)->conf;
	struct spoa_allocator local = spoa_allocator_local(allocator->local);

	/* First, since with the answer the labels of ask go. */
	if (before || conf->etcd.when_away == CONF_ETCD_LOCAL)
		(void)!etcd_numbers_want(spoa_etcd_numbers(allocator->etcd), ask->labels, before);
	if (before)
		spoa_numbers_answer(
			numbers, ask, (struct ident_number){.id = before, .from = IDENT_ETCD});
	else if (conf->etcd.when_away == CONF_ETCD_LOCAL)
		local.ask(local.arg, numbers, ask, 1);
	else
		spoa_numbers_failed(numbers, ask, "etcd is away");
}

static void ask_one(struct spoa_allocator_etcd *allocator, struct spoa_numbers *numbers,
	const struct spoa_ask *ask)
{
	struct etcd_numbers *shared = spoa_etcd_numbers(allocator->etcd);
	struct ident_number number = etcd_numbers_find(shared, ask->labels);
	uint32_t before = before_of(allocator, ask->labels);
	int rc = 0;

	if (number.id) {
		spoa_numbers_answer(numbers, ask, number);
		return;
	}
	if (!etcd_numbers_is_up(shared)) {
		ask_away(allocator, numbers, ask, before);
		return;
	}
	if (!*find_pending(allocator, ask->labels))
		rc = add_pending(allocator, ask);
	if (!rc)
		rc = etcd_numbers_want(shared, ask->labels, before);
	if (!rc)
		return;
	forget_pending(allocator, ask->labels);
	spoa_numbers_failed(numbers, ask,
		rc == -EINVAL ? "labels that this cluster cannot have" : strerror(-rc));
}

static void ask(void *arg, struct spoa_numbers *numbers, const struct spoa_ask *asks, size_t n)
{
	struct spoa_allocator_etcd *allocator = arg;

	for (size_t i = 0; i < n; i++) {
		if (allocator->etcd)
			ask_one(allocator, numbers, &asks[i]);
		else
			spoa_numbers_failed(numbers, &asks[i], "etcd was not asked yet");
	}
	if (allocator->etcd)
		spoa_etcd_turn(allocator->etcd);
}

/* Its number is asked for again when a caller comes; a start does not bring it back. */
static void gone(void *arg, const char *labels)
{
	struct spoa_allocator_etcd *allocator = arg;
	uint32_t before;

	if (!allocator->etcd || is_used(allocator, labels))
		return;
	etcd_numbers_unwant(spoa_etcd_numbers(allocator->etcd), labels);
	before = before_of(allocator, labels);
	if (before)
		remember(allocator, &(struct spoa_ask){labels, ""}, before);
}

struct spoa_allocator spoa_allocator_etcd(struct spoa_allocator_etcd *allocator)
{
	return (struct spoa_allocator){.ask = ask, .gone = gone, .arg = allocator};
}

/* What cannot be kept is not known: whoever comes from there is nameless. */
static void on_learnt(void *arg, uint32_t id, const char *labels)
{
	struct spoa_allocator_etcd *allocator = arg;

	if (allocator->workloads)
		(void)!spoa_workload_watch_learn(allocator->workloads, id, labels);
}

void spoa_allocator_etcd_owner(struct spoa_allocator_etcd *allocator, struct spoa_etcd_parts *parts)
{
	allocator->workloads = parts->workloads;
	parts->owner = (struct etcd_numbers_owner){
		.changed = on_number, .learnt = on_learnt, .arg = allocator};
	parts->turned = on_turned;
}

static int restore_one(void *arg, const struct store_shared *shared)
{
	const struct spoa_ask known = {shared->labels, shared->roles};
	struct base_now now;

	/* Nothing says when it was used: it has its time from here on. */
	base_clock_now(&now);
	if (*shared->roles)
		spoa_numbers_restore(arg, &known,
			(struct ident_number){.id = shared->id, .from = IDENT_ETCD},
			base_clock_wall_s(&now));
	return 0;
}

int spoa_allocator_etcd_restore(struct spoa_allocator_etcd *allocator, struct spoa_numbers *numbers)
{
	return store_shared_each(allocator->store, restore_one, numbers);
}

static void want(struct spoa_allocator_etcd *allocator, const char *labels, uint32_t before)
{
	struct etcd_numbers *shared = spoa_etcd_numbers(allocator->etcd);
	struct ident_number number = etcd_numbers_find(shared, labels);

	if (etcd_numbers_want(shared, labels, before))
		spoa_log(BASE_LOG_ERROR, "identity_failed", "why",
			"these labels cannot have a number in etcd");
	if (number.id) /* a new table knows only what the store does */
		on_number(allocator, labels, number);
}

void spoa_allocator_etcd_configured(struct spoa_allocator_etcd *allocator)
{
	const struct spoa_config *config = spoa_numbers_config(allocator->numbers);
	struct spoa_identities *table = spoa_identities_ref(spoa_numbers_table(allocator->numbers));

	for (size_t i = 0; i < config->conf->n_roles; i++)
		if (config->roles[i].labels && !config->conf->roles[i].number)
			want(allocator, config->roles[i].labels, config->roles[i].number.id);
	for (size_t i = 0; i < table->n_slots; i++)
		if (table->slots[i] && table->slots[i]->role < 0)
			want(allocator, table->slots[i]->labels, table->slots[i]->number.id);
	spoa_identities_unref(table);
	etcd_numbers_keep(spoa_etcd_numbers(allocator->etcd), is_used, allocator);
	allocator->changed = true;
	spoa_etcd_turn(allocator->etcd);
}

void spoa_allocator_etcd_start(
	struct spoa_allocator_etcd *allocator, struct spoa_etcd *etcd, struct spoa_numbers *numbers)
{
	allocator->etcd = etcd;
	allocator->numbers = numbers;
	spoa_allocator_etcd_configured(allocator);
}
