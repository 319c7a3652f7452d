/*
 * Client certificates as credentials, and conditions that look at the request:
 * whole decisions with certificates made here.
 */
#include "tests/unit/spoa/suites.h"

#include "spoa/cert.h"
#include "tests/unit/spoa/help.h"
#include "tests/unit/token/ca.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct test_cert_order CA = {.cn = "root",
	.constraints = "critical,CA:TRUE",
	.usage = "critical,keyCertSign",
	.from = HELP_NOW_S - 1000,
	.to = HELP_NOW_S + 9000};
static const struct test_cert_order LEAF = {.cn = "leaf",
	.san = "URI:spiffe://example.org/ns/a,DNS:a.example",
	.usage = "critical,digitalSignature",
	.from = HELP_NOW_S - 100,
	.to = HELP_NOW_S + 100};

static const char CONFIG[] = HELP_HEAD
	"providers:\n"
	"  - {name: a, issuer: 'https://a', audiences: [api], algorithms: [ES256]}\n"
	"  - {name: mesh, trust_domain: example.org, trust_bundle: %s/mesh.pem, exports: [{name: "
	"dns, claim: dns}]}\n"
	"  - {name: devices, trust_bundle: %s/devices.pem, subject_claim: dns,\n"
	"     require: [{claim: dns, glob: '*.example'}]}\n"
	"roles:\n"
	"  - {name: both, provider: a, when: [{claim: role, equals: admin}, {cert: uri, prefix: "
	"'spiffe://example.org/'}], labels: [r=both], number: 200}\n"
	"  - {name: near, provider: a, when: [{source: [10.0.0.0/8, 'fd00::/8']}], labels: "
	"[r=near], number: 201}\n"
	"  - {name: trusted-hop, provider: a, when: [{source: 192.0.2.0/24, proxied: true}], "
	"labels: [r=hop], number: 202}\n"
	"  - {name: far, provider: a, labels: [r=far], number: 203}\n"
	"  - {name: svid, provider: mesh, when: [{claim: sub, prefix: "
	"'spiffe://example.org/ns/'}], "
	"labels: [r=svid], number: 204}\n"
	"  - {name: sensor, provider: devices, when: [{cert: dns, glob: 's*.example'}], labels: "
	"[r=sensor], number: 205}\n";

static char dir[64];
static struct test_cert *mesh, *devices, *leaf;
static struct spoa_config *config;
static struct spoa_snapshot *snapshot;
static struct spoa_state state;
static struct spoa_request request;
static char *token;

static void write_bundle(const char *name, const struct test_cert *cert)
{
	cleanup(free) char *pem = test_cert_pem(cert);
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	help_write(path, pem);
}

static void load(void)
{
	cleanup(free) char *yaml = NULL;

	ck_assert_int_gt(asprintf(&yaml, CONFIG, dir, dir), 0);
	spoa_snapshot_unref(snapshot);
	spoa_config_unref(config);
	config = help_config(yaml);
	snapshot = help_snapshot(config);
	help_key(snapshot, 0, test_key_of(TOKEN_ES256), "k", UINT64_MAX);
}

static void setup(void)
{
	struct test_cert_order other = CA;

	other.cn = "devices";
	help_mkdir(dir);
	mesh = test_cert_new(&CA, NULL);
	devices = test_cert_new(&other, NULL);
	write_bundle("mesh.pem", mesh);
	write_bundle("devices.pem", devices);
	config = NULL;
	snapshot = NULL;
	load();
	ck_assert_int_eq(spoa_state_init(&state, HELP_CACHE), 0);
	leaf = test_cert_new(&LEAF, mesh);
	request = (struct spoa_request){.cert = test_cert_der(leaf), .cert_verified = true};
	token = help_token(test_key_of(TOKEN_ES256), "k", NULL);
}

static void teardown(void)
{
	spoa_state_done(&state);
	spoa_snapshot_unref(snapshot);
	spoa_config_unref(config);
	test_cert_free(mesh);
	test_cert_free(devices);
	test_cert_free(leaf);
	free(token);
	help_rmdir(dir);
}

static struct spoa_decision decide_at(int64_t seconds)
{
	struct base_now now = HELP_NOW;
	struct spoa_decision decision;
	struct spoa_need need;

	now.wall_ns += seconds * NS_PER_S;
	ck_assert(spoa_decide(snapshot, &state, &request, 1, &now, &need, &decision));
	return decision;
}

