#include "tests/unit/etcd/suites.h"
#include "tests/unit/net/fail.h"

#include "etcd/request.h"

#include <stdlib.h>

static void expect(json_t *request, const char *text)
{
	char *dump = json_dumps(request, JSON_COMPACT | JSON_SORT_KEYS);

	ck_assert_ptr_nonnull(request);
	ck_assert_str_eq(dump, text);
	free(dump);
	json_decref(request);
}

static json_t *a_txn(void)
{
	struct etcd_txn txn;

	etcd_txn_init(&txn);
	etcd_txn_if_created(&txn, SPAN("a"), 0);
	etcd_txn_if_modified(&txn, SPAN("b"), 12);
	etcd_txn_if_value(&txn, SPAN("c"), SPAN("foo"));
	etcd_txn_if_lease(&txn, SPAN("c"), 9);
	etcd_txn_then_put(&txn, SPAN("a"), SPAN("foo"), 7);
	etcd_txn_then_delete(&txn, SPAN("b"));
	etcd_txn_then_range(&txn, &(struct etcd_range){.key = SPAN("d/"), .prefix = true});
	etcd_txn_else_range(&txn, &(struct etcd_range){.key = SPAN("a")});
	return etcd_txn_done(&txn);
}

START_TEST(texts)
{
	/* Goal: requests as the gateway of etcd 3.4 reads them. */
	expect(etcd_request_range(&(struct etcd_range){.key = SPAN("foo")}), "{\"key\":\"Zm9v\"}");
	expect(etcd_request_range(&(struct etcd_range){.key = SPAN("fo/"),
		       .prefix = true,
		       .from = SPAN("foo"),
		       .limit = 10,
		       .revision = 5,
		       .keys_only = true,
		       .oldest = true}),
		"{\"key\":\"Zm9v\",\"keys_only\":true,\"limit\":\"10\",\"range_end\":\"Zm8w\","
		"\"revision\":\"5\",\"sort_order\":\"ASCEND\",\"sort_target\":\"CREATE\"}");
	expect(etcd_request_put(SPAN("foo"), SPAN("f"), 0),
		"{\"key\":\"Zm9v\",\"value\":\"Zg==\"}");
	expect(etcd_request_put(SPAN("foo"), SPAN(""), INT64_MAX),
		"{\"key\":\"Zm9v\",\"lease\":\"9223372036854775807\",\"value\":\"\"}");
	expect(etcd_request_grant(900), "{\"TTL\":\"900\"}");
	expect(etcd_request_lease(-5), "{\"ID\":\"-5\"}");
	expect(etcd_request_auth("u", "p\"w"), "{\"name\":\"u\",\"password\":\"p\\\"w\"}");
	expect(etcd_request_watch(SPAN("foo"), 3),
		"{\"create_request\":{\"fragment\":true,\"key\":\"Zm9v\",\"progress_notify\":true,"
		"\"range_end\":\"Zm9w\",\"start_revision\":\"3\"}}");
}
END_TEST

START_TEST(transaction)
{
	/* Goal: compares, what happens then and else, in the order in which they were said. */
	expect(a_txn(),
		"{\"compare\":[{\"create_revision\":\"0\",\"key\":\"YQ==\",\"result\":\"EQUAL\","
		"\"target\":\"CREATE\"},{\"key\":\"Yg==\",\"mod_revision\":\"12\","
		"\"result\":\"EQUAL\",\"target\":\"MOD\"},{\"key\":\"Yw==\",\"result\":\"EQUAL\","
		"\"target\":\"VALUE\",\"value\":\"Zm9v\"},{\"key\":\"Yw==\",\"lease\":\"9\","
		"\"result\":\"EQUAL\",\"target\":\"LEASE\"}],"
		"\"failure\":[{\"request_range\":{\"key\":\"YQ==\"}}],"
		"\"success\":[{\"request_put\":{\"key\":\"YQ==\",\"lease\":\"7\",\"value\":"
		"\"Zm9v\"}},{\"request_delete_range\":{\"key\":\"Yg==\"}},"
		"{\"request_range\":{\"key\":\"ZC8=\",\"range_end\":\"ZDA=\"}}]}");
}
END_TEST

START_TEST(prefix_end)
{
	/* Goal: a prefix that ends with 0xff still has an end. */
	expect(etcd_request_range(&(struct etcd_range){.key = SPAN("a\xff\xff"), .prefix = true}),
		"{\"key\":\"Yf//\",\"range_end\":\"Yg==\"}");
}
END_TEST

START_TEST(no_memory)
{
	/* Goal: without memory anywhere there is no request, never a part of one. */
	int n = 0;
	json_t *request = NULL;

	for (; !request; n++) {
		fail_at(n);
		request = a_txn();
		fail_at(-1);
		ck_assert(request || n < 100);
	}
	ck_assert_int_gt(n, 5);
	json_decref(request);
}
END_TEST

Suite *suite_request(void)
{
	Suite *s = suite_create("etcd/request");
	TCase *tc = tcase_create("request");

	tcase_add_test(tc, texts);
	tcase_add_test(tc, transaction);
	tcase_add_test(tc, prefix_end);
	tcase_add_test(tc, no_memory);
	suite_add_tcase(s, tc);
	return s;
}
