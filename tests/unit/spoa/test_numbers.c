#include "spoa/numbers.h"

#include "tests/unit/spoa/help.h"
#include "tests/unit/spoa/suites.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char CONFIG[] =
	HELP_HEAD "identity: {max: 3}\n"
		  "providers:\n"
		  "  - {name: a, issuer: 'https://a', audiences: [api], algorithms: [ES256]}\n"
		  "roles:\n"
		  "  - {name: later, when: [{claim: role, equals: later}], labels: [role=later]}\n"
		  "  - {name: team, max_identities: 2, labels: ['team={claims.team|lower}']}\n"
		  "routes: [{labels: [team=red], route: be_red}]\n";

static struct {
	struct spoa_config *config;
	struct spoa_snapshot *snapshot;
	struct spoa_numbers *numbers;
	struct spoa_metrics metrics;
	struct spoa_state state;
	unsigned asked, changed, woken, appeared, gone;
	uint32_t gone_id; /* the last number that the kernel was told to forget */
	unsigned changed_before_gone;
	uint32_t next; /* the number that the allocator gives next; 0: it cannot */
	int appear;    /* what the kernel says */
	bool late;     /* the allocator keeps what it is asked */
	char kept[256], kept_roles[64];
} the;

static void give(void *arg, struct spoa_numbers *numbers, const struct spoa_ask *asks, size_t n)
{
	(void)arg;
	for (size_t i = 0; i < n; i++) {
		the.asked++;
		if (the.late) {
			snprintf(the.kept, sizeof(the.kept), "%s", asks[i].labels);
			snprintf(the.kept_roles, sizeof(the.kept_roles), "%s", asks[i].roles);
		} else if (the.next) {
			spoa_numbers_answer(numbers, &asks[i],
				(struct ident_number){.id = the.next++, .from = IDENT_LOCAL});
		} else {
			spoa_numbers_failed(numbers, &asks[i], "no disk");
		}
	}
}

static int appear(void *arg, uint32_t id, struct span labels, char why[STORE_WHY])
{
	(void)arg;
	ck_assert_uint_ge(id, 256);
	ck_assert_uint_gt(labels.n, 0);
	the.appeared++;
	if (the.appear)
		snprintf(why, STORE_WHY, "no room");
	return the.appear;
}

static void go(void *arg, uint32_t id, struct span labels)
{
	(void)arg;
	ck_assert_uint_gt(labels.n, 0);
	the.gone++;
	the.gone_id = id;
	the.changed_before_gone = the.changed;
}

static void publish(void *arg)
{
	(void)arg;
	the.changed++;
	spoa_identities_unref(the.snapshot->identities);
	the.snapshot->identities = spoa_identities_ref(spoa_numbers_table(the.numbers));
}

static void wake(void *arg)
{
	(void)arg;
	the.woken++;
}

static void setup(void)
{
	const struct spoa_allocator allocator = {.ask = give};
	const struct spoa_numbers_owner owner = {
		.appear = appear, .go = go, .changed = publish, .wake = wake};
	struct spoa_identities *table = NULL;

	memset(&the, 0, sizeof(the));
	the.next = 300;
	the.config = help_config(CONFIG);
	the.snapshot = help_snapshot(the.config);
	help_key(the.snapshot, 0, test_key_of(TOKEN_ES256), "k", HELP_NOW.mono_ns);
	ck_assert_int_eq(spoa_state_init(&the.state, HELP_CACHE), 0);
	the.numbers = spoa_numbers_new(&allocator, &owner, &the.metrics);
	ck_assert_ptr_nonnull(the.numbers);
	ck_assert_int_eq(spoa_numbers_prepare(the.numbers, the.config, NULL, &table), 0);
	spoa_numbers_adopt(the.numbers, the.config, NULL, table);
}

static void teardown(void)
{
	spoa_numbers_free(the.numbers);
	spoa_state_done(&the.state);
	spoa_snapshot_unref(the.snapshot);
	spoa_config_unref(the.config);
}

/* Decides about a token with these claims: true, or what it needs goes to the.numbers. */
static bool decide(const char *claims, struct spoa_decision *ret)
{
	cleanup(free) char *token = help_token(test_key_of(TOKEN_ES256), "k", claims);
	struct spoa_request request = {.token = span_of(token)};
	struct spoa_need need = {0};

	if (spoa_decide(the.snapshot, &the.state, &request, HELP_NOW.mono_ns - 1, &HELP_NOW, &need,
		    ret))
		return true;
	ck_assert(need.identity.labels.n && spoa_need_any(&need));
	spoa_numbers_want(the.numbers, need.identity.labels, need.identity.roles);
	return false;
}

