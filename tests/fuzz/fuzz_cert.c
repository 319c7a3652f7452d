/*
 * A stranger's certificate and chain under a fixed authority. Nobody here can
 * sign, so what is vouched for has the serial number of a seed. Input: the
 * length of the certificate in two bytes, the certificate, the chain.
 */
#include "tests/fuzz/fuzz.h"

#include "tests/fuzz/cert_root.h"
#include "token/bundle.h"
#include "token/json.h"

#include <string.h>

#define NOW_S INT64_C(1900000000)

/* Those that the authority, or the one below it, signed for callers. */
static const char *const SERIALS[] = {"12", "13", "14", "15", "18"};

static struct token_bundle *bundle;

static void start(void)
{
	char why[TOKEN_BUNDLE_WHY];

	if (!bundle)
		FUZZ_CHECK(!token_bundle_parse(SPAN(CERT_ROOT), &bundle, why));
}

static void check_names(const json_t *names)
{
	FUZZ_CHECK(json_is_array(names) && json_array_size(names) <= TOKEN_CERT_NAMES_MAX);
	for (size_t i = 0; i < json_array_size(names); i++) {
		struct span text = token_json_text_of(json_array_get(names, i));

		FUZZ_CHECK(text.n > 0 && text.n <= TOKEN_CERT_TEXT_MAX);
		for (size_t k = 0; k < text.n; k++)
			FUZZ_CHECK(text.p[k] >= 0x20 && text.p[k] <= 0x7e);
	}
}

static void check_claims(const json_t *claims)
{
	static const char *const LISTS[] = {"uri", "dns", "email", "ip"};

	for (size_t i = 0; i < ARRAY_SIZE(LISTS); i++)
		check_names(json_object_get(claims, LISTS[i]));
	FUZZ_CHECK(json_string_length(json_object_get(claims, "fingerprint")) == 64);
	FUZZ_CHECK(json_string_length(json_object_get(claims, "subject")) <= TOKEN_CERT_TEXT_MAX);
	FUZZ_CHECK(json_integer_value(json_object_get(claims, "exp")) >= 0);
}

static void check_vouched(const json_t *claims, int64_t until)
{
	const char *serial = json_string_value(json_object_get(claims, "serial"));
	size_t known = 0;

	for (size_t i = 0; i < ARRAY_SIZE(SERIALS); i++)
		known += !strcmp(serial, SERIALS[i]);
	FUZZ_CHECK(known == 1 && until > NOW_S);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const DOMAINS[] = {NULL, "example.org"};
	struct span der, chain;
	json_t *claims = NULL;
	enum base_reason reason;
	size_t n;

	start();
	if (size < 2)
		return 0;
	n = (size_t)data[0] << 8 | data[1];
	n = n < size - 2 ? n : size - 2;
	der = (struct span){(const char *)data + 2, n};
	chain = (struct span){der.p + n, size - 2 - n};
	reason = token_cert_parse(der, &claims);
	FUZZ_CHECK(reason == BASE_REASON_OK || reason == BASE_REASON_CERT_MALFORMED);
	FUZZ_CHECK((reason == BASE_REASON_OK) == (claims != NULL));
	for (size_t i = 0; claims && i < ARRAY_SIZE(DOMAINS); i++) {
		int64_t until = 0;

		check_claims(claims);
		reason = token_bundle_verify(bundle, der, chain, claims, DOMAINS[i], NOW_S, &until);
		FUZZ_CHECK(reason != BASE_REASON_INTERNAL);
		if (reason == BASE_REASON_OK)
			check_vouched(claims, until);
	}
	json_decref(claims);
	return 0;
}
