#include "tests/unit/etcd/double.h"
#include "tests/unit/etcd/suites.h"

#include "base/clock.h"
#include "etcd/entry.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define A                                                                                          \
	"k8s:app=frontend;k8s:io.cilium.k8s.policy.cluster=default;k8s:io.kubernetes.pod."         \
	"namespace=shop;"
#define IDS    "cilium/state/identities/v1/id/"
#define NUMBER 4242

#define TXN       "/v3/kv/txn"
#define RANGE     "/v3/kv/range"
#define GRANT     "/v3/lease/grant"
#define KEEPALIVE "/v3/lease/keepalive"

static struct etcd_numbers *numbers;
static struct ident_number last;
static double clock_s;

static void on_changed(void *arg, const char *labels, struct ident_number number)
{
	(void)arg;
	(void)labels;
	last = number;
}

static void pass(double s)
{
	clock_s += s;
	(void)etcd_numbers_tick(numbers, (uint64_t)(clock_s * (double)NS_PER_S));
}

/* A page of a list that says NUMBER has these labels; NULL: an empty one. */
static void say_list(int revision, const char *labels, bool more)
{
	char text[1024], id[64], kvs[768] = "";

	snprintf(id, sizeof(id), IDS "%u", NUMBER);
	if (labels)
		snprintf(kvs, sizeof(kvs),
			"{\"key\":\"%s\",\"value\":\"%s\",\"create_revision\":\"7\","
			"\"mod_revision\":\"7\"}",
			double_base64(id), double_base64(labels));
	snprintf(text, sizeof(text), "{\"header\":{\"revision\":\"%d\"},\"kvs\":[%s],\"more\":%s}",
		revision, kvs, more ? "true" : "false");
	double_say(RANGE, text);
}

static void say_lease(const char *id, const char *ttl)
{
	char text[128];

	snprintf(text, sizeof(text), "{\"header\":{},\"ID\":\"%s\",\"TTL\":\"%s\"}", id, ttl);
	double_say(GRANT, text);
}

/* Up, with A wanted. The two leases live so long. */
static void start(const char *ttl, const char *lock_ttl, const char *labels)
{
	const struct etcd_numbers_options options = {
		.cluster = {.prefix = "cilium", .clusters = 255, .name = "default", .node = "a"},
		.lease_s = 60,
		.rest_ns = 3600 * (uint64_t)NS_PER_S,
		.max = 10,
	};
	const struct etcd_numbers_owner owner = {.changed = on_changed};

	last = (struct ident_number){0};
	clock_s = 100;
	numbers = etcd_numbers_new(double_start(NULL), &options, &owner);
	ck_assert_ptr_nonnull(numbers);
	ck_assert_int_eq(etcd_numbers_want(numbers, A, 0), 0);
	pass(0);
	say_lease("101", ttl);
	say_lease("102", lock_ttl);
	say_list(50, labels, false);
	pass(0);
	ck_assert(etcd_numbers_is_up(numbers));
}

static void stop(void)
{
	etcd_numbers_free(TAKE_PTR(numbers));
	double_stop();
}

static const struct {
	const char *ttl, *lock_ttl;
	bool at_write; /* the lease ends between lock and write; else between known and lock */
} ENDS[] = {
	{"900", "10", false},
	{"10", "900", false},
	{"10", "900", true},
};

/* Everything that waits for an answer of a transaction ends with this one. */
static void say_locked(void)
{
	char text[1024], key[512];

	snprintf(key, sizeof(key), "cilium/state/identities/v1/locks/%s/66", A);
	snprintf(text, sizeof(text),
		"{\"header\":{\"revision\":\"50\"},\"succeeded\":false,\"responses\":["
		"{\"response_range\":{\"kvs\":[{\"key\":\"%s\",\"create_revision\":\"50\"}]}},"
		"{\"response_range\":{\"kvs\":[{\"key\":\"%s\",\"create_revision\":\"50\"}]}},"
		"{\"response_range\":{}}]}",
		double_base64(key), double_base64(key));
	double_say(TXN, text);
}

START_TEST(lease_ends)
{
	/* Goal: a lease that ended while a step was under way: the next one is not made without it, which would be for ever. */
	start(ENDS[_i].ttl, ENDS[_i].lock_ttl, ENDS[_i].at_write ? NULL : A);
	ck_assert_ptr_nonnull(double_asked(TXN));
	pass(12);
	ck_assert(!etcd_numbers_is_up(numbers));
	if (ENDS[_i].at_write)
		say_locked();
	else
		double_say(TXN, "{\"header\":{\"revision\":\"51\"}}");
	pass(1);
	ck_assert_ptr_null(double_asked(TXN));
	say_lease("103", "900");
	pass(10);
	ck_assert_ptr_nonnull(double_asked(TXN));
	stop();
}
END_TEST

START_TEST(not_etcds_word)
{
	/* Goal: what the transport says with the same number is not "no such lease". */
	start("900", "900", NULL);
	pass(6);
	double_fail(KEEPALIVE, -ENOENT);
	double_fail(KEEPALIVE, -EACCES);
	ck_assert(etcd_numbers_is_up(numbers));
	stop();
}
END_TEST

Suite *suite_allocate(void)
{
	Suite *s = suite_create("etcd/allocate");
	TCase *tc = tcase_create("allocate");

	tcase_add_loop_test(tc, lease_ends, 0, ARRAY_SIZE(ENDS));
	tcase_add_test(tc, not_etcds_word);
	suite_add_tcase(s, tc);
	return s;
}