/* The first time it needs a number, and with it it is allowed. */
static uint32_t number_of(const char *claims)
{
	struct spoa_decision decision;

	if (!decide(claims, &decision)) {
		spoa_numbers_send(the.numbers);
		ck_assert(decide(claims, &decision));
	}
	ASSERT_REASON(decision.reason, BASE_REASON_OK);
	ck_assert_uint_eq(decision.binding.identity, decision.identity->number.id);
	return decision.identity->number.id;
}

static enum base_reason refused(const char *claims)
{
	struct spoa_decision decision;

	if (!decide(claims, &decision)) {
		spoa_numbers_send(the.numbers);
		ck_assert(decide(claims, &decision));
	}
	ck_assert_int_ne(decision.verdict, SPOA_ALLOW);
	ck_assert_ptr_null(decision.identity);
	return decision.reason;
}

START_TEST(first_and_again)
{
	/* A label set gets a number once, and keeps it; the kernel hears of it first. */
	struct spoa_decision decision;

	ck_assert_uint_eq(number_of("{\"team\": \"Red\"}"), 300);
	ck_assert_uint_eq(number_of("{\"team\": \"blue\"}"), 301);
	ck_assert_uint_eq(number_of("{\"team\": \"red\"}"), 300);
	ck_assert_uint_eq(the.asked, 2);
	ck_assert_uint_eq(the.appeared, 2);
	ck_assert_uint_eq(the.changed, 2);
	ck_assert(decide("{\"team\": \"red\"}", &decision));
	ck_assert_str_eq(decision.identity->labels,
		"k8s:io.cilium.k8s.policy.cluster=default;"
		"k8s:io.kubernetes.pod.namespace=identity-edge;k8s:team=red;");
	ck_assert(span_is(decision.names, "team"));
	ck_assert(span_is(decision.route, "be_red"));
	ck_assert_int_eq(atomic_load(&decision.identity->used), HELP_NOW_S);
}
END_TEST

START_TEST(of_a_role)
{
	/* A role whose number is not known at load gets it in the same way; no cap counts it. */
	ck_assert_uint_eq(number_of("{\"role\": \"later\"}"), 300);
	ck_assert_ptr_nonnull(spoa_numbers_table(the.numbers)->of_role[0]);
	ck_assert_uint_eq(spoa_numbers_table(the.numbers)->n_dynamic, 0);
	ck_assert_uint_eq(the.appeared, 1); /* the set of the roles was made without it */
}
END_TEST

START_TEST(capped)
{
	/* Past the cap of the role nothing is asked for, and known sets go on. */
	(void)number_of("{\"team\": \"1\"}");
	(void)number_of("{\"team\": \"2\"}");
	ASSERT_REASON(refused("{\"team\": \"3\"}"), BASE_REASON_IDENTITY_LIMIT);
	ck_assert_uint_eq(the.asked, 2);
	ck_assert_uint_eq(number_of("{\"team\": \"1\"}"), 300);
}
END_TEST

START_TEST(capped_in_all)
{
	/* Many that want a number at the same time get no more than the cap of all. */
	char text[64];

	for (int i = 0; i < 10; i++) {
		snprintf(text, sizeof(text), "k8s:team=%d;", i);
		spoa_numbers_want(the.numbers, span_of(text), SPAN("later"));
	}
	spoa_numbers_send(the.numbers);
	ck_assert_uint_eq(the.asked, 3);
	ck_assert_uint_eq(spoa_numbers_table(the.numbers)->n_dynamic, 3);
	ASSERT_REASON(refused("{\"team\": \"new\"}"), BASE_REASON_IDENTITY_LIMIT);
}
END_TEST

START_TEST(capped_while_asked)
{
	/* What was asked about and not yet answered counts, for the role and for all. */
	char text[64];

	the.late = true;
	for (int i = 0; i < 10; i++) {
		snprintf(text, sizeof(text), "k8s:team=%d;", i);
		spoa_numbers_want(the.numbers, span_of(text), SPAN("later,team"));
		spoa_numbers_send(the.numbers);
	}
	ck_assert_uint_eq(the.asked, 2);
	for (int i = 0; i < 10; i++) {
		snprintf(text, sizeof(text), "k8s:role=%d;", i);
		spoa_numbers_want(the.numbers, span_of(text), SPAN("later"));
		spoa_numbers_send(the.numbers);
	}
	ck_assert_uint_eq(the.asked, 3);
}
END_TEST

