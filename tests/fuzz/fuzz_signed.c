/*
 * Any header and payload, signed: so that mutations reach everything behind
 * the signature. The input is a byte of flags (1: with padding, as AWS load
 * balancers do it), the length of the header in two bytes, header, payload.
 * Whole decisions: claims, issuers, mapping, requirements, roles, exports.
 */
#include "tests/fuzz/fuzz.h"

#include "base/rd.h"
#include "base/wr.h"
#include "spoa/decide.h"
#include "token/b64.h"

#include <openssl/hmac.h>

#define SECRET "0123456789abcdef0123456789abcdef"
#define NOW_S  INT64_C(1800000000)

static const char CONFIG[] =
	"version: 1\n"
	"listen: [{unix: /tmp/fuzz.sock}]\n"
	"bpf: {mode: off}\n"
	"exports: [email, level]\n"
	"providers:\n"
	"  - {name: a, issuer: 'https://a', audiences: [api], exports: [{name: deep, claim: "
	"['https://ns/x', a.b]}]}\n"
	"  - {name: b, issuer: 'https://b/{tenantid}/v2.0', jwks_uri: https://b/k, audiences: "
	"[api]}\n"
	"  - {name: c, issuer: https://c, audiences: [api], subject_claim: [who, name], "
	"client_id_claim: app, scope_claim: [perms], require: [{claim: typ, equals: Bearer}]}\n"
	"  - {name: d, trust_domain: example.org, jwks_file: /k, audiences: [api], types: []}\n"
	"  - {name: e, issuer: https://e, audiences: [c], audience_claim: client, padding: true, "
	"header_claims: [iss, exp, client, signer], max_lifetime: 0, require: [{claim: signer, "
	"equals: arn}]}\n"
	"roles:\n"
	"  - {name: agent, when: [{actor: sub, glob: 'a*t-?'}, {scope: [act]}], labels: [r=1], "
	"number: 200}\n"
	"  - {name: groups, when: [{claim: groups, prefix: [ad, x]}], labels: [r=2], number: 201}\n"
	"  - {name: number, when: [{claim: level, at_least: -1.5}, {claim: level, at_most: 9}], "
	"labels: [r=3], number: 202}\n"
	"  - {name: words, when: [{claim: [a, scope], all: [x, y]}], labels: [r=4], number: 203}\n"
	"  - {name: spiffe, provider: d, labels: [r=5], number: 204}\n"
	"  - {name: rest, when: [{claim: sub, exists: true}], labels: [r=6], number: 205}\n";

static struct spoa_snapshot *snapshot;
static struct spoa_state state;

static void start(void)
{
	struct spoa_config *config = NULL;
	struct conf *conf = NULL;
	struct base_diag diag;

	if (snapshot)
		return;
	base_diag_init(&diag, "fuzz");
	FUZZ_CHECK(!conf_parse("fuzz", CONFIG, strlen(CONFIG), &conf, &diag));
	FUZZ_CHECK(!spoa_config_new(conf, NULL, &diag, &config));
	for (size_t i = 0; i < config->conf->n_providers; i++)
		config->rules[i].algs = TOKEN_ALG_BIT(TOKEN_HS256);
	snapshot = spoa_snapshot_new(config, SPOA_ENFORCEMENT_OFF, NULL);
	FUZZ_CHECK(snapshot && !spoa_state_init(&state, 64 * 1024));
	for (size_t i = 0; i < snapshot->n_issuers; i++) {
		FUZZ_CHECK(!token_keyset_secret(
			SPAN(SECRET), TOKEN_HS256, &snapshot->issuers[i].keys));
		snapshot->ages[i].fetched_at = UINT64_MAX;
		snapshot->ages[i].refresh_from = snapshot->ages[i].recheck_from = UINT64_MAX;
	}
}

static void put_part(struct wr *w, struct span bytes, bool padded)
{
	size_t from = wr_len(w);

	token_b64_encode(bytes, w);
	while (padded && (wr_len(w) - from) % 4)
		wr_u8(w, '=');
}

static struct span sign(struct span header, struct span payload, bool padded)
{
	static uint8_t token[64 * 1024];
	struct wr w = wr_of(token, sizeof(token));
	unsigned char mac[32];

	put_part(&w, header, padded);
	wr_u8(&w, '.');
	put_part(&w, payload, padded);
	FUZZ_CHECK(!w.bad);
	FUZZ_CHECK(HMAC(EVP_sha256(), SECRET, sizeof(SECRET) - 1, token, wr_len(&w), mac, NULL));
	wr_u8(&w, '.');
	put_part(&w, (struct span){(const char *)mac, sizeof(mac)}, padded);
	return (struct span){(const char *)token, wr_len(&w)};
}

static void check_text(const struct spoa_caller *caller, enum spoa_text which)
{
	struct span text = spoa_caller_text(caller, which);

	for (size_t i = 0; i < text.n; i++)
		FUZZ_CHECK((unsigned char)text.p[i] >= 0x20 && text.p[i] != 0x7f);
}

static void check_caller(const struct spoa_caller *caller)
{
	static const enum spoa_text TEXTS[] = {SPOA_TEXT_SUB, SPOA_TEXT_ISS, SPOA_TEXT_CLIENT_ID,
		SPOA_TEXT_SCOPE, SPOA_TEXT_ACTOR, SPOA_TEXT_JTI};
	struct rd exports = rd_span(spoa_caller_text(caller, SPOA_TEXT_EXPORTS));

	for (size_t i = 0; i < ARRAY_SIZE(TEXTS); i++)
		check_text(caller, TEXTS[i]);
	for (size_t i = 0; i < snapshot->config->exports.n; i++) {
		struct spop_data value;

		spop_data_parse(&exports, &value);
	}
	FUZZ_CHECK(!exports.bad && !rd_left(&exports));
	FUZZ_CHECK(spoa_caller_text(caller, SPOA_TEXT_ROLES).n % 2 == 0);
	FUZZ_CHECK(caller->subject && caller->provider < snapshot->n_issuers);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct base_now now = {
		.wall_ns = NOW_S * NS_PER_S, .mono_ns = 1000, .boot_ns = 1000};
	struct spoa_request request = {0};
	struct spoa_decision decision;
	struct spoa_need need;
	struct span header, rest;
	size_t n;

	start();
	if (size < 3 || size > 32 * 1024)
		return 0;
	rest = (struct span){(const char *)data + 3, size - 3};
	n = (size_t)data[1] << 8 | data[2];
	header = (struct span){rest.p, n < rest.n ? n : rest.n};
	rest = (struct span){rest.p + header.n, rest.n - header.n};
	request.token = sign(header, rest, data[0] & 1);
	FUZZ_CHECK(spoa_decide(snapshot, &state, &request, 1, &now, &need, &decision));
	FUZZ_CHECK(decision.reason != BASE_REASON_INTERNAL);
	FUZZ_CHECK(decision.reason != BASE_REASON_SIGNATURE_INVALID);
	FUZZ_CHECK((decision.verdict == SPOA_ALLOW) == (decision.reason == BASE_REASON_OK));
	FUZZ_CHECK((decision.verdict == SPOA_ALLOW) <= (decision.role != NULL));
	if (decision.caller)
		check_caller(decision.caller);
	return 0;
}