static struct spoa_decision decide(void)
{
	return decide_at(0);
}

/* Another leaf of this order and authority; asks, and says why. */
static enum base_reason why(struct test_cert_order order, const struct test_cert *issuer)
{
	struct test_cert *other = test_cert_new(&order, issuer);
	enum base_reason reason;

	request.cert = test_cert_der(other);
	reason = decide().reason;
	request.cert = test_cert_der(leaf);
	test_cert_free(other);
	return reason;
}

START_TEST(svid)
{
	/* A certificate without a token is a caller: its SPIFFE ID, until it ends. */
	struct spoa_decision decision = decide();
	struct rd values;
	struct spop_data value;

	ASSERT_REASON(decision.reason, BASE_REASON_OK);
	ck_assert_str_eq(decision.role->name, "svid");
	ck_assert(span_is(
		spoa_caller_text(decision.caller, SPOA_TEXT_SUB), "spiffe://example.org/ns/a"));
	ck_assert(span_is(spoa_caller_iss(decision.caller, config), "spiffe://example.org"));
	ck_assert_int_eq(decision.caller->exp, HELP_NOW_S + 100);
	ck_assert(decision.caller->certificate && decision.valid);
	ck_assert_uint_eq(decision.binding.identity, 204);
	ck_assert_uint_ne(decision.binding.subject, 0);
	values = rd_span(spoa_caller_text(decision.caller, SPOA_TEXT_EXPORTS));
	spop_data_parse(&values, &value);
	ck_assert(value.type == SPOP_STR && span_is(value.text, "a.example"));
	/* To the second, though it is remembered. */
	ASSERT_REASON(decide_at(99).reason, BASE_REASON_OK);
	ASSERT_REASON(decide_at(101).reason, BASE_REASON_CERT_EXPIRED);
	ASSERT_REASON(decide_at(-101).reason, BASE_REASON_CERT_EXPIRED);
}
END_TEST

START_TEST(plain)
{
	/* A certificate of another authority is that provider's, named as its rules say, or not at all. */
	struct test_cert_order order = LEAF;
	struct test_cert *sensor;
	struct spoa_decision decision;

	order.san = "DNS:s1.example";
	sensor = test_cert_new(&order, devices);
	request.cert = test_cert_der(sensor);
	decision = decide();
	ASSERT_REASON(decision.reason, BASE_REASON_OK);
	ck_assert_str_eq(decision.role->name, "sensor");
	ck_assert(span_is(spoa_caller_text(decision.caller, SPOA_TEXT_SUB), "s1.example"));
	ck_assert(span_is(spoa_caller_iss(decision.caller, config), "CN=devices"));
	test_cert_free(sensor);
	order.san = "DNS:t1.example";
	ASSERT_REASON(why(order, devices), BASE_REASON_NO_ROLE);
	order.san = "DNS:s1.elsewhere";
	ASSERT_REASON(why(order, devices), BASE_REASON_CLAIM_REQUIRED);
	order.san = "DNS:s1.example,DNS:s2.example";
	ASSERT_REASON(why(order, devices), BASE_REASON_CERT_NOT_ALLOWED);
}
END_TEST

START_TEST(refused)
{
	/* Whatever HAProxy did not verify, or no bundle vouches for, or breaks the rules, is no caller. */
	struct test_cert_order order = LEAF;
	struct test_cert *stranger = test_cert_new(&CA, NULL);

	ASSERT_REASON(why(LEAF, stranger), BASE_REASON_CERT_UNTRUSTED);
	test_cert_free(stranger);
	order.to = HELP_NOW_S - 1;
	ASSERT_REASON(why(order, mesh), BASE_REASON_CERT_EXPIRED);
	order = LEAF;
	order.san = "URI:spiffe://evil.org/ns/a";
	ASSERT_REASON(why(order, mesh), BASE_REASON_CERT_NOT_ALLOWED);
	request.cert = SPAN("0\x82");
	ASSERT_REASON(decide().reason, BASE_REASON_CERT_MALFORMED);
	request.cert = test_cert_der(leaf);
	request.cert_chain = SPAN("x");
	ASSERT_REASON(decide().reason, BASE_REASON_CERT_MALFORMED);
	request.cert_chain = (struct span){0};
	request.cert_verified = false;
	ASSERT_REASON(decide().reason, BASE_REASON_CERT_UNVERIFIED);
	request.cert_verified = true;
	request.scheme = SPAN("Bearer\tx"); /* a header that nobody here understood */
	ASSERT_REASON(decide().reason, BASE_REASON_SCHEME_UNSUPPORTED);
	request.scheme = (struct span){0};
	request.cert = (struct span){0};
	ASSERT_REASON(decide().reason, BASE_REASON_NO_TOKEN);
}
END_TEST

