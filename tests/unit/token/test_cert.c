#include "tests/unit/token/ca.h"
#include "tests/unit/token/suites.h"

#include "token/bundle.h"
#include "token/json.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW INT64_C(1800000000)

static const struct test_cert_order CA = {.cn = "root",
	.constraints = "critical,CA:TRUE",
	.usage = "critical,keyCertSign,cRLSign",
	.from = NOW - 1000,
	.to = NOW + 9000};
static const struct test_cert_order LEAF = {.cn = "leaf",
	.san = "URI:spiffe://example.org/a",
	.constraints = "critical,CA:FALSE",
	.usage = "critical,digitalSignature",
	.extended = "clientAuth",
	.from = NOW - 100,
	.to = NOW + 100};

static struct test_cert *root, *middle, *stranger;
static struct token_bundle *bundle;

static struct token_bundle *bundle_of(const struct test_cert *cert)
{
	cleanup(free) char *pem = test_cert_pem(cert);
	struct token_bundle *made = NULL;
	char why[TOKEN_BUNDLE_WHY];

	ck_assert_int_eq(token_bundle_parse(span_of(pem), &made, why), 0);
	return made;
}

static void setup(void)
{
	struct test_cert_order order = CA;

	root = test_cert_new(&CA, NULL);
	order.cn = "middle";
	order.to = NOW + 50; /* before the leaf */
	middle = test_cert_new(&order, root);
	order = CA;
	order.cn = "stranger";
	stranger = test_cert_new(&order, NULL);
	bundle = bundle_of(root);
}

static void teardown(void)
{
	ck_assert_uint_eq(ERR_peek_error(), 0); /* row 39 */
	token_bundle_unref(bundle);
	test_cert_free(root);
	test_cert_free(middle);
	test_cert_free(stranger);
}

static enum base_reason verify_with(const struct test_cert *leaf, struct span chain,
	const char *trust_domain, int64_t now_s, int64_t *ret_until)
{
	cleanup(json) json_t *claims = NULL;
	enum base_reason reason = token_cert_parse(test_cert_der(leaf), &claims);
	int64_t until = 77;

	if (reason != BASE_REASON_OK)
		return reason;
	reason = token_bundle_verify(
		bundle, test_cert_der(leaf), chain, claims, trust_domain, now_s, &until);
	if (reason != BASE_REASON_OK)
		ck_assert_int_eq(until, 77);
	if (ret_until)
		*ret_until = until;
	return reason;
}

/* Makes the leaf, asks, and throws it away. */
static enum base_reason verify(
	struct test_cert_order order, const struct test_cert *issuer, const char *trust_domain)
{
	struct test_cert *leaf = test_cert_new(&order, issuer);
	enum base_reason reason = verify_with(leaf, (struct span){0}, trust_domain, NOW, NULL);

	test_cert_free(leaf);
	return reason;
}

START_TEST(claims_of_a_certificate)
{
	/* Goal: everything that a role may ask for comes out of the DER. */
	struct test_cert_order order = LEAF;
	struct test_cert *leaf;
	json_t *claims = NULL;
	const char *names;

	order.cn = "Älice, \"x\"";
	order.san =
		"URI:https://a/b,DNS:one.example,DNS:two.example,email:a@b.example,IP:192.0.2.1,"
		"IP:2001:db8::1";
	leaf = test_cert_new(&order, root);
	ASSERT_REASON(token_cert_parse(test_cert_der(leaf), &claims), BASE_REASON_OK);
	ck_assert_str_eq(json_string_value(json_object_get(claims, "subject")),
		"CN=\\C3\\84lice\\, \\\"x\\\"");
	ck_assert_str_eq(json_string_value(json_object_get(claims, "issuer")), "CN=root");
	ck_assert_uint_eq(json_string_length(json_object_get(claims, "fingerprint")), 64);
	ck_assert_str_eq(json_string_value(json_array_get(json_object_get(claims, "uri"), 0)),
		"https://a/b");
	names = json_string_value(json_array_get(json_object_get(claims, "dns"), 1));
	ck_assert_str_eq(names, "two.example");
	ck_assert_str_eq(json_string_value(json_array_get(json_object_get(claims, "email"), 0)),
		"a@b.example");
	ck_assert_str_eq(
		json_string_value(json_array_get(json_object_get(claims, "ip"), 1)), "2001:db8::1");
	ck_assert_int_eq(json_integer_value(json_object_get(claims, "exp")), NOW + 100);
	ck_assert_int_eq(json_integer_value(json_object_get(claims, "nbf")), NOW - 100);
	json_decref(claims);
	test_cert_free(leaf);
}
END_TEST

