#include "tests/unit/etcd/live.h"
#include "tests/unit/etcd/suites.h"

#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDS    "cilium/state/identities/v1/id/"
#define VALUES "cilium/state/identities/v1/value/"
#define LOCKS  "cilium/state/identities/v1/locks/"
#define A                                                                                          \
	"k8s:app=frontend;k8s:io.cilium.k8s.policy.cluster=default;k8s:io.kubernetes.pod."         \
	"namespace=shop;"

/* The i-th of many label sets. */
static const char *set_of(unsigned i)
{
	static char text[128];

	snprintf(text, sizeof(text),
		"k8s:io.cilium.k8s.policy.cluster=default;k8s:io.kubernetes.pod.namespace=shop;"
		"k8s:role=r%u;",
		i);
	return text;
}

/* The key of a node's use of labels. */
static const char *use_key(const char *labels, const char *node)
{
	static char text[1024];

	snprintf(text, sizeof(text), VALUES "%s/%s", labels, node);
	return text;
}

struct key {
	char text[64];
};

static struct key id_key(uint32_t id)
{
	struct key key;

	snprintf(key.text, sizeof(key.text), IDS "%u", id);
	return key;
}

static void want(struct live_agent *agent, const char *labels)
{
	ck_assert_int_eq(etcd_numbers_want(agent->numbers, labels, 0), 0);
}

static uint32_t id_of(const struct live_agent *agent, const char *labels)
{
	return etcd_numbers_find(agent->numbers, labels).id;
}

static bool is(const struct live_agent *agent, const char *labels, enum etcd_phase phase)
{
	return etcd_numbers_phase(agent->numbers, labels) == phase;
}

static bool all_have(const struct live_agent *agent, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (!id_of(agent, set_of(i)))
			return false;
	return true;
}

/* What etcd holds: every number once, every label set once, no lock left. */
static char *seen[65536];

static void see(void *arg, const struct etcd_kv *kv)
{
	uint32_t id = (uint32_t)strtoul(kv->key.p + strlen(IDS), NULL, 10);

	ck_assert(id >= 256 && id <= 65535);
	for (unsigned i = 0; i < 65536; i++)
		ck_assert_msg(!seen[i] || !span_is(kv->value, seen[i]),
			"%.*s has two numbers, %u and %u", SPAN_ARG(kv->value), i, id);
	seen[id] = strndup(kv->value.p, kv->value.n);
	++*(unsigned *)arg;
}

static void expect_at_rest(unsigned n)
{
	unsigned found = 0;

	live_each(IDS, see, &found);
	ck_assert_uint_eq(found, n);
	ck_assert_uint_eq(live_count(LOCKS), 0);
	for (unsigned i = 0; i < 65536; i++) {
		free(seen[i]);
		seen[i] = NULL;
	}
}

static void expect_same(const struct live_agent *a, const struct live_agent *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		ck_assert_uint_eq(id_of(a, set_of(i)), id_of(b, set_of(i)));
}

START_TEST(one)
{
	/* Goal: a number is made as Cilium makes it: its key without a lease, our use under ours, no lock left. */
	struct live_agent *agent = live_agent_new("10.0.0.7");
	struct ident_number number;
	char text[16];

	want(agent, A);
	LIVE_UNTIL(id_of(agent, A));
	number = etcd_numbers_find(agent->numbers, A);
	ck_assert_int_eq(number.from, IDENT_ETCD);
	ck_assert_str_eq(live_get(id_key(number.id).text), A);
	snprintf(text, sizeof(text), "%u", number.id);
	ck_assert_str_eq(live_get(use_key(A, "10.0.0.7")), text);
	expect_at_rest(1);
	live_agent_free(agent, true);
	ck_assert_ptr_null(live_get(use_key(A, "10.0.0.7")));
	ck_assert_str_eq(live_get(id_key(number.id).text), A);
}
END_TEST

