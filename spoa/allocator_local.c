#include "spoa/allocator_local.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

struct result {
	uint32_t id;
	char why[STORE_WHY];
};

static void take(struct spoa_allocator_local *local, const struct conf *conf,
	const struct spoa_ask *ask, int64_t now_s, struct result *to)
{
	uint32_t lo = (uint32_t)conf->identity.local_min, hi = (uint32_t)conf->identity.local_max;
	const struct store_loan loan = {ask->labels, ask->roles, now_s};
	int rc;

	rc = *ask->roles ? store_identity_lend(local->store, &loan, lo, hi, &to->id, to->why)
			 : store_identity(local->store, ask->labels, lo, hi, &to->id, to->why);
	if (rc)
		to->id = 0;
}

static void tell(struct spoa_numbers *numbers, const struct spoa_ask *ask, const struct result *got)
{
	if (got->id)
		spoa_numbers_answer(
			numbers, ask, (struct ident_number){.id = got->id, .from = IDENT_LOCAL});
	else
		spoa_numbers_failed(numbers, ask, got->why);
}

/* All that came together are one transaction: one wait for the disk. */
static void ask(void *arg, struct spoa_numbers *numbers, const struct spoa_ask *asks, size_t n)
{
	struct spoa_allocator_local *local = arg;
	cleanup(free) struct result *results = calloc(n, sizeof(*results));
	char why[STORE_WHY] = "out of memory";
	struct base_now now;
	int rc = results ? store_begin(local->store, why) : -1;

	base_clock_now(&now);
	for (size_t i = 0; !rc && i < n; i++)
		take(local, spoa_numbers_config(numbers)->conf, &asks[i], base_clock_wall_s(&now),
			&results[i]);
	if (!rc)
		rc = store_end(local->store, true, why);
	for (size_t i = 0; i < n; i++) {
		if (rc)
			spoa_numbers_failed(numbers, &asks[i], why);
		else
			tell(numbers, &asks[i], &results[i]);
	}
}

struct spoa_allocator spoa_allocator_local(struct spoa_allocator_local *local)
{
	return (struct spoa_allocator){.ask = ask, .arg = local};
}

int spoa_allocator_local_restore(struct spoa_allocator_local *local, struct spoa_numbers *numbers)
{
	struct store_identity *list = NULL;
	size_t n = 0;
	int rc = store_identities(local->store, &list, &n);

	for (size_t i = 0; !rc && i < n; i++) {
		const struct spoa_ask known = {list[i].labels, list[i].roles};
		const struct ident_number number = {.id = list[i].id, .from = IDENT_LOCAL};

		if (*list[i].roles && !list[i].released_s)
			spoa_numbers_restore(numbers, &known, number, list[i].used_s);
	}
	store_identities_free(list, n);
	return rc;
}
