#include "tests/unit/ctl/program.h"
#include "tests/unit/ctl/suites.h"

#include "base/mem.h"

#include <jansson.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>
#include <time.h>

/* PEM text of a new private key; the caller frees. */
static char *pem_of(EVP_PKEY *pkey)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;
	char *pem;
	long n;

	ck_assert(pkey && bio);
	ck_assert_int_eq(PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL), 1);
	n = BIO_get_mem_data(bio, &data);
	pem = strndup(data, (size_t)n);
	BIO_free(bio);
	EVP_PKEY_free(pkey);
	return pem;
}

/* One base64url part of a token as JSON. */
static json_t *part_of(const char *text, size_t n)
{
	unsigned char bytes[2048];
	char padded[2048] = "";
	json_t *json;
	int len;

	ck_assert_uint_lt(n, sizeof(padded) - 4);
	for (size_t i = 0; i < n; i++)
		padded[i] = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];
	for (size_t i = n; i % 4; i++)
		padded[i] = '=';
	len = EVP_DecodeBlock(bytes, (unsigned char *)padded, (int)strlen(padded));
	ck_assert_int_gt(len, 0);
	while (bytes[len - 1] == '\0')
		len--;
	json = json_loadb((char *)bytes, (size_t)len, 0, NULL);
	ck_assert_ptr_nonnull(json);
	return json;
}

START_TEST(mint)
{
	/* Goal: the token has the kid, the claims that were asked for, and the clock's times. */
	cleanup(free) char *pem = pem_of(EVP_EC_gen("P-256"));
	const char *file = program_file(pem);
	struct program_result r;
	time_t before = time(NULL);

	PROGRAM_RUN(&r, "token", "mint", "--alg", "ES256", "--key", file, "--kid", "k1", "--iss",
		"https://i", "--sub", "me", "--aud", "a", "--aud", "b", "--ttl", "2m", "--claims",
		"{\"groups\":[\"x\"]}");
	program_files_done();
	ck_assert_msg(r.code == 0, "%s", r.err);

	size_t head = strcspn(r.out, ".");
	size_t body = strcspn(r.out + head + 1, ".");
	json_t *header = part_of(r.out, head);
	json_t *claims = part_of(r.out + head + 1, body);
	json_t *wanted = json_pack("{s:s,s:s,s:[ss],s:[s]}", "iss", "https://i", "sub", "me", "aud",
		"a", "b", "groups", "x");
	json_int_t iat = json_integer_value(json_object_get(claims, "iat"));

	ck_assert_str_eq(json_string_value(json_object_get(header, "kid")), "k1");
	ck_assert_str_eq(json_string_value(json_object_get(header, "alg")), "ES256");
	ck_assert_int_ge(iat, before);
	ck_assert_int_le(iat, time(NULL));
	ck_assert_int_eq(json_integer_value(json_object_get(claims, "exp")), iat + 120);
	json_object_del(claims, "iat");
	json_object_del(claims, "exp");
	ck_assert(json_equal(claims, wanted));
	ck_assert_int_eq(r.out[strlen(r.out) - 1], '\n');
	json_decref(header);
	json_decref(claims);
	json_decref(wanted);
}
END_TEST

START_TEST(mint_fails)
{
	/* Goal: a key that is missing, not one, or of another kind is exit 1 and no token. */
	cleanup(free) char *pem = pem_of(EVP_EC_gen("P-256"));
	const char *good = program_file(pem);
	const char *bad = program_file("not a key\n");
	const struct {
		const char *alg, *file, *err;
	} rows[] = {
		{"ES256", "/nonexistent/key", "No such file"},
		{"ES256", bad, "do not go together"},
		{"RS256", good, "do not go together"},
		{"none", good, "do not go together"},
		{"XX1", good, "do not go together"},
	};
	struct program_result r;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		PROGRAM_RUN(&r, "token", "mint", "--alg", rows[i].alg, "--key", rows[i].file);
		ck_assert_int_eq(r.code, 1);
		ck_assert_str_eq(r.out, "");
		ck_assert_msg(strstr(r.err, rows[i].err), "%s", r.err);
		ck_assert_ptr_null(strstr(r.err, "PRIVATE"));
	}
	program_files_done();
}
END_TEST

static void check_jwk(const json_t *jwk, const char *kty, const char *kid, const char *alg)
{
	const char *found_kid = json_string_value(json_object_get(jwk, "kid"));

	ck_assert_str_eq(json_string_value(json_object_get(jwk, "kty")), kty);
	ck_assert_str_eq(json_string_value(json_object_get(jwk, "alg")), alg);
	ck_assert_str_eq(found_kid ? found_kid : "", kid);
	ck_assert_ptr_null(json_object_get(jwk, "d"));
	ck_assert_ptr_null(json_object_get(jwk, "p"));
}

START_TEST(jwk)
{
	/* Goal: one key prints a JWK, --set or several a set; never anything private. */
	cleanup(free) char *ec = pem_of(EVP_EC_gen("P-384"));
	cleanup(free) char *rsa = pem_of(EVP_RSA_gen(2048));
	const char *ec_file = program_file(ec);
	const char *rsa_file = program_file(rsa);
	struct program_result r;
	json_t *json, *keys;

	PROGRAM_RUN(&r, "token", "jwk", "--kid", "e", "--key", ec_file);
	ck_assert_msg(r.code == 0, "%s", r.err);
	json = json_loads(r.out, 0, NULL);
	check_jwk(json, "EC", "e", "ES384");
	json_decref(json);

	PROGRAM_RUN(&r, "token", "jwk", "--key", ec_file, "--set");
	json = json_loads(r.out, 0, NULL);
	keys = json_object_get(json, "keys");
	ck_assert_uint_eq(json_array_size(keys), 1);
	check_jwk(json_array_get(keys, 0), "EC", "", "ES384");
	json_decref(json);

	PROGRAM_RUN(&r, "token", "jwk", "--key", ec_file, "--kid", "e", "--key", rsa_file, "--kid",
		"r", "--alg", "PS256");
	json = json_loads(r.out, 0, NULL);
	keys = json_object_get(json, "keys");
	ck_assert_uint_eq(json_array_size(keys), 2);
	check_jwk(json_array_get(keys, 0), "EC", "e", "ES384");
	check_jwk(json_array_get(keys, 1), "RSA", "r", "PS256");
	json_decref(json);
	program_files_done();
}
END_TEST

START_TEST(jwk_fails)
{
	/* Goal: one bad key among good ones is exit 1 and no half set. */
	cleanup(free) char *pem = pem_of(EVP_EC_gen("P-256"));
	const char *good = program_file(pem);
	const char *bad = program_file("nothing\n");
	struct program_result r;

	PROGRAM_RUN(&r, "token", "jwk", "--key", good, "--key", bad);
	ck_assert_int_eq(r.code, 1);
	ck_assert_str_eq(r.out, "");
	PROGRAM_RUN(&r, "token", "jwk", "--key", good, "--alg", "RS256");
	ck_assert_int_eq(r.code, 1);
	ck_assert_ptr_nonnull(strstr(r.err, "for RS256"));
	program_files_done();
}
END_TEST

Suite *suite_token(void)
{
	Suite *s = suite_create("ctl/token");
	TCase *tc = tcase_create("token");

	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, mint);
	tcase_add_test(tc, mint_fails);
	tcase_add_test(tc, jwk);
	tcase_add_test(tc, jwk_fails);
	suite_add_tcase(s, tc);
	return s;
}
