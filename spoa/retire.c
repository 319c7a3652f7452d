#include "spoa/retire.h"

#include "spoa/allocator_local.h"
#include "spoa/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PERIOD_S 60

/* One round: what is known of the rows, and of the connections. */
struct round {
	struct spoa_retire *retire;
	const struct conf *conf;
	int64_t now_s;
	struct store_identity *rows;
	size_t n;
	struct spoa_carried carried;
	char why[STORE_WHY];
};

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

int spoa_carried_add(struct spoa_carried *to, uint32_t id)
{
	size_t room = to->room ? to->room * 2 : 64;

	if (to->n == to->room) {
		uint32_t *grown = reallocarray(to->ids, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		to->ids = grown;
		to->room = room;
	}
	to->ids[to->n++] = id;
	return 0;
}

static bool is_carried(const struct round *r, uint32_t id)
{
	return r->carried.n &&
	       bsearch(&id, r->carried.ids, r->carried.n, sizeof(id), compare) != NULL;
}

static int64_t unused_s(const struct conf *conf)
{
	return conf->identity.unused / 1000;
}

static int64_t quarantine_s(const struct conf *conf)
{
	return conf->identity.quarantine / 1000;
}

/*
 * Often enough that what is used is written down well before another agent
 * could take it for unused, and its number's quarantine could end.
 */
static int64_t period_s(const struct conf *conf)
{
	int64_t period = PERIOD_S;

	if (unused_s(conf) && unused_s(conf) / 8 < period)
		period = unused_s(conf) / 8;
	if (quarantine_s(conf) / 4 < period)
		period = quarantine_s(conf) / 4;
	return period > 0 ? period : 1;
}

static struct spoa_identity *in_table(const struct round *r, const struct store_identity *row)
{
	const struct spoa_identities *table = spoa_numbers_table(r->retire->numbers);
	struct span labels = span_of(row->labels);
	struct spoa_identity *found =
		spoa_identities_find(table, spoa_identity_hash(labels), labels);

	return found && found->role < 0 && found->number.id == row->id ? found : NULL;
}

static bool is_old(const struct round *r, int64_t used_s)
{
	return unused_s(r->conf) && used_s <= r->now_s - unused_s(r->conf);
}

/* Another agent released it: the same labels get the same number back while it is in quarantine. */
static int take_back(struct round *r, struct store_identity *row)
{
	const struct store_loan loan = {row->labels, row->roles, r->now_s};
	uint32_t id;

	row->released_s = 0;
	return store_identity_lend(r->retire->store, &loan, row->id, row->id, &id, r->why);
}

/* Writes down that it was used; what a connection carries is used. */
static int write_use(struct round *r, struct store_identity *row, struct spoa_identity *identity)
{
	int64_t used_s = atomic_load_explicit(&identity->used, memory_order_relaxed);
	bool there = true;
	int rc;

	if (is_old(r, used_s) && is_carried(r, row->id)) {
		used_s = r->now_s;
		atomic_store_explicit(&identity->used, used_s, memory_order_relaxed);
	}
	if (used_s <= row->used_s)
		return 0;
	row->used_s = used_s;
	rc = store_identity_touch(r->retire->store, row->labels, row->id, used_s, &there, r->why);
	return rc || there ? rc : take_back(r, row);
}

static int write_uses(struct round *r)
{
	int rc = store_begin(r->retire->store, r->why);

	if (rc)
		return rc;
	for (size_t i = 0; !rc && i < r->n; i++) {
		struct spoa_identity *identity =
			*r->rows[i].roles ? in_table(r, &r->rows[i]) : NULL;

		if (identity)
			rc = write_use(r, &r->rows[i], identity);
	}
	/* The end has its own sentence; that of what failed before it is the better one. */
	if (rc)
		(void)!store_end(r->retire->store, false, NULL);
	return rc ? rc : store_end(r->retire->store, true, r->why);
}

static bool may_release(const struct round *r, const struct store_identity *row)
{
	return *row->roles && !row->fixed && !row->released_s && is_old(r, row->used_s) &&
	       !is_carried(r, row->id);
}

/* Was it used since that was written down? */
static bool is_gone(void *arg, const struct spoa_identity *identity)
{
	const struct round *r = arg;

	return identity->role < 0 &&
	       is_old(r, atomic_load_explicit(&identity->used, memory_order_relaxed)) &&
	       !is_carried(r, identity->number.id);
}

static void log_released(const struct store_identity *row)
{
	struct base_log log;

	if (!spoa_log_open(&log, BASE_LOG_INFO, "identity_released"))
		return;
	base_log_int(&log, "identity", row->id);
	base_log_str(&log, "role", row->roles);
	base_log_str(&log, "labels", row->labels);
	spoa_log_close(&log);
}

/* By now no snapshot and no kernel map has them. */
static int release_rows(struct round *r)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < r->n; i++) {
		const struct store_identity *row = &r->rows[i];
		bool done = false;

		if (!may_release(r, row) || in_table(r, row))
			continue;
		rc = store_identity_release(r->retire->store, row->labels, row->id,
			r->now_s - unused_s(r->conf), r->now_s, &done, r->why);
		if (!rc && done)
			log_released(row);
	}
	return rc;
}

