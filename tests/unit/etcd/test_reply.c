#include "tests/unit/etcd/suites.h"
#include "tests/unit/net/fail.h"

#include "etcd/reply.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HEADER "\"header\":{\"cluster_id\":\"1\",\"revision\":\"42\",\"raft_term\":\"2\"}"
#define KV                                                                                         \
	"{\"key\":\"Zm9v\",\"create_revision\":\"3\",\"mod_revision\":\"4\",\"version\":\"1\","    \
	"\"value\":\"YmFy\",\"lease\":\"-9\"}"

static const char RANGE[] = "{" HEADER ",\"kvs\":[" KV "],\"more\":true,\"count\":\"9\"}";
static const char TXN[] = "{" HEADER ",\"succeeded\":true,\"responses\":[{\"response_put\":{}},"
			  "{\"response_range\":{\"kvs\":[" KV "," KV "]}}]}";
static const char WATCH[] = "{\"result\":{" HEADER ",\"events\":[{\"kv\":" KV "},"
			    "{\"type\":\"DELETE\",\"kv\":{\"key\":\"Zm9v\","
			    "\"mod_revision\":\"5\"}}]}}";

static struct etcd_reply *parse(enum etcd_kind kind, const char *text)
{
	struct etcd_reply *reply = NULL;

	ck_assert_int_eq(etcd_reply_parse(kind, span_of(text), &reply), 0);
	return reply;
}

START_TEST(range)
{
	/* Goal: keys and values come decoded, numbers from text, what is left out as zero. */
	cleanup(etcd_reply) struct etcd_reply *reply = parse(ETCD_RANGE, RANGE);
	cleanup(etcd_reply) struct etcd_reply *none = parse(ETCD_RANGE, "{" HEADER "}");

	ck_assert_int_eq(reply->revision, 42);
	ck_assert(reply->more);
	ck_assert_uint_eq(reply->n_kvs, 1);
	ck_assert(span_is(reply->kvs[0].key, "foo"));
	ck_assert(span_is(reply->kvs[0].value, "bar"));
	ck_assert_int_eq(reply->kvs[0].created, 3);
	ck_assert_int_eq(reply->kvs[0].modified, 4);
	ck_assert_int_eq(reply->kvs[0].lease, -9);
	ck_assert_uint_eq(none->n_kvs, 0);
	ck_assert(!none->more);
}
END_TEST

START_TEST(transaction)
{
	/* Goal: each key of a transaction says which operation it answers; no success is a failure. */
	cleanup(etcd_reply) struct etcd_reply *reply = parse(ETCD_TXN, TXN);
	cleanup(etcd_reply) struct etcd_reply *failed = parse(ETCD_TXN, "{" HEADER "}");

	ck_assert(reply->succeeded);
	ck_assert_uint_eq(reply->n_kvs, 2);
	ck_assert_uint_eq(reply->kvs[0].op, 1);
	ck_assert_uint_eq(reply->kvs[1].op, 1);
	ck_assert(!failed->succeeded);
}
END_TEST

START_TEST(watch)
{
	/* Goal: events are put unless they say DELETE; how a watch ended is said. */
	cleanup(etcd_reply) struct etcd_reply *reply = parse(ETCD_WATCH, WATCH);
	cleanup(etcd_reply) struct etcd_reply *ended = parse(ETCD_WATCH,
		"{\"result\":{" HEADER ",\"canceled\":true,\"compact_revision\":\"7\"}}");

	ck_assert_uint_eq(reply->n_kvs, 2);
	ck_assert(!reply->kvs[0].deleted);
	ck_assert(reply->kvs[1].deleted);
	ck_assert_int_eq(reply->kvs[1].modified, 5);
	ck_assert(ended->canceled);
	ck_assert_int_eq(ended->compacted, 7);
}
END_TEST

