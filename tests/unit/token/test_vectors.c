/*
 * Vectors that nobody on this project wrote: Wycheproof's JWS, JWK and crypto
 * files, and the IETF cookbook, against the JWS layer (their payloads are not
 * JSON). Where we differ from a label, the case stands in a table with its
 * reason, and the test fails as well when such a case no longer differs.
 */
#include "tests/unit/token/suites.h"

#include "base/wr.h"
#include "token/b64.h"
#include "token/json.h"
#include "token/jws.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALL_ALGS (TOKEN_ALG_BIT(TOKEN_ALGS) - 1)

enum file {
	JWS_FILE,
	JWK_FILE,
	CRYPTO_FILE,
};

static const char *const NAMES[] = {
	[JWS_FILE] = "wycheproof/wycheproof_json_web_signature.json",
	[JWK_FILE] = "wycheproof/wycheproof_json_web_key.json",
	[CRYPTO_FILE] = "wycheproof/wycheproof_json_web_crypto.json",
};

#define MANY_SECRETS "a set of several symmetric keys: a provider has one secret"
#define SAME_BYTES   "byte for byte the valid 357"

/*
 * Cases whose label is not our answer. A single oct key is taken as the local
 * secret of a provider; as a key set every one is refused, and that is checked.
 */
static const struct exception {
	enum file file;
	int tc;
	const char *why;
} EXCEPTIONS[] = {
	{JWS_FILE, 346, "the JWK says PS256, the header PS384: one key, one algorithm"},
	{JWS_FILE, 347, "the JWK says ES521, which is no registered name"},
	{JWS_FILE, 350, "the JWK says PS256, the header PS384: one key, one algorithm"},
	{JWS_FILE, 351, "the JWK says ES521, which is no registered name"},
	{JWS_FILE, 367, SAME_BYTES},
	{JWS_FILE, 370, SAME_BYTES},
	{JWS_FILE, 372, "a ? stands in the header"},
	{JWS_FILE, 373, "a ? stands in the payload"},
	{JWK_FILE, 2, MANY_SECRETS},
	{CRYPTO_FILE, 48, MANY_SECRETS},
};

struct tally {
	int run;
	int accepted;
	int exceptions;
};

static bool no_vectors(void)
{
	const char *path = VECTORS "/README.md";
	const char *allowed = getenv("IDENTITYD_NO_VECTORS");
	FILE *f = fopen(path, "r");

	if (f) {
		fclose(f);
		return false;
	}
	if (!allowed || strcmp(allowed, "1"))
		ck_abort_msg("no test vectors at %s; IDENTITYD_NO_VECTORS=1 goes on without", path);
	printf("SKIPPED: no test vectors at %s\n", path);
	fflush(stdout);
	return true;
}

static json_t *load(const char *name)
{
	char path[4096];
	json_error_t error;
	json_t *json;

	snprintf(path, sizeof(path), "%s/%s", VECTORS, name);
	json = json_load_file(path, 0, &error);
	ck_assert_msg(json, "%s: %s", path, error.text);
	return json;
}

/* Cookbook and rfc7520 groups publish private keys, which a key set drops: keep what is public. */
static json_t *as_set(const json_t *key)
{
	static const char *const PRIVATE[] = {"d", "p", "q", "dp", "dq", "qi"};
	json_t *copy = json_deep_copy(key);
	json_t *set = json_object_get(copy, "keys");

	for (size_t i = 0; i < sizeof(PRIVATE) / sizeof(PRIVATE[0]); i++)
		json_object_del(copy, PRIVATE[i]);
	if (set)
		return copy;
	return json_pack("{s:[o]}", "keys", copy);
}

static bool matches(const struct token_jws *jws, const struct token_key *key)
{
	struct span kid = {.p = jws->kid, .n = jws->kid_len};

	return !jws->has_kid || !key->kid.n || span_eq(kid, key->kid);
}

static struct token_keyset *set_of(const json_t *key)
{
	cleanup(json) json_t *json = as_set(key);
	cleanup(free) char *text = json_dumps(json, 0);
	struct token_keyset *set = NULL;

	ck_assert_ptr_nonnull(text);
	return token_keyset_parse(span_of(text), ALL_ALGS, &set, NULL) ? NULL : set;
}