static int purge_rows(struct round *r)
{
	int64_t before = r->now_s - quarantine_s(r->conf);
	int rc = 0;

	for (size_t i = 0; !rc && i < r->n; i++) {
		const struct store_identity *row = &r->rows[i];
		bool done;

		if (row->released_s && row->released_s <= before && !is_carried(r, row->id))
			rc = store_identity_purge(
				r->retire->store, row->labels, row->id, before, &done, r->why);
	}
	return rc;
}

/* Is there anything for which one has to know what connections carry? */
static bool asks_connections(const struct round *r)
{
	const struct spoa_identities *table = spoa_numbers_table(r->retire->numbers);

	for (size_t i = 0; i < r->n; i++)
		if (r->rows[i].released_s || (*r->rows[i].roles && is_old(r, r->rows[i].used_s)))
			return true;
	/* One that etcd numbered has no row. */
	for (size_t i = 0; i < table->n_slots; i++)
		if (table->slots[i] && table->slots[i]->role < 0 &&
			is_old(r,
				atomic_load_explicit(&table->slots[i]->used, memory_order_relaxed)))
			return true;
	return false;
}

static int look_at_connections(struct round *r)
{
	int rc = 0;

	if (!asks_connections(r))
		return 0;
	rc = r->retire->carried(r->retire->arg, &r->carried);
	if (rc)
		snprintf(r->why, sizeof(r->why), "the kernel's flows cannot be read: %s",
			strerror(-rc));
	else if (r->carried.n)
		qsort(r->carried.ids, r->carried.n, sizeof(uint32_t), compare);
	return rc;
}

static int run(struct round *r)
{
	int rc = store_identities(r->retire->store, &r->rows, &r->n);

	if (rc) {
		snprintf(r->why, sizeof(r->why), "the identities cannot be read");
		return rc;
	}
	rc = look_at_connections(r);
	if (!rc)
		rc = write_uses(r);
	if (!rc)
		rc = spoa_numbers_withdraw(r->retire->numbers, is_gone, r);
	if (!rc)
		rc = release_rows(r);
	return rc ? rc : purge_rows(r);
}

void spoa_retire_tick(struct spoa_retire *retire, int64_t now_s)
{
	struct round r = {.retire = retire, .now_s = now_s};
	int rc;

	r.conf = spoa_numbers_config(retire->numbers)->conf;
	/* A clock that was set back must not stop it. */
	if (now_s < retire->next_s && retire->next_s - now_s <= PERIOD_S)
		return;
	retire->next_s = now_s + period_s(r.conf);
	rc = run(&r);
	if (rc && !retire->failed)
		spoa_log(BASE_LOG_ERROR, "identities_not_kept", "why", r.why);
	retire->failed = rc != 0;
	store_identities_free(r.rows, r.n);
	free(r.carried.ids);
}