START_TEST(order)
{
	/* Goal: published, waited for, only then markable; and withdrawn in reverse: unmarked, waited, released. */
	struct live_agent *agent;
	struct ident_number number;

	live_options.settle_ns = 300 * NS_PER_MS;
	agent = live_agent_new("a");
	want(agent, A);
	LIVE_UNTIL(is(agent, A, ETCD_PUBLISHED));
	number = etcd_numbers_find(agent->numbers, A);
	ck_assert(number.id && !number.realised);
	ck_assert_str_eq(live_get(id_key(number.id).text), A);
	LIVE_UNTIL(is(agent, A, ETCD_REALISED));
	ck_assert(etcd_numbers_find(agent->numbers, A).realised);
	ck_assert(agent->last.realised);
	etcd_numbers_unwant(agent->numbers, A);
	ck_assert(!agent->last.realised);
	ck_assert(is(agent, A, ETCD_UNMARKING));
	ck_assert_ptr_nonnull(live_get(use_key(A, "a")));
	LIVE_UNTIL(is(agent, A, ETCD_ABSENT));
	ck_assert_ptr_null(live_get(use_key(A, "a")));
	ck_assert_uint_eq(agent->last.id, 0);
	/* Wanted again, it has its number again: that is never given to others. */
	want(agent, A);
	LIVE_UNTIL(id_of(agent, A));
	ck_assert_uint_eq(id_of(agent, A), number.id);
}
END_TEST

/* How badly the answers of three agents fare. */
static const struct {
	unsigned lose_each, delay_each;
} WEATHER[] = {{0, 0}, {5, 0}, {0, 3}, {7, 4}};

START_TEST(race)
{
	/* Goal: three agents that want the same sets at once agree, whatever answers are lost or late. */
	enum { N = 60 };
	static const char *const NODES[] = {"a", "b", "c"};
	struct live_agent *agents[3];

	for (unsigned a = 0; a < 3; a++) {
		agents[a] = live_agent_new(NODES[a]);
		agents[a]->lose_each = WEATHER[_i].lose_each;
		agents[a]->delay_each = WEATHER[_i].delay_each;
	}
	LIVE_UNTIL(etcd_numbers_is_up(agents[0]->numbers) &&
		   etcd_numbers_is_up(agents[1]->numbers) &&
		   etcd_numbers_is_up(agents[2]->numbers));
	for (unsigned i = 0; i < N; i++)
		for (unsigned a = 0; a < 3; a++)
			want(agents[a], set_of(a == 1 ? N - 1 - i : i));
	LIVE_UNTIL(all_have(agents[0], N) && all_have(agents[1], N) && all_have(agents[2], N));
	for (unsigned a = 0; a < 3; a++)
		agents[a]->lose_each = agents[a]->delay_each = 0;
	live_pass(300);
	LIVE_UNTIL(live_count(LOCKS) == 0);
	expect_same(agents[0], agents[1], N);
	expect_same(agents[0], agents[2], N);
	expect_at_rest(N);
	ck_assert_uint_eq(live_count(VALUES), 3 * N);
}
END_TEST

START_TEST(cut)
{
	/* Goal: cut off for longer than its lease, an agent doubts, marks nothing, and comes back with the same number. */
	struct live_agent *a, *b;
	uint32_t id;

	live_options.lease_s = 1;
	a = live_agent_new("a");
	want(a, A);
	LIVE_UNTIL(is(a, A, ETCD_REALISED));
	id = id_of(a, A);
	a->deaf = true;
	LIVE_UNTIL(is(a, A, ETCD_DOUBTED));
	ck_assert_uint_eq(id_of(a, A), id); /* known ones go on */
	ck_assert(!etcd_numbers_find(a->numbers, A).realised);
	LIVE_UNTIL(live_count(VALUES) == 0);
	b = live_agent_new("b");
	want(b, A);
	LIVE_UNTIL(id_of(b, A));
	ck_assert_uint_eq(id_of(b, A), id);
	want(a, set_of(1)); /* a new one has to wait */
	live_pass(100);
	ck_assert_uint_eq(id_of(a, set_of(1)), 0);
	a->deaf = false;
	LIVE_UNTIL(is(a, A, ETCD_REALISED) && id_of(a, set_of(1)));
	ck_assert_uint_eq(id_of(a, A), id);
	LIVE_UNTIL(live_count(VALUES) == 3);
	expect_at_rest(2);
}
END_TEST