START_TEST(lease)
{
	/* Goal: a lease that has ended is an answer without TTL. */
	cleanup(etcd_reply) struct etcd_reply *granted =
		parse(ETCD_GRANT, "{" HEADER ",\"ID\":\"77\",\"TTL\":\"15\"}");
	cleanup(etcd_reply) struct etcd_reply *ended =
		parse(ETCD_KEEPALIVE, "{\"result\":{" HEADER ",\"ID\":\"77\"}}");

	ck_assert_int_eq(granted->lease, 77);
	ck_assert_int_eq(granted->ttl, 15);
	ck_assert_int_eq(ended->ttl, 0);
}
END_TEST

static const struct {
	enum etcd_kind kind;
	const char *text;
} BAD[] = {
	{ETCD_RANGE, ""},
	{ETCD_RANGE, "[]"},
	{ETCD_RANGE, "{}"},
	{ETCD_RANGE, "{" HEADER "} x"},
	{ETCD_RANGE, "{" HEADER "," HEADER "}"},
	{ETCD_RANGE, "{\"header\":7}"},
	{ETCD_RANGE, "{\"header\":{\"revision\":\"4x\"}}"},
	{ETCD_RANGE, "{\"header\":{\"revision\":\"9223372036854775808\"}}"},
	{ETCD_RANGE, "{\"header\":{\"revision\":\"\"}}"},
	{ETCD_RANGE, "{\"header\":{\"revision\":4.5}}"},
	{ETCD_RANGE, "{" HEADER ",\"kvs\":{}}"},
	{ETCD_RANGE, "{" HEADER ",\"kvs\":[7]}"},
	{ETCD_RANGE, "{" HEADER ",\"kvs\":[{}]}"},
	{ETCD_RANGE, "{" HEADER ",\"kvs\":[{\"key\":\"Zm9\"}]}"},
	{ETCD_RANGE, "{" HEADER ",\"kvs\":[{\"key\":7}]}"},
	{ETCD_RANGE, "{" HEADER ",\"more\":\"yes\"}"},
	{ETCD_TXN, "{" HEADER ",\"succeeded\":1}"},
	{ETCD_TXN, "{" HEADER ",\"responses\":7}"},
	{ETCD_TXN, "{" HEADER ",\"responses\":[7]}"},
	{ETCD_TXN, "{" HEADER ",\"responses\":[{\"response_range\":7}]}"},
	{ETCD_GRANT, "{" HEADER ",\"TTL\":\"5\"}"},
	{ETCD_GRANT, "{" HEADER ",\"ID\":\"5\",\"TTL\":\"-5\"}"},
	{ETCD_KEEPALIVE, "{" HEADER ",\"ID\":\"5\"}"},
	{ETCD_WATCH, "{\"result\":7}"},
	{ETCD_WATCH, "{\"result\":{" HEADER ",\"events\":7}}"},
	{ETCD_WATCH, "{\"result\":{" HEADER ",\"events\":[{\"type\":\"MOVE\",\"kv\":" KV "}]}}"},
	{ETCD_WATCH, "{\"result\":{" HEADER ",\"events\":[{\"type\":1,\"kv\":" KV "}]}}"},
	{ETCD_WATCH, "{\"result\":{" HEADER ",\"events\":[{}]}}"},
	{ETCD_AUTH, "{" HEADER "}"},
	{ETCD_AUTH, "{" HEADER ",\"token\":\"a\\nb\"}"},
	{ETCD_AUTH, "{" HEADER ",\"token\":\"a\\u0000b\"}"},
};

START_TEST(bad)
{
	/* Goal: what is not as etcd says is refused whole, and nothing is handed out. */
	struct etcd_reply *reply = NULL;

	ck_assert_int_eq(etcd_reply_parse(BAD[_i].kind, span_of(BAD[_i].text), &reply), -EPROTO);
	ck_assert_ptr_null(reply);
}
END_TEST

START_TEST(prefixes)
{
	/* Goal: no strict prefix of an answer is one, and none is read behind its end. */
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *room =
		mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(room, MAP_FAILED);
	ck_assert_int_eq(mprotect(room + page, page, PROT_NONE), 0);
	for (size_t n = 0; n < sizeof(TXN) - 1; n++) {
		struct etcd_reply *reply = NULL;
		char *at = room + page - n;

		memcpy(at, TXN, n);
		ck_assert_int_eq(etcd_reply_parse(ETCD_TXN, (struct span){.p = at, .n = n}, &reply),
			-EPROTO);
	}
	munmap(room, 2 * page);
}
END_TEST