START_TEST(cannot)
{
	/* No number, or a kernel that cannot hold it: 503 at once, and the next request asks again. */
	the.next = 0;
	ASSERT_REASON(refused("{\"team\": \"1\"}"), BASE_REASON_IDENTITY_UNAVAILABLE);
	the.next = 300;
	the.appear = -ENOSPC;
	the.snapshot->identities->failed_at = 0; /* the next request is a later one */
	ASSERT_REASON(refused("{\"team\": \"1\"}"), BASE_REASON_IDENTITY_UNAVAILABLE);
	ck_assert_uint_eq(spoa_numbers_table(the.numbers)->n, 0);
	the.appear = 0;
	the.snapshot->identities->failed_at = 0;
	ck_assert_uint_eq(number_of("{\"team\": \"1\"}"), 301);
	ck_assert_uint_eq(atomic_load(&the.metrics.counters[SPOA_COUNT_IDENTITIES_FAILED]), 2);
	ck_assert_uint_eq(atomic_load(&the.metrics.counters[SPOA_COUNT_IDENTITIES_NEW]), 1);
}
END_TEST

START_TEST(later)
{
	/* An allocator that answers later is asked once, however often workers ask. */
	struct spoa_ask kept = {the.kept, the.kept_roles};
	struct spoa_decision decision;

	the.late = true;
	for (int i = 0; i < 3; i++) {
		ck_assert(!decide("{\"team\": \"1\"}", &decision));
		spoa_numbers_send(the.numbers);
	}
	ck_assert_uint_eq(the.asked, 1);
	spoa_numbers_answer(
		the.numbers, &kept, (struct ident_number){.id = 400, .from = IDENT_ETCD});
	ck_assert_uint_eq(the.changed, 0);
	spoa_numbers_settle(the.numbers);
	ck_assert_uint_eq(number_of("{\"team\": \"1\"}"), 400);
	/* Another number for the same labels takes the place of the first. */
	spoa_numbers_answer(
		the.numbers, &kept, (struct ident_number){.id = 500, .from = IDENT_ETCD});
	spoa_numbers_settle(the.numbers);
	ck_assert_uint_eq(number_of("{\"team\": \"1\"}"), 500);
	ck_assert_uint_eq(spoa_numbers_table(the.numbers)->n_dynamic, 1);
}
END_TEST

static void answer(const char *labels, const char *roles, uint32_t id)
{
	const struct spoa_ask ask = {labels, roles};

	spoa_numbers_answer(the.numbers, &ask, (struct ident_number){.id = id, .from = IDENT_ETCD});
}

START_TEST(replaced)
{
	/* The kernel forgets each number that labels had and have no more, once nobody is marked
	 * with it; the one that they have in the end it keeps. A role's goes in the same way, and
	 * stays replaced when only policies change. */
	struct spoa_identities *table = NULL;
	const char *role = the.config->roles[0].labels;

	answer("k8s:team=a;", "team", 400);
	spoa_numbers_settle(the.numbers);
	ck_assert_uint_eq(the.gone, 0);
	answer("k8s:team=a;", "team", 500);
	ck_assert_uint_eq(the.gone, 0);
	spoa_numbers_settle(the.numbers);
	ck_assert_uint_eq(the.gone, 1);
	ck_assert_uint_eq(the.gone_id, 400);
	ck_assert_uint_eq(the.changed_before_gone, 2);
	answer("k8s:team=a;", "team", 600);
	answer("k8s:team=a;", "team", 500);
	spoa_numbers_settle(the.numbers);
	ck_assert_uint_eq(the.gone, 2);
	ck_assert_uint_eq(the.gone_id, 600);
	answer("k8s:team=b;", "team", 800);
	ck_assert_uint_eq(spoa_numbers_find(the.numbers, SPAN("k8s:team=b;"))->number.id, 800);
	ck_assert_uint_eq(spoa_numbers_find(the.numbers, SPAN("k8s:team=a;"))->number.id, 500);
	ck_assert_ptr_null(spoa_numbers_find(the.numbers, SPAN("k8s:team=c;")));
	answer(role, "", 700);
	spoa_numbers_settle(the.numbers);
	answer(role, "", 701);
	spoa_numbers_settle(the.numbers);
	ck_assert_uint_eq(the.gone, 3);
	ck_assert_uint_eq(the.gone_id, 700);
	ck_assert_int_eq(spoa_numbers_prepare(the.numbers, the.config, NULL, &table), 0);
	ck_assert_uint_eq(table->of_role[0]->number.id, 701);
	spoa_identities_unref(table);
}
END_TEST