START_TEST(frozen)
{
	/* Goal: an agent that stood still while its number was given to others notices before it marks again. */
	struct live_agent *a;
	struct key key;
	uint32_t id;

	live_options.lease_s = 1;
	a = live_agent_new("a");
	want(a, A);
	LIVE_UNTIL(is(a, A, ETCD_REALISED));
	id = id_of(a, A);
	a->frozen = true;
	LIVE_UNTIL(live_count(VALUES) == 0);
	key = id_key(id);
	live_put(key.text, NULL); /* Cilium's garbage collection */
	live_put(key.text, set_of(9));
	a->frozen = false;
	LIVE_UNTIL(id_of(a, A) && id_of(a, A) != id);
	LIVE_UNTIL(is(a, A, ETCD_REALISED));
	ck_assert_uint_eq(etcd_numbers_stats(a->numbers).replaced, 1);
	expect_at_rest(2);
}
END_TEST

START_TEST(collected)
{
	/* Goal: a number's key, or our use of it, that somebody deleted is made again, with the same number. */
	struct live_agent *a = live_agent_new("a");
	struct key key;
	uint32_t id;

	want(a, A);
	LIVE_UNTIL(is(a, A, ETCD_REALISED));
	id = id_of(a, A);
	key = id_key(id);
	live_put(key.text, NULL);
	LIVE_UNTIL(is(a, A, ETCD_DOUBTED));
	LIVE_UNTIL(is(a, A, ETCD_REALISED));
	ck_assert_uint_eq(id_of(a, A), id);
	ck_assert_str_eq(live_get(key.text), A);
	live_put(use_key(A, "a"), NULL);
	LIVE_UNTIL(live_get(use_key(A, "a")));
	ck_assert(is(a, A, ETCD_REALISED));
	expect_at_rest(1);
}
END_TEST

START_TEST(strange)
{
	/* Goal: what others wrote malformed is skipped and counted, and its numbers are given to nobody. */
	struct live_agent *a;
	struct etcd_numbers_stats stats;

	live_put(IDS "300", "not labels");
	live_put(IDS "301", "k8s:b=c;k8s:a=b;");
	live_put(IDS "302", "");
	live_put(IDS "x", "k8s:a=b;");
	live_put(IDS "0303", "k8s:a=b;");
	live_put(IDS "70001", "k8s:a=b;");
	live_put(IDS "16777217", "k8s:a=b;");
	live_put(use_key(A, "evil"), "16777217");
	live_put(use_key(A, "evil2"), "999999999999999");
	a = live_agent_new("a");
	want(a, A);
	LIVE_UNTIL(id_of(a, A));
	stats = etcd_numbers_stats(a->numbers);
	ck_assert_uint_eq(stats.skipped_labels, 3);
	ck_assert_uint_eq(stats.skipped_range, 2);
	ck_assert_uint_eq(stats.skipped_keys, 2 + 2);
	ck_assert_uint_eq(stats.known, 4);
	ck_assert_uint_ge(id_of(a, A), 256);
	ck_assert_uint_le(id_of(a, A), 65535);
	ck_assert_int_eq(etcd_numbers_want(a->numbers, "k8s:a=b", 0), -EINVAL);
}
END_TEST

START_TEST(cilium_has_it)
{
	/* Goal: a number that Cilium's agents use for the labels is joined, found by its key or by its user alone. */
	struct live_agent *a;

	live_put(IDS "51966", A);
	live_put(use_key(set_of(1), "10.0.0.1"), "51967");
	a = live_agent_new("a");
	want(a, A);
	want(a, set_of(1));
	LIVE_UNTIL(id_of(a, A) && id_of(a, set_of(1)));
	ck_assert_uint_eq(id_of(a, A), 51966);
	ck_assert_uint_eq(id_of(a, set_of(1)), 51967);
	ck_assert_uint_eq(etcd_numbers_stats(a->numbers).allocated, 1);
}
END_TEST

START_TEST(locked)
{
	/* Goal: while somebody else holds the lock of a label set, nothing is made for it; then it is. */
	struct live_agent *a = live_agent_new("a");
	const char *lock = LOCKS A "/694d8a3b5c5e1f02";

	live_put(lock, "");
	want(a, A);
	live_pass(300);
	ck_assert_uint_eq(id_of(a, A), 0);
	ck_assert_uint_eq(live_count(IDS), 0);
	live_put(lock, NULL);
	LIVE_UNTIL(id_of(a, A));
	expect_at_rest(1);
}
END_TEST

