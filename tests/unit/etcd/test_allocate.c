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
#define B                                                                                          \
	"k8s:app=backend;k8s:io.cilium.k8s.policy.cluster=default;k8s:io.kubernetes.pod."          \
	"namespace=shop;"
#define IDS    "cilium/state/identities/v1/id/"
#define VALUES "cilium/state/identities/v1/value/"
#define NUMBER 4242
#define OTHER  4243

#define TXN       "/v3/kv/txn"
#define RANGE     "/v3/kv/range"
#define GRANT     "/v3/lease/grant"
#define KEEPALIVE "/v3/lease/keepalive"
#define WATCH     "/v3/watch"
#define AUTH      "/v3/auth/authenticate"

static struct etcd_numbers *numbers;
static struct ident_number last;
static double clock_s;
static const char *user;
static unsigned n_forgotten;

static void on_changed(void *arg, const char *labels, struct ident_number number)
{
	(void)arg;
	(void)labels;
	last = number;
}

static void on_learnt(void *arg, uint32_t id, const char *labels)
{
	(void)arg;
	(void)id;
	n_forgotten += !labels;
}

static void pass(double s)
{
	clock_s += s;
	(void)etcd_numbers_tick(numbers, (uint64_t)(clock_s * (double)NS_PER_S));
}

/* A page of a list that says this number has these labels; NULL: an empty one. */
static void say_list(int revision, unsigned number, const char *labels, bool more)
{
	char text[1024], id[64], kvs[768] = "";

	snprintf(id, sizeof(id), IDS "%u", number);
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
	const struct etcd_numbers_owner owner = {.changed = on_changed, .learnt = on_learnt};

	last = (struct ident_number){0};
	clock_s = 100;
	n_forgotten = 0;
	numbers = etcd_numbers_new(double_start(user), &options, &owner);
	ck_assert_ptr_nonnull(numbers);
	ck_assert_int_eq(etcd_numbers_want(numbers, A, 0), 0);
	pass(0);
	if (user)
		double_say(AUTH, "{\"header\":{},\"token\":\"one\"}");
	say_lease("101", ttl);
	say_lease("102", lock_ttl);
	say_list(50, NUMBER, labels, false);
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

/* We are the first in the queue. */
static void say_locked(const char *labels)
{
	char text[1024], key[512];

	snprintf(key, sizeof(key), "cilium/state/identities/v1/locks/%s/66", labels);
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
		say_locked(A);
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

/* A has NUMBER, and may be marked with it. */
static void start_realised(void)
{
	start("900", "900", A);
	double_say(TXN, "{\"header\":{\"revision\":\"51\"},\"succeeded\":true}");
	pass(1);
	ck_assert_uint_eq(last.id, NUMBER);
	ck_assert(last.realised);
}

static void say_event(const char *type, const char *key, const char *value)
{
	char text[1024];

	snprintf(text, sizeof(text),
		"{\"result\":{\"header\":{\"revision\":\"60\"},\"events\":[{\"type\":\"%s\","
		"\"kv\":{\"key\":\"%s\",\"value\":\"%s\",\"mod_revision\":\"60\"}}]}}",
		type, double_base64(key), double_base64(value));
	double_line(WATCH, text);
}

START_TEST(set_back)
{
	/* Goal: an etcd that has less than we know of it is listed anew; a number that it lost is marked no more. */
	start_realised();
	double_line(WATCH, "{\"result\":{\"header\":{\"revision\":\"20\"},\"created\":true}}");
	pass(1);
	ck_assert(last.realised);
	say_list(20, NUMBER, NULL, false);
	ck_assert(!last.realised);
	ck_assert_int_eq(numbers->reached, 20);
	ck_assert_uint_eq(n_forgotten, 1);
	stop();
}
END_TEST

START_TEST(relist)
{
	/* Goal: in the middle of a list all that was known still is, and no number is chosen. */
	start_realised();
	double_line(WATCH, "{\"result\":{\"header\":{\"revision\":\"60\"},\"canceled\":true,"
			   "\"compact_revision\":\"60\"}}");
	pass(1);
	say_list(70, OTHER, B, true);
	ck_assert_uint_eq(etcd_numbers_stats(numbers).known, 2);
	ck_assert_int_eq(
		etcd_numbers_want(numbers, "k8s:io.cilium.k8s.policy.cluster=default;", 0), 0);
	pass(1);
	say_locked("k8s:io.cilium.k8s.policy.cluster=default;");
	pass(3);
	ck_assert_ptr_null(double_asked(TXN));
	say_list(70, NUMBER, A, false);
	ck_assert_ptr_nonnull(double_asked(TXN));
	ck_assert(last.realised);
	ck_assert_uint_eq(n_forgotten, 0);
	ck_assert_uint_eq(etcd_numbers_stats(numbers).doubts, 0);
	stop();
}
END_TEST

START_TEST(rewritten)
{
	/* Goal: a number whose key is given other labels is marked for its former ones no more. */
	char key[64];

	start_realised();
	snprintf(key, sizeof(key), IDS "%u", NUMBER);
	say_event("PUT", key, B);
	ck_assert_uint_eq(last.id, NUMBER);
	ck_assert(!last.realised);
	stop();
}
END_TEST

START_TEST(not_ours_any_more)
{
	/* Goal: the same when etcd says so as we note our use again. */
	start_realised();
	say_event("DELETE", VALUES A "/a", "");
	pass(1);
	ck_assert(last.realised);
	double_say(TXN, "{\"header\":{\"revision\":\"61\"}}");
	ck_assert(!last.realised);
	stop();
}
END_TEST

START_TEST(refused)
{
	/* Goal: a watch wants a leader; refused within a 200, it is a failure, and we log in again. */
	user = "agent";
	start_realised();
	user = NULL;
	ck_assert(double_has_header(WATCH, "Grpc-Metadata-hasleader: true\n"));
	ck_assert(double_has_header(WATCH, "Authorization: one\n"));
	double_line(WATCH, "{\"result\":{\"header\":{\"revision\":\"60\"},\"created\":true,"
			   "\"canceled\":true}}");
	ck_assert_uint_eq(etcd_client_stats(numbers->client).failures, 1);
	pass(1);
	double_say(AUTH, "{\"header\":{},\"token\":\"two\"}");
	ck_assert(double_has_header(WATCH, "Authorization: two\n"));
	stop();
}
END_TEST

Suite *suite_allocate(void)
{
	Suite *s = suite_create("etcd/allocate");
	TCase *tc = tcase_create("allocate");

	tcase_add_loop_test(tc, lease_ends, 0, ARRAY_SIZE(ENDS));
	tcase_add_test(tc, not_etcds_word);
	tcase_add_test(tc, set_back);
	tcase_add_test(tc, relist);
	tcase_add_test(tc, rewritten);
	tcase_add_test(tc, not_ours_any_more);
	tcase_add_test(tc, refused);
	suite_add_tcase(s, tc);
	return s;
}
