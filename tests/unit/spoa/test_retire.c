#include "spoa/retire.h"

#include "spoa/allocator_etcd.h"
#include "spoa/allocator_local.h"
#include "store/shared.h"
#include "tests/unit/spoa/help.h"
#include "tests/unit/spoa/suites.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define HOUR   3600
#define LABELS "k8s:team=red;"

static const char CONFIG[] =
	HELP_HEAD "identity: {unused: 10h, quarantine: 5h, local_min: 300, local_max: 301}\n"
		  "providers:\n"
		  "  - {name: a, issuer: 'https://a', audiences: [api], algorithms: [ES256]}\n"
		  "roles: [{name: team, labels: ['team={claims.team}']}]\n";

static char dir[64];
static struct {
	struct spoa_config *config;
	struct store *store;
	struct spoa_allocator_local local;
	struct spoa_numbers *numbers;
	struct spoa_metrics metrics;
	struct spoa_retire retire;
	uint32_t carried; /* by a connection; 0: by none */
	int error;        /* of looking at connections */
	unsigned changed;
	uint32_t gone; /* the last number that the kernel was told to forget */
	unsigned changed_before_gone;
	void (*gone_of_allocator)(void *arg, const char *labels);
	unsigned unwanted;
} the;

static void changed(void *arg)
{
	(void)arg;
	the.changed++;
}

static void go(void *arg, uint32_t id, struct span labels)
{
	(void)arg;
	(void)labels;
	the.gone = id;
	the.changed_before_gone = the.changed;
}

static int list_carried(void *arg, struct spoa_carried *to)
{
	(void)arg;
	if (the.error)
		return the.error;
	return the.carried ? spoa_carried_add(to, the.carried) : 0;
}

/* Like a start: what the store has is there again. */
static void start_numbers(void)
{
	const struct spoa_numbers_owner owner = {.changed = changed, .go = go};
	struct spoa_allocator allocator = spoa_allocator_local(&the.local);

	allocator.gone = the.gone_of_allocator;
	struct spoa_identities *table = NULL;

	the.numbers = spoa_numbers_new(&allocator, &owner, &the.metrics);
	ck_assert_ptr_nonnull(the.numbers);
	ck_assert_int_eq(spoa_numbers_prepare(the.numbers, the.config, NULL, &table), 0);
	spoa_numbers_adopt(the.numbers, the.config, NULL, table);
	ck_assert_int_eq(spoa_allocator_local_restore(&the.local, the.numbers), 0);
	spoa_numbers_settle(the.numbers);
	the.retire = (struct spoa_retire){
		.store = the.store, .numbers = the.numbers, .carried = list_carried};
}

static void setup(void)
{
	char path[80], why[STORE_WHY];

	memset(&the, 0, sizeof(the));
	help_mkdir(dir);
	snprintf(path, sizeof(path), "%s/store", dir);
	ck_assert_int_eq(store_open(path, &the.store, why), 0);
	the.local.store = the.store;
	the.config = help_config(CONFIG);
	start_numbers();
}

static void teardown(void)
{
	spoa_numbers_free(the.numbers);
	spoa_config_unref(the.config);
	store_close(the.store);
	help_rmdir(dir);
}

static struct spoa_identity *find(const char *labels)
{
	struct span text = span_of(labels);

	return spoa_identities_find(
		spoa_numbers_table(the.numbers), spoa_identity_hash(text), text);
}

static void use(struct spoa_identity *identity, int64_t now_s)
{
	atomic_store(&identity->used, now_s);
}

/* Lends it at a time of the test's own, as if it had come up then. */
static uint32_t lend(const char *labels, int64_t now_s)
{
	const struct store_loan loan = {labels, "team", now_s};
	char why[STORE_WHY] = "";
	uint32_t id = 0;
	int rc = store_identity_lend(the.store, &loan, 300, 301, &id, why);

	ck_assert_msg(!rc || rc == -ENOSPC, "%s", why);
	return id;
}