START_TEST(restart)
{
	/* Goal: kill -9 of an agent and a new one under its name, which knows the number, and one which does not. */
	struct live_agent *a = live_agent_new("a");
	uint32_t id;

	want(a, A);
	LIVE_UNTIL(id_of(a, A));
	id = id_of(a, A);
	live_agent_free(a, false);
	live_put(id_key(id).text, NULL);
	a = live_agent_new("a");
	ck_assert_int_eq(etcd_numbers_want(a->numbers, A, id), 0);
	ck_assert_uint_eq(id_of(a, A), 0); /* not before etcd has said so */
	LIVE_UNTIL(id_of(a, A));
	ck_assert_uint_eq(id_of(a, A), id);
	live_agent_free(a, false);
	a = live_agent_new("a");
	want(a, A);
	LIVE_UNTIL(id_of(a, A));
	ck_assert_uint_eq(id_of(a, A), id);
	expect_at_rest(1);
}
END_TEST

START_TEST(etcd_dies)
{
	/* Goal: etcd is killed in the middle of it and comes back: everything ends as if nothing had been. */
	enum { N = 100 };
	struct live_agent *a = live_agent_new("a"), *b = live_agent_new("b");

	for (unsigned i = 0; i < N; i++) {
		want(a, set_of(i));
		want(b, set_of(N - 1 - i));
	}
	LIVE_UNTIL(etcd_numbers_stats(a->numbers).allocated >= 5);
	live_kill();
	live_pass(200);
	live_again();
	LIVE_UNTIL(all_have(a, N) && all_have(b, N));
	LIVE_UNTIL(live_count(LOCKS) == 0);
	expect_same(a, b, N);
	expect_at_rest(N);
}
END_TEST

START_TEST(compacted)
{
	/* Goal: when etcd has forgotten what happened while we were away, the list is made anew and compared. */
	struct live_agent *a = live_agent_new("a");
	struct key key;
	uint32_t id;

	want(a, A);
	LIVE_UNTIL(is(a, A, ETCD_REALISED));
	id = id_of(a, A);
	a->deaf = true;
	live_kill(); /* which ends the watch */
	live_again();
	key = id_key(id);
	live_put(key.text, set_of(5));
	live_put(IDS "400", set_of(6));
	live_compact();
	a->deaf = false;
	LIVE_UNTIL(id_of(a, A) && id_of(a, A) != id);
	want(a, set_of(6));
	LIVE_UNTIL(id_of(a, set_of(6)));
	ck_assert_uint_eq(id_of(a, set_of(6)), 400);
}
END_TEST

START_TEST(used_up)
{
	/* Goal: with no number left the labels wait, and have one when one is free. */
	struct live_agent *a;

	live_options.cluster.id = 511;
	live_options.cluster.clusters = 511;
	live_options.max = 2;
	a = live_agent_new("a");
	want(a, A);
	want(a, set_of(1));
	ck_assert_int_eq(etcd_numbers_want(a->numbers, set_of(2), 0), -ENOSPC);
	LIVE_UNTIL(id_of(a, A) && id_of(a, set_of(1)));
	ck_assert_uint_ge(id_of(a, A), 0xff8100);
	ck_assert_uint_le(id_of(a, A), 0xffffff);
}
END_TEST

Suite *suite_numbers(void)
{
	Suite *s = suite_create("etcd/numbers");
	TCase *tc = tcase_create("numbers");

	tcase_add_unchecked_fixture(tc, live_start, live_stop);
	tcase_add_checked_fixture(tc, live_begin, live_end);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, one);
	tcase_add_test(tc, order);
	tcase_add_loop_test(tc, race, 0, ARRAY_SIZE(WEATHER));
	tcase_add_test(tc, cut);
	tcase_add_test(tc, frozen);
	tcase_add_test(tc, collected);
	tcase_add_test(tc, strange);
	tcase_add_test(tc, cilium_has_it);
	tcase_add_test(tc, locked);
	tcase_add_test(tc, restart);
	tcase_add_test(tc, etcd_dies);
	tcase_add_test(tc, compacted);
	tcase_add_test(tc, used_up);
	suite_add_tcase(s, tc);
	return s;
}