START_TEST(not_a_certificate)
{
	/* Goal: no prefix, no tail, no flipped length of a certificate is one; up to a guard page. */
	struct test_cert *leaf = test_cert_new(&LEAF, root);
	struct span der = test_cert_der(leaf);
	cleanup(free) char *more = malloc(der.n + 1);
	static char big[TOKEN_CERT_MAX + 1];
	json_t *claims = NULL;

	for (size_t n = 0; n < der.n; n++)
		ASSERT_REASON(token_cert_parse((struct span){guarded(der.p, n), n}, &claims),
			BASE_REASON_CERT_MALFORMED);
	memcpy(more, der.p, der.n);
	more[der.n] = 0;
	ASSERT_REASON(token_cert_parse((struct span){more, der.n + 1}, &claims),
		BASE_REASON_CERT_MALFORMED);
	ASSERT_REASON(token_cert_parse((struct span){big, sizeof(big)}, &claims),
		BASE_REASON_CERT_MALFORMED);
	ck_assert_ptr_null(claims);
	test_cert_free(leaf);
}
END_TEST

START_TEST(names)
{
	/* Goal: a name with a control or foreign byte, or too many names, refuse the certificate. */
	char many[TOKEN_CERT_NAMES_MAX * 8 + 16] = "";
	struct test_cert_order order = LEAF;
	size_t n = 0;

	for (int i = 0; i <= TOKEN_CERT_NAMES_MAX; i++)
		n += (size_t)snprintf(many + n, sizeof(many) - n, "%sDNS:d%d", i ? "," : "", i);
	order.san = many;
	ASSERT_REASON(verify(order, root, NULL), BASE_REASON_CERT_MALFORMED);
	*strrchr(many, ',') = '\0';
	ASSERT_REASON(verify(order, root, NULL), BASE_REASON_OK);
	order.san = "DNS:d\x01";
	ASSERT_REASON(verify(order, root, NULL), BASE_REASON_CERT_MALFORMED);
	order.san = "URI:https://\xc3\xa9";
	ASSERT_REASON(verify(order, root, NULL), BASE_REASON_CERT_MALFORMED);
	order.san = NULL;
	ASSERT_REASON(verify(order, root, NULL), BASE_REASON_OK);
}
END_TEST

START_TEST(trust)
{
	/* Goal: only what the bundle vouches for, with strong keys and hashes, at this time, is trusted. */
	struct test_cert_order order = LEAF;

	ASSERT_REASON(verify(LEAF, root, NULL), BASE_REASON_OK);
	ASSERT_REASON(verify(LEAF, stranger, NULL), BASE_REASON_CERT_UNTRUSTED);
	ASSERT_REASON(verify(LEAF, NULL, NULL), BASE_REASON_CERT_UNTRUSTED);
	/* A root of the same name is another root. */
	test_cert_free(stranger);
	stranger = test_cert_new(&CA, NULL);
	ASSERT_REASON(verify(LEAF, stranger, NULL), BASE_REASON_CERT_UNTRUSTED);
	order.to = NOW - 1;
	ASSERT_REASON(verify(order, root, NULL), BASE_REASON_CERT_EXPIRED);
	order = LEAF;
	order.from = NOW + 10;
	ASSERT_REASON(verify(order, root, NULL), BASE_REASON_CERT_EXPIRED);
	order = LEAF;
	order.extended = "serverAuth";
	ASSERT_REASON(verify(order, root, NULL), BASE_REASON_CERT_NOT_ALLOWED);
	order = LEAF;
	order.digest = "SHA1";
	ASSERT_REASON(verify(order, root, NULL), BASE_REASON_CERT_UNTRUSTED);
	order = LEAF;
	order.rsa_bits = 1024;
	ASSERT_REASON(verify(order, root, NULL), BASE_REASON_CERT_UNTRUSTED);
	/* The root itself is no caller. */
	ASSERT_REASON(
		verify_with(root, (struct span){0}, NULL, NOW, NULL), BASE_REASON_CERT_NOT_ALLOWED);
}
END_TEST

