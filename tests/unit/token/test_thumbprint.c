#include "tests/unit/token/keys.h"
#include "tests/unit/token/suites.h"

#include "token/json.h"
#include "token/thumbprint.h"

#include <errno.h>
#include <stdlib.h>

static int of(const char *text, char ret[TOKEN_THUMBPRINT_CHARS + 1])
{
	cleanup(json) json_t *jwk = json_loads(text, 0, NULL);

	ck_assert_ptr_nonnull(jwk);
	return token_thumbprint(jwk, ret);
}

START_TEST(published)
{
	/* Goal: the thumbprints that RFC 7638 3.1, RFC 8037 A.3 and RFC 9449 6.1 print. */
	static const struct {
		const char *jwk, *want;
	} CASES[] = {
		{"{\"kty\":\"RSA\",\"n\":\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cb"
		 "bfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4"
		 "Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9"
		 "c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcR"
		 "wr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw\",\"e\":\"AQAB\","
		 "\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}",
			"NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"},
		{"{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
		 "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
			"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"},
		{"{\"kty\":\"EC\",\"x\":\"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs\","
		 "\"y\":\"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA\",\"crv\":\"P-256\"}",
			"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"},
	};
	char text[TOKEN_THUMBPRINT_CHARS + 1];

	ck_assert_int_eq(of(CASES[_i].jwk, text), 0);
	ck_assert_str_eq(text, CASES[_i].want);
}
END_TEST

START_TEST(refused)
{
	/* Goal: what has not one text has no thumbprint; the output stays as it was. */
	static const char *const CASES[] = {
		"{}",
		"[]",
		"{\"kty\":\"oct\",\"k\":\"AA\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":7}",
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"\"}",
		"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"a\\\"b\"}",
		"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"a\\\\b\"}",
		"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"\\u00fc\"}",
	};
	char text[TOKEN_THUMBPRINT_CHARS + 1] = "before";

	ck_assert_int_eq(of(CASES[_i], text), -EINVAL);
	ck_assert_str_eq(text, "before");
}
END_TEST

START_TEST(largest)
{
	/* Goal: a modulus of 8192 bits fits, a longer text does not run over. */
	cleanup(json) json_t *jwk = json_pack("{s:s, s:s}", "kty", "RSA", "e", "AQAB");
	char n[4000];
	char text[TOKEN_THUMBPRINT_CHARS + 1];

	memset(n, 'A', sizeof(n));
	for (size_t size = 1366; size < sizeof(n); size += 1000) {
		json_object_set_new(jwk, "n", json_stringn(n, size));
		ck_assert_int_eq(token_thumbprint(jwk, text), size < 2000 ? 0 : -EINVAL);
	}
}
END_TEST

Suite *suite_thumbprint(void)
{
	Suite *suite = suite_create("thumbprint");
	TCase *tcase = tcase_create("thumbprint");

	tcase_add_loop_test(tcase, published, 0, 3);
	tcase_add_loop_test(tcase, refused, 0, 9);
	tcase_add_test(tcase, largest);
	suite_add_tcase(suite, tcase);
	return suite;
}