START_TEST(remembered)
{
	/* A judged certificate is remembered, never past a reload: the new bundle decides. */
	ASSERT_REASON(decide().reason, BASE_REASON_OK);
	/* The chain was good once; a resumed TLS session does not bring it again. */
	request.cert_chain = SPAN("x");
	ASSERT_REASON(decide().reason, BASE_REASON_OK);
	request.cert_chain = (struct span){0};
	write_bundle("mesh.pem", devices);
	load();
	ASSERT_REASON(decide().reason, BASE_REASON_CERT_UNTRUSTED);
	write_bundle("mesh.pem", mesh);
	load();
	ASSERT_REASON(decide().reason, BASE_REASON_OK);
	/* HAProxy's word counts every time. */
	request.cert_verified = false;
	ASSERT_REASON(decide().reason, BASE_REASON_CERT_UNVERIFIED);
}
END_TEST

static const char *role_now(void)
{
	struct spoa_decision decision = decide();

	ASSERT_REASON(decision.reason, BASE_REASON_OK);
	return decision.role->name;
}

START_TEST(token_and_certificate)
{
	/* With a token, the token names the caller, and a role may ask for a certificate besides. */
	request.token = span_of(token);
	ck_assert_str_eq(role_now(), "both");
	ck_assert(span_is(spoa_caller_text(decide().caller, SPOA_TEXT_SUB), "s"));
	request.cert_verified = false;
	ck_assert_str_eq(role_now(), "far");
	request.cert_verified = true;
	request.cert = (struct span){0};
	ck_assert_str_eq(role_now(), "far");
	request.cert = test_cert_der(devices);
	ck_assert_str_eq(role_now(), "far");
	request.cert = SPAN("rubbish");
	ck_assert_str_eq(role_now(), "far");
}
END_TEST

static void from(const char *address, bool proxied)
{
	bool v6 = strchr(address, ':');

	request.client.len = v6 ? 16 : 4;
	ck_assert_int_eq(inet_pton(v6 ? AF_INET6 : AF_INET, address, request.client.bytes), 1);
	request.proxied = proxied;
}

START_TEST(sources)
{
	/* The caller's network decides anew for every request; an address from a header only where allowed. */
	request.token = span_of(token);
	request.cert = (struct span){0};
	from("10.1.2.3", false);
	ck_assert_str_eq(role_now(), "near");
	from("fd00::1", false);
	ck_assert_str_eq(role_now(), "near");
	from("::ffff:10.1.2.3", false);
	ck_assert_str_eq(role_now(), "near");
	from("10.1.2.3", true);
	ck_assert_str_eq(role_now(), "far");
	from("192.0.2.7", true);
	ck_assert_str_eq(role_now(), "trusted-hop");
	from("192.0.2.7", false);
	ck_assert_str_eq(role_now(), "trusted-hop");
	from("198.51.100.1", false);
	ck_assert_str_eq(role_now(), "far");
	request.client.len = 0;
	ck_assert_str_eq(role_now(), "far");
}
END_TEST

START_TEST(not_configured)
{
	/* Where no provider has a bundle, a certificate is not looked at. */
	spoa_snapshot_unref(snapshot);
	spoa_config_unref(config);
	config = help_config(HELP_HEAD HELP_ONE);
	snapshot = help_snapshot(config);
	ASSERT_REASON(decide().reason, BASE_REASON_NO_TOKEN);
}
END_TEST

Suite *suite_cert(void)
{
	Suite *suite = suite_create("cert");
	TCase *tc = tcase_create("cert");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, svid);
	tcase_add_test(tc, plain);
	tcase_add_test(tc, refused);
	tcase_add_test(tc, remembered);
	tcase_add_test(tc, token_and_certificate);
	tcase_add_test(tc, sources);
	tcase_add_test(tc, not_configured);
	suite_add_tcase(suite, tc);
	return suite;
}