START_TEST(chains)
{
	/* Goal: what stands between comes with the client; a chain ends with its shortest life. */
	struct test_cert *leaf = test_cert_new(&LEAF, middle);
	struct span between = test_cert_der(middle);
	cleanup(free) char *many = malloc(between.n * (TOKEN_CERT_CHAIN_MAX + 2));
	int64_t until;

	ASSERT_REASON(
		verify_with(leaf, (struct span){0}, NULL, NOW, NULL), BASE_REASON_CERT_UNTRUSTED);
	ASSERT_REASON(verify_with(leaf, between, NULL, NOW, &until), BASE_REASON_OK);
	ck_assert_int_eq(until, NOW + 50);
	ASSERT_REASON(verify_with(leaf, between, NULL, NOW + 60, NULL), BASE_REASON_CERT_EXPIRED);
	between.n--;
	ASSERT_REASON(verify_with(leaf, between, NULL, NOW, NULL), BASE_REASON_CERT_MALFORMED);
	between.n++;
	for (size_t i = 0; i < TOKEN_CERT_CHAIN_MAX + 2; i++)
		memcpy(many + i * between.n, between.p, between.n);
	ASSERT_REASON(verify_with(leaf, (struct span){many, between.n * TOKEN_CERT_CHAIN_MAX}, NULL,
			      NOW, NULL),
		BASE_REASON_OK);
	ASSERT_REASON(verify_with(leaf, (struct span){many, between.n * (TOKEN_CERT_CHAIN_MAX + 2)},
			      NULL, NOW, NULL),
		BASE_REASON_CERT_MALFORMED);
	/* A leaf that signs another leaf is no CA. */
	ASSERT_REASON(verify(LEAF, leaf, NULL), BASE_REASON_CERT_UNTRUSTED);
	test_cert_free(leaf);
}
END_TEST

static const struct {
	const char *san, *usage, *constraints, *trust_domain;
	enum base_reason want;
} SVIDS[] = {
	{"URI:spiffe://example.org/a", "critical,digitalSignature", "critical,CA:FALSE",
		"example.org", BASE_REASON_OK},
	{"URI:spiffe://example.org/a,DNS:x", "critical,digitalSignature,keyAgreement", NULL,
		"example.org", BASE_REASON_OK},
	{"URI:spiffe://example.org/a", "critical,digitalSignature", NULL, "other.org",
		BASE_REASON_CERT_NOT_ALLOWED},
	{"URI:spiffe://example.org/a,URI:spiffe://example.org/b", "critical,digitalSignature", NULL,
		"example.org", BASE_REASON_CERT_NOT_ALLOWED},
	{"URI:spiffe://example.org/a,URI:https://x", "critical,digitalSignature", NULL,
		"example.org", BASE_REASON_CERT_NOT_ALLOWED},
	{"URI:spiffe://example.org", "critical,digitalSignature", NULL, "example.org",
		BASE_REASON_CERT_NOT_ALLOWED},
	{"DNS:example.org", "critical,digitalSignature", NULL, "example.org",
		BASE_REASON_CERT_NOT_ALLOWED},
	{NULL, "critical,digitalSignature", NULL, "example.org", BASE_REASON_CERT_NOT_ALLOWED},
	{"URI:spiffe://example.org/a", NULL, NULL, "example.org", BASE_REASON_CERT_NOT_ALLOWED},
	{"URI:spiffe://example.org/a", "digitalSignature", NULL, "example.org",
		BASE_REASON_CERT_NOT_ALLOWED},
	{"URI:spiffe://example.org/a", "critical,keyAgreement", NULL, "example.org",
		BASE_REASON_CERT_NOT_ALLOWED},
	{"URI:spiffe://example.org/a", "critical,digitalSignature,keyCertSign", NULL, "example.org",
		BASE_REASON_CERT_NOT_ALLOWED},
	{"URI:spiffe://example.org/a", "critical,digitalSignature,cRLSign", NULL, "example.org",
		BASE_REASON_CERT_NOT_ALLOWED},
	{"URI:spiffe://example.org/a", "critical,digitalSignature", "critical,CA:TRUE",
		"example.org", BASE_REASON_CERT_NOT_ALLOWED},
	/* The same rules bind no plain certificate, but the CA's. */
	{"DNS:a,URI:https://a,URI:https://b", NULL, NULL, NULL, BASE_REASON_OK},
	{"URI:spiffe://example.org/a", "critical,digitalSignature", "critical,CA:TRUE", NULL,
		BASE_REASON_CERT_NOT_ALLOWED},
};