static void restart(void)
{
	spoa_numbers_free(the.numbers);
	start_numbers();
}

static void tick(int64_t now_s)
{
	the.retire.next_s = 0;
	spoa_retire_tick(&the.retire, now_s);
}

START_TEST(given_up)
{
	/* Unused for long: out of the table, then the kernel, then quarantine; then another's. */
	ck_assert_uint_eq(lend(LABELS, HOUR), 300);
	ck_assert_uint_eq(lend("k8s:team=blue;", 10 * HOUR), 301);
	restart();
	ck_assert_ptr_nonnull(find(LABELS));
	the.changed = 0;
	tick(10 * HOUR);
	ck_assert_ptr_nonnull(find(LABELS));
	tick(12 * HOUR);
	ck_assert_ptr_null(find(LABELS));
	ck_assert_ptr_nonnull(find("k8s:team=blue;"));
	ck_assert_uint_eq(the.gone, 300);
	ck_assert_uint_eq(the.changed_before_gone, 1); /* no new snapshot has it by then */
	ck_assert_uint_eq(lend("k8s:team=green;", 12 * HOUR), 0); /* both numbers are taken */
	restart();                                                /* the quarantine is on disk */
	ck_assert_ptr_null(find(LABELS));
	tick(16 * HOUR);
	ck_assert_uint_eq(lend("k8s:team=green;", 16 * HOUR), 0);
	tick(18 * HOUR);
	ck_assert_uint_eq(lend("k8s:team=green;", 18 * HOUR), 300);
}
END_TEST

START_TEST(gets_it_back)
{
	/* The same labels get their number back out of quarantine, and are in use again. */
	(void)lend(LABELS, HOUR);
	restart();
	tick(12 * HOUR);
	ck_assert_ptr_null(find(LABELS));
	ck_assert_uint_eq(lend(LABELS, 13 * HOUR), 300);
	tick(20 * HOUR);
	ck_assert_uint_eq(lend("k8s:team=a;", 20 * HOUR), 301);
	ck_assert_uint_eq(lend("k8s:team=b;", 20 * HOUR), 0);
}
END_TEST

START_TEST(used)
{
	/* What is used stays, and that it was used outlives the process. */
	(void)lend(LABELS, HOUR);
	restart();
	use(find(LABELS), 8 * HOUR);
	tick(8 * HOUR);
	restart();
	tick(17 * HOUR);
	ck_assert_ptr_nonnull(find(LABELS));
	tick(19 * HOUR);
	ck_assert_ptr_null(find(LABELS));
}
END_TEST

START_TEST(carried)
{
	/* A number that an open connection carries is neither released nor out of quarantine. */
	(void)lend(LABELS, HOUR);
	restart();
	the.carried = 300;
	tick(12 * HOUR);
	ck_assert_ptr_nonnull(find(LABELS));
	ck_assert_int_eq(atomic_load(&find(LABELS)->used), 12 * HOUR);
	the.carried = 0;
	tick(23 * HOUR);
	ck_assert_ptr_null(find(LABELS));
	/* Bound by a worker that still had the former snapshot. */
	the.carried = 300;
	tick(40 * HOUR);
	ck_assert_uint_eq(lend("k8s:team=a;", 40 * HOUR), 301);
	ck_assert_uint_eq(lend("k8s:team=b;", 40 * HOUR), 0);
	the.carried = 0;
	tick(40 * HOUR);
	ck_assert_uint_eq(lend("k8s:team=b;", 40 * HOUR), 300);
}
END_TEST

