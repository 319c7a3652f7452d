#include "ident/directory.h"

#include "tests/unit/ident/suites.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char CILIUM[] =
	"[{\"id\": 1, \"labels\": [\"reserved:host\"]}, {\"id\": -5, \"labels\": [\"k8s:a=b\"]},"
	" {\"id\": 102, \"labels\": [\"k8s:k8s-app=kube-dns\"]},"
	" {\"id\": 51966, \"labels\": [\"k8s:io.kubernetes.pod.namespace=shop\", \"k8s:app=cart\"],"
	"  \"labelsSHA256\": \"\"},"
	" {\"id\": 16777217, \"labels\": [\"cidr:10.0.0.0/8\", \"reserved:world\"]},"
	" {\"id\": 300, \"labels\": [\"k8s:a=b;c\"]},"
	" {\"id\": 301, \"labels\": []}, {\"id\": 302}, {\"id\": \"x\", \"labels\": [\"k8s:a\"]},"
	" {\"id\": 303, \"labels\": [\"k8s:empty\", \"oidc:b=c\"]}]";

static const char KUBECTL[] =
	"{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": ["
	" {\"metadata\": {\"name\": \"51966\"}, \"security-labels\": {\"k8s:app\": \"cart\","
	"  \"k8s:io.kubernetes.pod.namespace\": \"shop\"}},"
	" {\"metadata\": {\"name\": \"303\"}, \"security-labels\": {\"k8s:empty\": \"\","
	"  \"oidc:b\": \"c\"}},"
	" {\"metadata\": {\"name\": \"0303\"}, \"security-labels\": {\"k8s:x\": \"y\"}},"
	" {\"metadata\": {\"name\": \"304x\"}, \"security-labels\": {\"k8s:x\": \"y\"}},"
	" {\"metadata\": {\"name\": \"305\"}, \"security-labels\": {\"k8s:x\": 1}}]}";

static struct ident_directory *parse(const char *text, size_t *ret_skipped)
{
	struct ident_directory *directory = NULL;
	char why[160] = "";

	ck_assert_msg(
		ident_directory_parse(span_of(text), &directory, ret_skipped, why) == 0, "%s", why);
	return directory;
}

static void is(const struct ident_directory *directory, uint32_t number, const char *labels)
{
	struct span found = ident_directory_find(directory, number);

	ck_assert_uint_eq(found.n, strlen(labels));
	ck_assert(!found.n || !memcmp(found.p, labels, found.n));
}

START_TEST(forms)
{
	/* Goal: what either tool prints becomes canonical labels; what is no workload's is left out. */
	size_t skipped = 0;
	cleanup(ident_directory) struct ident_directory *directory =
		parse(_i ? KUBECTL : CILIUM, &skipped);

	ck_assert_uint_eq(ident_directory_count(directory), _i ? 2 : 3);
	ck_assert_uint_eq(skipped, _i ? 3 : 7);
	is(directory, 102, _i ? "" : "k8s:k8s-app=kube-dns;"); /* well-known: a pod's, too */
	is(directory, 51966, "k8s:app=cart;k8s:io.kubernetes.pod.namespace=shop;");
	is(directory, 303, "oidc:b=c;k8s:empty=;");
	is(directory, 1, "");
	is(directory, 16777217, "");
	is(directory, 300, "");
	is(directory, 0, "");
	is(directory, UINT32_MAX, "");
}
END_TEST

static const char *const BAD[] = {"", "{", "7", "{}", "{\"items\": 7}", "[{\"id\":1,\"id\":2}]"};

START_TEST(other_forms)
{
	/* Goal: anything else is refused with a reason, and nothing is returned. */
	struct ident_directory *directory = NULL;
	size_t skipped = 77;
	char why[160] = "";

	ck_assert_int_eq(
		ident_directory_parse(span_of(BAD[_i]), &directory, &skipped, why), -EBADMSG);
	ck_assert_ptr_null(directory);
	ck_assert_uint_eq(skipped, 77);
	ck_assert_uint_gt(strlen(why), 0);
}
END_TEST

START_TEST(prefixes)
{
	/* Goal: a file that is cut anywhere is refused as a whole. */
	char copy[sizeof(KUBECTL)];

	for (size_t n = 0; n < sizeof(KUBECTL) - 1; n++) {
		struct ident_directory *directory = NULL;
		size_t skipped;
		char why[160];

		memcpy(copy, KUBECTL, n);
		ck_assert_int_eq(
			ident_directory_parse((struct span){copy, n}, &directory, &skipped, why),
			-EBADMSG);
	}
}
END_TEST

START_TEST(many)
{
	/* Goal: each of many is found, in whatever order they came, and the later word counts. */
	enum { N = 5000 };
	static struct ident_directory_entry entries[N + 1];
	static char labels[N + 1][32];
	cleanup(ident_directory) struct ident_directory *directory = NULL;

	for (unsigned i = 0; i <= N; i++) {
		snprintf(labels[i], sizeof(labels[i]), "k8s:n=%u;", i);
		entries[i] = (struct ident_directory_entry){256 + (i * 7919) % N, labels[i]};
	}
	ck_assert_int_eq(ident_directory_new(entries, N + 1, &directory), 0);
	ck_assert_uint_eq(ident_directory_count(directory), N);
	for (unsigned i = 1; i <= N; i++)
		is(directory, 256 + (i * 7919) % N, labels[i]);
	is(directory, 255, "");
	is(directory, 256 + N, "");
	is(NULL, 256, "");
}
END_TEST

Suite *directory_suite(void)
{
	Suite *suite = suite_create("ident/directory");
	TCase *tcase = tcase_create("all");

	tcase_add_loop_test(tcase, forms, 0, 2);
	tcase_add_loop_test(tcase, other_forms, 0, ARRAY_SIZE(BAD));
	tcase_add_test(tcase, prefixes);
	tcase_add_test(tcase, many);
	suite_add_tcase(suite, tcase);
	return suite;
}