START_TEST(svids)
{
	/* Goal: an X.509-SVID is what its specification says, and nothing near it (X509-SVID 4, 5). */
	struct test_cert_order order = LEAF;

	order.san = SVIDS[_i].san;
	order.usage = SVIDS[_i].usage;
	order.constraints = SVIDS[_i].constraints;
	ASSERT_REASON(verify(order, root, SVIDS[_i].trust_domain), SVIDS[_i].want);
}
END_TEST

START_TEST(bundles)
{
	/* Goal: a bundle is certificates and text between them; anything less is said in words. */
	cleanup(free) char *one = test_cert_pem(root);
	cleanup(free) char *other = test_cert_pem(stranger);
	cleanup(free) char *both = NULL;
	cleanup(free) char *cut = strdup(one);
	struct token_bundle *made = NULL;
	char why[TOKEN_BUNDLE_WHY] = "";
	static char big[TOKEN_BUNDLE_BYTES + 1];
	const struct span bad[] = {SPAN(""), SPAN("rubbish"), span_of(cut), {big, sizeof(big)}};

	ck_assert_int_gt(asprintf(&both, "# mine\n%s\n# theirs\n%s", other, one), 0);
	ck_assert_int_eq(token_bundle_parse(span_of(both), &made, why), 0);
	token_bundle_unref(bundle);
	bundle = made;
	ASSERT_REASON(verify(LEAF, root, NULL), BASE_REASON_OK);
	ASSERT_REASON(verify(LEAF, stranger, NULL), BASE_REASON_OK);
	memcpy(cut + 60, "AAAAAAAA", 8);
	for (size_t i = 0; i < 4; i++) {
		*why = '\0';
		ck_assert_int_eq(token_bundle_parse(bad[i], &made, why), -EBADMSG);
		ck_assert(*why);
	}
}
END_TEST

START_TEST(no_memory)
{
	/* Goal: promise 1: without memory a certificate is neither trusted nor called wrong. */
	struct test_cert *leaf = test_cert_new(&LEAF, root);
	enum base_reason reason;
	long n = 0;

	ASSERT_REASON(
		verify_with(leaf, (struct span){0}, "example.org", NOW, NULL), BASE_REASON_OK);
	do {
		json_t *claims = NULL;
		int64_t until;

		allocations_left = n++;
		reason = token_cert_parse(test_cert_der(leaf), &claims);
		if (reason == BASE_REASON_OK)
			reason = token_bundle_verify(bundle, test_cert_der(leaf), (struct span){0},
				claims, "example.org", NOW, &until);
		allocations_left = -1;
		json_decref(claims);
		ck_assert_msg(reason == BASE_REASON_OK || reason == BASE_REASON_INTERNAL,
			"allocation %ld: %s", n, base_reason_word(reason));
	} while (reason != BASE_REASON_OK && n < 10000);
	ck_assert_int_gt(n, 30);
	ASSERT_REASON(reason, BASE_REASON_OK);
	test_cert_free(leaf);
}
END_TEST

Suite *suite_cert(void)
{
	Suite *suite = suite_create("cert, bundle, x509");
	TCase *tc = tcase_create("cert");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, claims_of_a_certificate);
	tcase_add_test(tc, not_a_certificate);
	tcase_add_test(tc, names);
	tcase_add_test(tc, trust);
	tcase_add_test(tc, chains);
	tcase_add_loop_test(tc, svids, 0, sizeof(SVIDS) / sizeof(SVIDS[0]));
	tcase_add_test(tc, bundles);
	tcase_add_test(tc, no_memory);
	suite_add_tcase(suite, tc);
	return suite;
}
