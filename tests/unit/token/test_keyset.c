#include "tests/unit/token/keys.h"
#include "tests/unit/token/suites.h"

#include "token/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define RSA_ALGS                                                                                   \
	(TOKEN_ALG_BIT(TOKEN_RS256) | TOKEN_ALG_BIT(TOKEN_PS256) | TOKEN_ALG_BIT(TOKEN_RS512))
#define ALL_ALGS (TOKEN_ALG_BIT(TOKEN_ALGS) - 1)

/* One changed member: value is JSON, NULL removes it. */
static const struct change {
	enum token_alg base;
	const char *name;
	const char *value;
	const char *counted; /* used, skipped, bad, private or symmetric */
} CHANGES[] = {
	{TOKEN_RS256, "use", "\"enc\"", "skipped"},
	{TOKEN_RS256, "use", "\"jwt-svid\"", "skipped"},
	{TOKEN_RS256, "use", NULL, "used"},
	{TOKEN_RS256, "use", "1", "bad"},
	{TOKEN_RS256, "key_ops", "[\"sign\",\"verify\"]", "used"},
	{TOKEN_RS256, "key_ops", "[\"encrypt\"]", "skipped"},
	{TOKEN_RS256, "key_ops", "[]", "skipped"},
	{TOKEN_RS256, "key_ops", "[1]", "bad"},
	{TOKEN_RS256, "key_ops", "\"verify\"", "bad"},
	{TOKEN_RS256, "d", "\"AQAB\"", "private"},
	{TOKEN_ES256, "d", "\"AQAB\"", "private"},
	{TOKEN_EDDSA, "d", "1", "private"},
	{TOKEN_RS256, "oth", "[]", "private"},
	{TOKEN_RS256, "kty", "\"oct\"", "symmetric"},
	{TOKEN_RS256, "kty", "\"XYZ\"", "skipped"},
	{TOKEN_RS256, "kty", NULL, "bad"},
	{TOKEN_RS256, "kty", "\"EC\"", "bad"},
	{TOKEN_RS256, "alg", "\"RS1\"", "skipped"},
	{TOKEN_RS256, "alg", "\"ES256\"", "bad"},
	{TOKEN_RS256, "alg", "\"HS256\"", "bad"},
	{TOKEN_ES256, "alg", "\"HS256\"", "bad"},
	{TOKEN_RS256, "alg", "5", "bad"},
	{TOKEN_RS256, "alg", NULL, "used"},
	{TOKEN_RS256, "kid", "5", "bad"},
	{TOKEN_RS256, "kid", NULL, "used"},
	{TOKEN_RS256, "e", "\"AQ\"", "bad"},
	{TOKEN_RS256, "e", "\"Ag\"", "bad"},
	{TOKEN_RS256, "e", "\"AA\"", "bad"},
	{TOKEN_RS256, "e", "\"Aw\"", "used"},
	{TOKEN_RS256, "e", "\"AQAAAAAAAAAB\"", "bad"},
	{TOKEN_RS256, "e", "\"AQAB=\"", "bad"},
	{TOKEN_RS256, "e", "\"AQAC\"", "bad"},
	{TOKEN_RS256, "e", "\"\"", "bad"},
	{TOKEN_RS256, "e", NULL, "bad"},
	{TOKEN_RS256, "n", "\"AQAB\"", "bad"},
	{TOKEN_RS256, "n", "[1]", "bad"},
	{TOKEN_RS256, "x5c", "[\"anything\"]", "used"},
	{TOKEN_ES256, "crv", "\"P-384\"", "bad"},
	{TOKEN_ES256, "crv", "\"secp256k1\"", "bad"},
	{TOKEN_ES256, "crv", NULL, "bad"},
	{TOKEN_ES256, "alg", "\"ES384\"", "bad"},
	{TOKEN_ES256, "alg", "\"ES512\"", "bad"},
	{TOKEN_ES256, "alg", NULL, "used"},
	{TOKEN_ES256, "x", "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"", "bad"},
	{TOKEN_ES256, "y", "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"", "bad"},
	{TOKEN_ES384, "x", "\"AQAB\"", "bad"},
	{TOKEN_ES512, "y", "\"AQAB\"", "bad"},
	{TOKEN_EDDSA, "x", "\"AQAB\"", "bad"},
	{TOKEN_EDDSA, "crv", "\"Ed448\"", "bad"},
	{TOKEN_EDDSA, "crv", "\"X25519\"", "bad"},
	{TOKEN_EDDSA, "alg", "\"Ed25519\"", "used"},
	{TOKEN_EDDSA, "alg", NULL, "used"},
};

static const char *counted(const struct token_keyset_stats *stats)
{
	ck_assert_uint_eq(stats->n_used + stats->n_skipped + stats->n_bad + stats->n_private +
				  stats->n_symmetric,
		1);
	if (stats->n_used)
		return "used";
	if (stats->n_skipped)
		return "skipped";
	if (stats->n_bad)
		return "bad";
	return stats->n_private ? "private" : "symmetric";
}

START_TEST(changed_member)
{
	/* Goal: attack rows 2, 3, 15, 16, 29 and 30: each changed JWK is counted as what it is. */
	const struct change *c = &CHANGES[_i];
	json_t *jwk = test_key_jwk(test_key_of(c->base), "k");
	cleanup(token_keyset) struct token_keyset *set = NULL;
	struct token_keyset_stats stats;
	int r;

	if (c->value)
		json_object_set_new(jwk, c->name, json_loads(c->value, JSON_DECODE_ANY, NULL));
	else
		json_object_del(jwk, c->name);

	cleanup(free) char *text = test_jwks(jwk, NULL);

	r = token_keyset_parse(span_of(text), ALL_ALGS, &set, &stats);
	ck_assert_msg(!strcmp(counted(&stats), c->counted), "%s=%s: %s, not %s (%s)", c->name,
		c->value, counted(&stats), c->counted, stats.why);
	ck_assert_int_eq(r, stats.n_used ? 0 : -ENOKEY);
	ck_assert_int_eq(!stats.why[0], stats.n_used);
	ck_assert_int_eq(!set, !stats.n_used);
}
END_TEST

START_TEST(every_alg)
{
	/* Goal: a key of each algorithm is used, bound to it, and found with its kid. */
	cleanup(token_keyset) struct token_keyset *set = test_keyset(test_key_of(_i), "the-kid");
	const struct token_key *key = token_keyset_at(set, 0);

	ck_assert_uint_eq(token_keyset_count(set), 1);
	ck_assert_int_eq(key->alg, _i);
	ck_assert(span_is(key->kid, "the-kid"));
	ck_assert_int_eq(EVP_PKEY_eq(key->pkey, test_key_of(_i)->pkey), 1);
	ck_assert_ptr_null(token_keyset_at(set, 1));
}
END_TEST

START_TEST(alg_not_named)
{
	/* Goal: attack row 3: without alg, the allow-list and the type leave exactly one. */
	static const struct {
		enum token_alg key;
		uint32_t algs;
		int want;
	} CASES[] = {
		{TOKEN_RS256, RSA_ALGS, TOKEN_RS256},
		{TOKEN_RS256, TOKEN_ALG_BIT(TOKEN_PS384) | TOKEN_ALG_BIT(TOKEN_ES256), TOKEN_PS384},
		{TOKEN_RS256, TOKEN_ALG_BIT(TOKEN_ES256), -1},
		{TOKEN_ES384, ALL_ALGS, TOKEN_ES384},
		{TOKEN_ES384, TOKEN_ALG_BIT(TOKEN_ES256), -1},
		{TOKEN_EDDSA, ALL_ALGS, TOKEN_EDDSA},
		{TOKEN_EDDSA, TOKEN_ALG_BIT(TOKEN_ED25519), TOKEN_ED25519},
	};
	json_t *jwk = test_key_jwk(test_key_of(CASES[_i].key), NULL);
	cleanup(token_keyset) struct token_keyset *set = NULL;
	int r;

	json_object_del(jwk, "alg");

	cleanup(free) char *text = test_jwks(jwk, NULL);

	r = token_keyset_parse(span_of(text), CASES[_i].algs, &set, NULL);
	if (CASES[_i].want < 0) {
		ck_assert_int_eq(r, -ENOKEY);
		return;
	}
	ck_assert_int_eq(r, 0);
	ck_assert_int_eq(token_keyset_at(set, 0)->alg, CASES[_i].want);
	ck_assert_uint_eq(token_keyset_at(set, 0)->kid.n, 0);
}
END_TEST

START_TEST(not_a_set)
{
	/* Goal: what is not a strict object with an array of keys is EBADMSG, and nothing is set. */
	static const char *const TEXTS[] = {"", "[]", "{}", "{\"keys\":{}}", "{\"keys\":[]} x",
		"{\"keys\":[],\"keys\":[]}", "{\"keys\":[{\"kty\":\"RSA\",\"kty\":\"RSA\"}]}",
		"{\"keys\":[[[[[[[[[]]]]]]]]]}"};
	struct token_keyset *set = NULL;
	struct token_keyset_stats stats;

	for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++) {
		ck_assert_msg(
			token_keyset_parse(span_of(TEXTS[i]), ALL_ALGS, &set, &stats) == -EBADMSG,
			"%s", TEXTS[i]);
		ck_assert_ptr_null(set);
		ck_assert(stats.why[0]);
	}
	ck_assert_int_eq(
		token_keyset_parse(SPAN("{\"keys\":[]}"), ALL_ALGS, &set, &stats), -ENOKEY);
	ck_assert_int_eq(token_keyset_parse(SPAN("{\"keys\":[1,null,[]]}"), ALL_ALGS, &set, &stats),
		-ENOKEY);
	ck_assert_uint_eq(stats.n_bad, 3);
}
END_TEST

static int parse_many(size_t n, size_t padding)
{
	json_t *keys = json_array();
	json_t *json = json_pack("{s:o}", "keys", keys);
	struct token_keyset *set = NULL;
	size_t length;
	char *text;
	int r;

	for (size_t i = 0; i < n; i++)
		json_array_append_new(keys, test_key_jwk(test_key_of(TOKEN_ES256), "k"));
	text = json_dumps(json, JSON_COMPACT);
	length = strlen(text);
	text = realloc(text, length + padding);
	memset(text + length, ' ', padding);
	r = token_keyset_parse(
		(struct span){.p = text, .n = length + padding}, ALL_ALGS, &set, NULL);
	if (!r)
		ck_assert_uint_eq(token_keyset_count(set), n);
	token_keyset_unref(set);
	json_decref(json);
	free(text);
	return r;
}

START_TEST(caps)
{
	/* Goal: attack row 29: 64 keys and 256 KiB are the limit, one more is refused. */
	cleanup(free) char *text = test_jwks(test_key_jwk(test_key_of(TOKEN_ES256), "k"), NULL);
	size_t n = strlen(text);

	ck_assert_int_eq(parse_many(64, 0), 0);
	ck_assert_int_eq(parse_many(65, 0), -EBADMSG);
	ck_assert_int_eq(parse_many(1, TOKEN_KEYSET_MAX_BYTES - n), 0);
	ck_assert_int_eq(parse_many(1, TOKEN_KEYSET_MAX_BYTES - n + 1), -EBADMSG);
}
END_TEST

START_TEST(kid_length)
{
	/* Goal: attack row 4: a kid of 256 bytes is kept whole, one of 257 is bad. */
	char kid[TOKEN_KID_MAX + 2];

	for (size_t n = TOKEN_KID_MAX; n <= TOKEN_KID_MAX + 1; n++) {
		memset(kid, 'k', n);
		kid[n] = '\0';

		cleanup(free) char *text =
			test_jwks(test_key_jwk(test_key_of(TOKEN_ES256), kid), NULL);
		cleanup(token_keyset) struct token_keyset *set = NULL;
		int r = token_keyset_parse(span_of(text), ALL_ALGS, &set, NULL);

		ck_assert_int_eq(r, n > TOKEN_KID_MAX ? -ENOKEY : 0);
		if (!r)
			ck_assert(span_is(token_keyset_at(set, 0)->kid, kid));
	}
}
END_TEST

START_TEST(prefixes)
{
	/* Goal: no strict prefix of a set is a set, read up to a guard page. */
	cleanup(free) char *text = test_jwks(test_key_jwk(test_key_of(TOKEN_ES256), "k"), NULL);
	struct token_keyset *set = NULL;

	for (size_t n = 0; n < strlen(text); n++)
		ck_assert_int_eq(token_keyset_parse((struct span){.p = guarded(text, n), .n = n},
					 ALL_ALGS, &set, NULL),
			-EBADMSG);
}
END_TEST

START_TEST(references)
{
	/* Goal: a set lives until its last reference goes; NULL is fine. */
	struct token_keyset *set = test_keyset(test_key_of(TOKEN_ES256), "k");

	ck_assert_ptr_eq(token_keyset_ref(set), set);
	token_keyset_unref(set);
	ck_assert_uint_eq(token_keyset_count(set), 1);
	token_keyset_unref(set);
	token_keyset_unref(NULL);
}
END_TEST

START_TEST(why)
{
	/* Goal: row 15: our own check of a coordinate's length speaks, not only OpenSSL's parser. */
	static const char *const NAMES[] = {"x", "y"};

	for (size_t i = 0; i < 2; i++) {
		json_t *jwk = test_key_jwk(test_key_of(TOKEN_ES256), "k");
		struct token_keyset *set = NULL;
		struct token_keyset_stats stats;

		json_object_set_new(jwk, NAMES[i], json_string("AQAB"));

		cleanup(free) char *text = test_jwks(jwk, NULL);

		ck_assert_int_eq(
			token_keyset_parse(span_of(text), ALL_ALGS, &set, &stats), -ENOKEY);
		ck_assert_str_eq(
			stats.why, "keys[0]: EC coordinate has not the length of its field");
	}
}
END_TEST

START_TEST(no_memory)
{
	/* Goal: promise 6: whichever allocation fails, the set is refused whole, never short of a key. */
	cleanup(free) char *text = test_jwks(test_key_jwk(test_key_of(TOKEN_RS256), "r"),
		test_key_jwk(test_key_of(TOKEN_ES256), "e"),
		test_key_jwk(test_key_of(TOKEN_EDDSA), "o"), NULL);
	cleanup(token_keyset) struct token_keyset *set = NULL;
	long n = 0;
	int r;

	/* What OpenSSL makes once and keeps is made now. */
	ck_assert_int_eq(token_keyset_parse(span_of(text), ALL_ALGS, &set, NULL), 0);
	token_keyset_unref(TAKE_PTR(set));
	do {
		allocations_left = n++;
		r = token_keyset_parse(span_of(text), ALL_ALGS, &set, NULL);
		allocations_left = -1;
		ck_assert_msg(!r || r == -ENOMEM, "allocation %ld: %d", n, r);
	} while (r && n < 10000);
	ck_assert_int_gt(n, 30);
	ck_assert_uint_eq(token_keyset_count(set), 3);
}
END_TEST

START_TEST(svid)
{
	/* Goal: of a SPIFFE bundle only keys that say jwt-svid count; x509-svid, sig and none do not. */
	static const char *const USES[] = {"\"jwt-svid\"", "\"x509-svid\"", "\"sig\"", NULL};

	for (size_t i = 0; i < 4; i++) {
		json_t *jwk = test_key_jwk(test_key_of(TOKEN_ES256), "k");
		cleanup(free) char *text = NULL;
		cleanup(token_keyset) struct token_keyset *set = NULL;

		json_object_del(jwk, "use");
		if (USES[i])
			json_object_set_new(jwk, "use", json_loads(USES[i], JSON_DECODE_ANY, NULL));
		text = test_jwks(jwk, NULL);
		ck_assert_int_eq(
			token_keyset_parse(span_of(text), ALL_ALGS | TOKEN_KEYS_SVID, &set, NULL),
			i ? -ENOKEY : 0);
	}
}
END_TEST

START_TEST(secrets)
{
	/* Goal: attack row 2: a secret is at least as long as the hash, and only for HS*. */
	static const struct {
		enum token_alg alg;
		size_t hash;
	} CASES[] = {{TOKEN_HS256, 32}, {TOKEN_HS384, 48}, {TOKEN_HS512, 64}};
	static const char BYTES[65] =
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

	for (size_t i = 0; i < 3; i++)
		for (size_t n = 0; n <= 64; n++) {
			struct token_keyset *set = NULL;
			int r = token_keyset_secret((struct span){BYTES, n}, CASES[i].alg, &set);

			ck_assert_int_eq(r, n < CASES[i].hash ? -EINVAL : 0);
			if (!r)
				ck_assert(token_keyset_at(set, 0)->print);
			token_keyset_unref(set);
		}
	for (unsigned alg = 0; alg < TOKEN_HS256; alg++) {
		struct token_keyset *set = NULL;

		ck_assert_int_eq(token_keyset_secret(SPAN(BYTES), alg, &set), -EINVAL);
	}
}
END_TEST

START_TEST(pem)
{
	/* Goal: keys from PEM files, one for each kid, gather in a set that never grows past 64. */
	cleanup(free) char *text = test_key_pem(test_key_of(TOKEN_ES256), false);
	cleanup(free) char *private = test_key_pem(test_key_of(TOKEN_ES256), true);
	struct token_keyset *set = NULL;
	const char *said = NULL;
	char kid[8];

	for (int i = 0; i < 70; i++) {
		struct token_keyset *grown = NULL;

		snprintf(kid, sizeof(kid), "k%d", i);
		ck_assert_int_eq(token_keyset_add_pem(
					 set, span_of(kid), span_of(text), ALL_ALGS, &grown, &said),
			0);
		token_keyset_unref(set);
		set = grown;
	}
	ck_assert_uint_eq(token_keyset_count(set), 64);
	ck_assert(span_is(token_keyset_at(set, 0)->kid, "k6"));
	ck_assert(span_is(token_keyset_at(set, 63)->kid, "k69"));
	ck_assert_int_eq(token_keyset_at(set, 63)->alg, TOKEN_ES256);
	for (int i = 0; i < 6; i++) {
		const struct {
			struct span kid, pem;
			uint32_t algs;
		} BAD[] = {
			{SPAN(""), span_of(text), ALL_ALGS},
			{SPAN("k"), span_of(private), ALL_ALGS},
			{SPAN("k"), span_of(text), RSA_ALGS},
			{SPAN("k"), SPAN("rubbish"), ALL_ALGS},
			{SPAN("k"), SPAN(""), ALL_ALGS},
			{SPAN("k"), {text, strlen(text) / 2}, ALL_ALGS},
		};
		struct token_keyset *grown = NULL;

		ck_assert_int_eq(token_keyset_add_pem(
					 set, BAD[i].kid, BAD[i].pem, BAD[i].algs, &grown, &said),
			-EBADMSG);
		ck_assert_ptr_null(grown);
		ck_assert_ptr_nonnull(said);
	}
	token_keyset_unref(set);
}
END_TEST

START_TEST(pem_replaces)
{
	/* Goal: a kid that is there gets the new key; the other keys stay. */
	struct test_key *other = test_key_new(TOKEN_ES256);
	cleanup(free) char *text = test_key_pem(other, false);
	cleanup(free) char *jwks = test_jwks(test_key_jwk(test_key_of(TOKEN_ES256), "a"),
		test_key_jwk(test_key_of(TOKEN_ES256), "b"), NULL);
	cleanup(token_keyset) struct token_keyset *set = NULL;
	cleanup(token_keyset) struct token_keyset *grown = NULL;
	const char *said;

	ck_assert_int_eq(token_keyset_parse(span_of(jwks), ALL_ALGS, &set, NULL), 0);
	ck_assert_int_eq(
		token_keyset_add_pem(set, SPAN("a"), span_of(text), ALL_ALGS, &grown, &said), 0);
	ck_assert_uint_eq(token_keyset_count(grown), 2);
	ck_assert(span_is(token_keyset_at(grown, 0)->kid, "b"));
	ck_assert(span_is(token_keyset_at(grown, 1)->kid, "a"));
	ck_assert_int_eq(EVP_PKEY_eq(token_keyset_at(grown, 1)->pkey, other->pkey), 1);
	test_key_free(other);
}
END_TEST

Suite *suite_keyset(void)
{
	Suite *suite = suite_create("keyset, jwk, pkey");
	TCase *tc = tcase_create("keyset");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, changed_member, 0, sizeof(CHANGES) / sizeof(CHANGES[0]));
	tcase_add_loop_test(tc, every_alg, 0, TOKEN_HS256);
	tcase_add_loop_test(tc, alg_not_named, 0, 7);
	tcase_add_test(tc, svid);
	tcase_add_test(tc, secrets);
	tcase_add_test(tc, pem);
	tcase_add_test(tc, pem_replaces);
	tcase_add_test(tc, not_a_set);
	tcase_add_test(tc, caps);
	tcase_add_test(tc, kid_length);
	tcase_add_test(tc, prefixes);
	tcase_add_test(tc, references);
	tcase_add_test(tc, why);
	tcase_add_test(tc, no_memory);
	suite_add_tcase(suite, tc);
	return suite;
}