/* A single oct key as an operator would write it down: its bytes in a file, its alg in the list. */
static struct token_keyset *secret_of(const json_t *key)
{
	const json_t *keys = json_object_get(key, "keys");
	const json_t *one = json_array_size(keys) == 1 ? json_array_get(keys, 0) : key;
	int alg = token_alg_find(token_json_text(one, "alg", 16));
	unsigned char bytes[1024];
	struct wr w = wr_of(bytes, sizeof(bytes));
	struct token_keyset *set = NULL;

	if (!span_is(token_json_text(one, "kty", 8), "oct") || alg < 0 ||
		token_b64_decode(token_json_text(one, "k", 2048), &w) ||
		token_keyset_secret(
			(struct span){(const char *)bytes, wr_len(&w)}, (enum token_alg)alg, &set))
		return NULL;
	return set;
}

/* What a verifier does with a set and a token, without claims. Takes the set. */
static bool accepts(struct token_keyset *keys, struct span token)
{
	cleanup(token_ctx) struct token_ctx *ctx = token_ctx_new();
	cleanup(token_keyset) struct token_keyset *set = keys;
	struct token_jws jws;

	ck_assert_ptr_nonnull(ctx);
	if (!set)
		return false;
	if (token_jws_parse(ctx, token, &jws) != BASE_REASON_OK)
		return false;
	for (size_t i = 0; i < token_keyset_count(set); i++) {
		const struct token_key *k = token_keyset_at(set, i);

		if (matches(&jws, k) && token_jws_verify(ctx, &jws, k) == BASE_REASON_OK)
			return true;
	}
	return false;
}

static const struct exception *find_exception(enum file file, int tc)
{
	for (size_t i = 0; i < sizeof(EXCEPTIONS) / sizeof(EXCEPTIONS[0]); i++)
		if (EXCEPTIONS[i].file == file && EXCEPTIONS[i].tc == tc)
			return &EXCEPTIONS[i];
	return NULL;
}

static bool is_secret(const json_t *key)
{
	return span_is(token_json_text(key, "kty", 8), "oct");
}

static void run_case(enum file file, const json_t *key, const json_t *test, struct tally *tally)
{
	const json_t *jws = json_object_get(test, "jws");
	int tc = (int)json_integer_value(json_object_get(test, "tcId"));
	bool valid = !strcmp(json_string_value(json_object_get(test, "result")), "valid");
	const struct exception *exception = find_exception(file, tc);
	/* One case is an object: the JSON serialisation. */
	cleanup(free) char *object = json_is_object(jws) ? json_dumps(jws, JSON_COMPACT) : NULL;
	struct span token =
		object ? span_of(object)
		       : (struct span){.p = json_string_value(jws), .n = json_string_length(jws)};
	bool accepted;

	/* The crypto file holds JWEs as well. */
	if (!jws)
		return;
	accepted = accepts(set_of(key), token);
	if (is_secret(key))
		ck_assert_msg(!accepted, "%s %d: symmetric key accepted", NAMES[file], tc);
	accepted |= accepts(secret_of(key), token);
	tally->run++;
	tally->accepted += accepted;
	tally->exceptions += exception != NULL;
	if (exception)
		ck_assert_msg(accepted != valid, "%s %d is no exception any more (%s)", NAMES[file],
			tc, exception->why);
	else
		ck_assert_msg(accepted == valid, "%s %d (%s): label %s, ours %d", NAMES[file], tc,
			json_string_value(json_object_get(test, "comment")),
			valid ? "valid" : "invalid", accepted);
}

static struct tally run_file(enum file file)
{
	cleanup(json) json_t *json = load(NAMES[file]);
	struct tally tally = {0};
	size_t i, k;
	json_t *group, *test;

	json_array_foreach (json_object_get(json, "testGroups"), i, group) {
		const json_t *key = json_object_get(group, "public");

		if (!key)
			key = json_object_get(group, "private");
		json_array_foreach (json_object_get(group, "tests"), k, test)
			run_case(file, key, test, &tally);
	}
	return tally;
}

static int n_exceptions(enum file file)
{
	int n = 0;

	for (size_t i = 0; i < sizeof(EXCEPTIONS) / sizeof(EXCEPTIONS[0]); i++)
		n += EXCEPTIONS[i].file == file;
	return n;
}