START_TEST(unknown)
{
	/* While nobody knows what connections carry nothing is given up. */
	(void)lend(LABELS, HOUR);
	restart();
	the.error = -ENOENT;
	tick(12 * HOUR);
	ck_assert_ptr_nonnull(find(LABELS));
	the.error = 0;
	tick(12 * HOUR);
	ck_assert_ptr_null(find(LABELS));
	the.error = -ENOENT;
	tick(40 * HOUR);
	ck_assert_uint_eq(lend("k8s:team=a;", 40 * HOUR), 301);
	ck_assert_uint_eq(lend("k8s:team=b;", 40 * HOUR), 0);
}
END_TEST

START_TEST(another_agent)
{
	/* What another agent released while we used it is ours again, with its number. */
	char why[STORE_WHY] = "";
	bool done = false;

	(void)lend(LABELS, HOUR);
	restart();
	use(find(LABELS), 12 * HOUR);
	ck_assert_int_eq(
		store_identity_release(the.store, LABELS, 300, 2 * HOUR, 12 * HOUR, &done, why), 0);
	ck_assert(done);
	tick(12 * HOUR);
	ck_assert_ptr_nonnull(find(LABELS));
	tick(18 * HOUR);
	ck_assert_uint_eq(lend("k8s:team=a;", 18 * HOUR), 301);
	ck_assert_uint_eq(lend("k8s:team=b;", 18 * HOUR), 0);
}
END_TEST

static void gone(void *arg, const char *labels)
{
	(void)arg;
	ck_assert_str_eq(labels, LABELS);
	the.unwanted++;
}

START_TEST(shared)
{
	/* What etcd numbered has no row here: it has its time from the start on, a connection holds
	 * it, and whoever numbered it hears that it is gone. */
	cleanup(spoa_allocator_etcd) struct spoa_allocator_etcd *etcd = NULL;
	const struct store_shared row = {LABELS, "team", 500};
	char why[STORE_WHY] = "";
	int64_t now_s;

	the.gone_of_allocator = gone;
	restart();
	ck_assert_int_eq(store_shared_put(the.store, &row, why), 0);
	ck_assert_int_eq(spoa_allocator_etcd_new(the.store, &the.local, &etcd), 0);
	ck_assert_int_eq(spoa_allocator_etcd_restore(etcd, the.numbers), 0);
	spoa_numbers_settle(the.numbers);
	now_s = time(NULL);
	tick(now_s + 1);
	ck_assert_ptr_nonnull(find(LABELS));
	the.carried = 500;
	tick(now_s + 11 * HOUR);
	ck_assert_ptr_nonnull(find(LABELS));
	ck_assert_uint_eq(the.unwanted, 0);
	the.carried = 0;
	tick(now_s + 11 * HOUR);
	ck_assert_ptr_null(find(LABELS));
	ck_assert_uint_eq(the.gone, 500);
	ck_assert_uint_eq(the.unwanted, 1);
}
END_TEST

START_TEST(now_and_then)
{
	/* It works once a period; a clock that was set back does not stop it. */
	(void)lend(LABELS, HOUR);
	restart();
	spoa_retire_tick(&the.retire, 10 * HOUR);
	the.error = -EIO; /* would be said */
	spoa_retire_tick(&the.retire, 10 * HOUR + 59);
	ck_assert(!the.retire.failed);
	spoa_retire_tick(&the.retire, 12 * HOUR);
	ck_assert(the.retire.failed);
	the.error = 0;
	use(find(LABELS), 2 * HOUR);
	spoa_retire_tick(&the.retire, 3 * HOUR);
	ck_assert(!the.retire.failed);
}
END_TEST

Suite *suite_retire(void)
{
	Suite *suite = suite_create("retire");
	TCase *tc = tcase_create("retire");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, given_up);
	tcase_add_test(tc, gets_it_back);
	tcase_add_test(tc, used);
	tcase_add_test(tc, carried);
	tcase_add_test(tc, unknown);
	tcase_add_test(tc, another_agent);
	tcase_add_test(tc, shared);
	tcase_add_test(tc, now_and_then);
	suite_add_tcase(suite, tc);
	return suite;
}