START_TEST(too_many)
{
	/* Goal: the number of keys in one answer has its ceiling. */
	static const char ONE[] = "{\"key\":\"Zg==\"},";
	const size_t n = ETCD_REPLY_KVS + 1, len = sizeof(ONE) - 1;
	cleanup(free) char *text = malloc(n * len + 200);
	struct etcd_reply *reply = NULL;
	char *at = text + sprintf(text, "{%s,\"kvs\":[", HEADER);

	for (size_t i = 0; i < n; i++, at += len)
		memcpy(at, ONE, len);
	strcpy(at - 1, "]}");
	ck_assert_int_eq(etcd_reply_parse(ETCD_RANGE, span_of(text), &reply), -EPROTO);
	strcpy(at - 1 - len, "]}");
	ck_assert_int_eq(etcd_reply_parse(ETCD_RANGE, span_of(text), &reply), 0);
	ck_assert_uint_eq(reply->n_kvs, ETCD_REPLY_KVS);
	etcd_reply_free(reply);
}
END_TEST

static const struct {
	long status;
	const char *body;
	int error;
	const char *why;
} ERRORS[] = {
	{404, "{\"error\":\"etcdserver: requested lease not found\",\"code\":5}", -ENOENT,
		"etcd answered 404: etcdserver: requested lease not found"},
	{400, "{\"error\":\"x\",\"message\":\"compacted\",\"code\":11}", -ERANGE,
		"etcd answered 400: compacted"},
	{503, "{\"message\":\"no leader\",\"code\":14}", -EAGAIN, "etcd answered 503: no leader"},
	{401, "{\"message\":\"invalid auth token\",\"code\":16}", -EACCES,
		"etcd answered 401: invalid auth token"},
	{429, "{\"message\":\"database space exceeded\",\"code\":8}", -ENOSPC,
		"etcd answered 429: database space exceeded"},
	{200, "{\"error\":{\"grpc_code\":14,\"message\":\"a\\u0007b\",\"code\":14}}", -EAGAIN,
		"etcd answered 200: a?b"},
	{503, "<html>", -EAGAIN, "etcd answered 503: no reason given"},
	{404, "404 page not found", -EPROTO, "etcd answered 404: no reason given"},
	{500, "{\"message\":{}}", -EPROTO, "etcd answered 500: no reason given"},
};

START_TEST(errors)
{
	/* Goal: etcd's refusals become what a caller can act on, its words printable. */
	char why[160];

	ck_assert_int_eq(etcd_reply_error(ERRORS[_i].status, span_of(ERRORS[_i].body), why),
		ERRORS[_i].error);
	ck_assert_str_eq(why, ERRORS[_i].why);
}
END_TEST

START_TEST(no_memory)
{
	/* Goal: without memory there is no answer, and nothing leaks. */
	struct etcd_reply *reply = NULL;
	int n = 0, rc;

	do {
		fail_at(n++);
		rc = etcd_reply_parse(ETCD_TXN, span_of(TXN), &reply);
		fail_at(-1);
		ck_assert(!rc || rc == -ENOMEM);
	} while (rc);
	ck_assert_int_eq(n, 4);
	etcd_reply_free(reply);
}
END_TEST

Suite *suite_reply(void)
{
	Suite *s = suite_create("etcd/reply");
	TCase *tc = tcase_create("reply");

	tcase_add_test(tc, range);
	tcase_add_test(tc, transaction);
	tcase_add_test(tc, watch);
	tcase_add_test(tc, lease);
	tcase_add_loop_test(tc, bad, 0, ARRAY_SIZE(BAD));
	tcase_add_test(tc, prefixes);
	tcase_add_test(tc, too_many);
	tcase_add_loop_test(tc, errors, 0, ARRAY_SIZE(ERRORS));
	tcase_add_test(tc, no_memory);
	suite_add_tcase(s, tc);
	return s;
}