START_TEST(wycheproof)
{
	/* Goal: every JWS in Wycheproof's three files gets the labelled answer, or a listed one. */
	static const struct {
		enum file file;
		int run, accepted;
	} FILES[] = {
		{JWS_FILE, 401, 46 - 6 + 2},
		{JWK_FILE, 26, 5 - 1},
		{CRYPTO_FILE, 49, 4 - 1},
	};
	struct tally tally;

	if (no_vectors())
		return;
	tally = run_file(FILES[_i].file);
	printf("%s: %d cases, %d accepted, %d listed exceptions\n", NAMES[FILES[_i].file],
		tally.run, tally.accepted, tally.exceptions);
	fflush(stdout);
	ck_assert_int_eq(tally.run, FILES[_i].run);
	ck_assert_int_eq(tally.accepted, FILES[_i].accepted);
	/* Each listed number really is in the file. */
	ck_assert_int_eq(tally.exceptions, n_exceptions(FILES[_i].file));
}
END_TEST

static const struct {
	const char *file;
	bool accepted;
	const char *why;
} COOKBOOK[] = {
	{"cookbook/jws/4_1.rsa_v15_signature.json", true, "RS256"},
	{"cookbook/jws/4_2.rsa-pss_signature.json", true, "PS384"},
	{"cookbook/jws/4_3.ecdsa_signature.json", true, "ES512"},
	{"cookbook/jws/4_4.hmac-sha2_integrity_protection.json", true, "HS256"},
	{"cookbook/jws/4_5.signature_with_detached_content.json", false,
		"the payload is elsewhere"},
	{"cookbook/curve25519/jws.json", true, "EdDSA"},
	{"cookbook/rfc7797/hmac-sha2_b64_false.json", false, "crit and b64 (RFC 7797)"},
};

/* The example's own algorithm, where its key does not say one. */
static json_t *cookbook_key(const json_t *example)
{
	json_t *key = json_deep_copy(json_object_get(json_object_get(example, "input"), "key"));
	json_t *alg = json_object_get(json_object_get(example, "input"), "alg");

	json_object_set(key, "alg", alg);
	return key;
}

START_TEST(cookbook)
{
	/* Goal: the compact examples of RFC 7520 4, 8037 and 7797 are accepted, or refused by design. */
	if (no_vectors())
		return;

	cleanup(json) json_t *example = load(COOKBOOK[_i].file);
	cleanup(json) json_t *key = cookbook_key(example);
	const char *compact =
		json_string_value(json_object_get(json_object_get(example, "output"), "compact"));

	ck_assert_ptr_nonnull(compact);
	ck_assert_msg(accepts(is_secret(key) ? secret_of(key) : set_of(key), span_of(compact)) ==
			      COOKBOOK[_i].accepted,
		"%s: %s", COOKBOOK[_i].file, COOKBOOK[_i].why);
}
END_TEST

START_TEST(cookbook_json)
{
	/* Goal: the JSON serialisations, also those without a compact form, are malformed tokens. */
	static const char *const FILES[] = {
		"cookbook/jws/4_1.rsa_v15_signature.json",
		"cookbook/jws/4_6.protecting_specific_header_fields.json",
		"cookbook/jws/4_7.protecting_content_only.json",
		"cookbook/jws/4_8.multiple_signatures.json",
		"cookbook/rfc7797/4.2.hmac-sha2_b64_false.json",
	};
	struct token_jws jws;

	if (no_vectors())
		return;

	cleanup(token_ctx) struct token_ctx *ctx = token_ctx_new();
	cleanup(json) json_t *example = load(FILES[_i]);
	cleanup(free) char *text = json_dumps(
		json_object_get(json_object_get(example, "output"), "json"), JSON_COMPACT);

	ASSERT_REASON(token_jws_parse(ctx, span_of(text), &jws), BASE_REASON_TOKEN_MALFORMED);
}
END_TEST

Suite *suite_vectors(void)
{
	Suite *suite = suite_create("vectors");
	TCase *tc = tcase_create("vectors");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, wycheproof, 0, 3);
	tcase_add_loop_test(tc, cookbook, 0, 7);
	tcase_add_loop_test(tc, cookbook_json, 0, 5);
	suite_add_tcase(suite, tc);
	return suite;
}