START_TEST(fixed)
{
	/* A number that the configuration fixes is the role's and only its, whatever others say,
	 * and whatever was known before. */
	struct spoa_identities *table = NULL;
	struct spoa_config *other = help_config(HELP_HEAD
		"providers:\n"
		"  - {name: a, issuer: 'https://a', audiences: [api], algorithms: [ES256]}\n"
		"roles:\n"
		"  - {name: team, labels: ['team={claims.team|lower}']}\n"
		"  - {name: same, labels: [team=red]}\n"
		"  - {name: red, labels: [team=red], number: 999}\n"
		"  - {name: blue, labels: [team=blue], number: 301}\n");
	const char *red = other->roles[2].labels;
	const struct spoa_ask known = {red, "team"};

	ck_assert_uint_eq(number_of("{\"team\": \"red\"}"), 300);
	ck_assert_uint_eq(number_of("{\"team\": \"green\"}"), 301);
	other->roles[1].number.id = 302; /* what another allocator gave */
	ck_assert_int_eq(spoa_numbers_prepare(the.numbers, other, NULL, &table), 0);
	ck_assert_uint_eq(table->n_dynamic, 0); /* 301 is taken */
	for (size_t i = 1; i < 3; i++)
		ck_assert_uint_eq(table->of_role[i]->number.id, 999);
	spoa_numbers_adopt(the.numbers, other, NULL, table);
	the.gone = 0;
	spoa_numbers_published(the.numbers);
	ck_assert_uint_eq(the.gone, 2);
	spoa_numbers_restore(the.numbers, &known, (struct ident_number){.id = 300}, 0);
	answer(red, "team", 300);
	spoa_numbers_settle(the.numbers);
	ck_assert_uint_eq(spoa_numbers_table(the.numbers)->of_role[2]->number.id, 999);
	answer("k8s:team=x;", "team", 999);
	spoa_numbers_settle(the.numbers);
	ck_assert_uint_eq(spoa_numbers_table(the.numbers)->n_dynamic, 0);
	ck_assert_uint_eq(atomic_load(&the.metrics.counters[SPOA_COUNT_IDENTITIES_FAILED]), 1);
	spoa_config_unref(other);
}
END_TEST

START_TEST(another_configuration)
{
	/* After a reload identities stay whose roles are still there, with their numbers. */
	struct spoa_identities *table = NULL;
	struct spoa_config *other;

	(void)number_of("{\"team\": \"1\"}");
	ck_assert_int_eq(spoa_numbers_prepare(the.numbers, the.config, NULL, &table), 0);
	ck_assert_uint_eq(table->n_dynamic, 1);
	spoa_identities_unref(table);
	other = help_config(HELP_HEAD HELP_ONE);
	ck_assert_int_eq(spoa_numbers_prepare(the.numbers, other, NULL, &table), 0);
	ck_assert_uint_eq(table->n_dynamic, 0);
	ck_assert_ptr_nonnull(table->of_role[0]);
	spoa_identities_unref(table);
	spoa_config_unref(other);
}
END_TEST

START_TEST(many)
{
	/* Thousands of identities are found by their labels alone, each its own. */
	enum { MANY = 5000 };
	struct spoa_identities *table = spoa_identities_copy(spoa_numbers_table(the.numbers), MANY);
	char text[64];

	for (uint32_t i = 0; i < MANY; i++) {
		struct spoa_identity *one;

		snprintf(text, sizeof(text), "k8s:team=%u;", i);
		one = spoa_identity_new(span_of(text), SPAN("team"));
		one->number.id = 1000 + i;
		spoa_identities_put(table, the.config, one);
		spoa_identity_unref(one);
	}
	ck_assert_uint_eq(table->n_dynamic, MANY);
	ck_assert_uint_eq(table->of_each[1], MANY);
	for (uint32_t i = 0; i < MANY; i++) {
		snprintf(text, sizeof(text), "k8s:team=%u;", i);
		ck_assert_uint_eq(spoa_identities_find(
					  table, spoa_identity_hash(span_of(text)), span_of(text))
					  ->number.id,
			1000 + i);
	}
	ck_assert_ptr_null(spoa_identities_find(table, spoa_identity_hash(SPAN("x")), SPAN("x")));
	spoa_identities_unref(table);
}
END_TEST

Suite *suite_numbers(void)
{
	Suite *suite = suite_create("numbers");
	TCase *tc = tcase_create("numbers");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, first_and_again);
	tcase_add_test(tc, of_a_role);
	tcase_add_test(tc, capped);
	tcase_add_test(tc, capped_in_all);
	tcase_add_test(tc, capped_while_asked);
	tcase_add_test(tc, cannot);
	tcase_add_test(tc, later);
	tcase_add_test(tc, replaced);
	tcase_add_test(tc, fixed);
	tcase_add_test(tc, another_configuration);
	tcase_add_test(tc, many);
	suite_add_tcase(suite, tc);
	return suite;
}
