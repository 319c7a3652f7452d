#include "token/jwk.h"

#include "base/wr.h"
#include "token/b64.h"
#include "token/json.h"
#include "token/pkey.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

/* The largest number: an RSA modulus with its leading zero. */
#define NUMBER_MAX (TOKEN_RSA_MAX_BITS / 8 + 1)
#define NUMBERS    2

/* What the file says of one kty: which members are its numbers. */
static const struct kty_row {
	const char *name;
	const char *numbers[NUMBERS];
} KTYS[] = {
	[TOKEN_KTY_RSA] = {"RSA", {"n", "e"}},
	[TOKEN_KTY_EC] = {"EC", {"x", "y"}},
	[TOKEN_KTY_OKP] = {"OKP", {"x"}},
};
static_assert(ARRAY_SIZE(KTYS) == TOKEN_KTY_OKP + 1, "one row per kty");

static enum token_jwk_result say(
	enum token_jwk_result result, char why[TOKEN_JWK_WHY], const char *text)
{
	snprintf(why, TOKEN_JWK_WHY, "%s", text);
	return result;
}

static bool has_private_member(const json_t *jwk)
{
	static const char *const MEMBERS[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};

	for (size_t i = 0; i < ARRAY_SIZE(MEMBERS); i++)
		if (json_object_get(jwk, MEMBERS[i]))
			return true;
	return false;
}

static int find_kty(struct span name)
{
	for (size_t i = 0; i < ARRAY_SIZE(KTYS); i++)
		if (span_is(name, KTYS[i].name))
			return (int)i;
	return -1;
}

/* RFC 7517 4.2. In a SPIFFE bundle every key says what it is for (SPIFFE JWT-SVID 4). */
static enum token_jwk_result check_use(const json_t *jwk, bool svid, char why[TOKEN_JWK_WHY])
{
	const json_t *use = json_object_get(jwk, "use");
	struct span text = token_json_text(jwk, "use", 32);

	if (use && !json_is_string(use))
		return say(TOKEN_JWK_BAD, why, "use is not a string");
	if (svid && !span_is(text, "jwt-svid"))
		return say(TOKEN_JWK_SKIPPED, why, "use is not jwt-svid");
	if (!svid && use && !span_is(text, "sig"))
		return say(TOKEN_JWK_SKIPPED, why, "use is not sig");
	return TOKEN_JWK_USED;
}

/* RFC 7517 4.3 */
static enum token_jwk_result check_ops(const json_t *jwk, char why[TOKEN_JWK_WHY])
{
	const json_t *ops = json_object_get(jwk, "key_ops");
	bool may_verify = false;

	if (!ops)
		return TOKEN_JWK_USED;
	if (!json_is_array(ops))
		return say(TOKEN_JWK_BAD, why, "key_ops is not an array");
	for (size_t i = 0; i < json_array_size(ops); i++) {
		const json_t *op = json_array_get(ops, i);

		if (!json_is_string(op))
			return say(TOKEN_JWK_BAD, why, "key_ops holds something else than text");
		may_verify |= !strcmp(json_string_value(op), "verify");
	}
	return may_verify ? TOKEN_JWK_USED
			  : say(TOKEN_JWK_SKIPPED, why, "key_ops does not say verify");
}

static enum token_jwk_result check_kid(const json_t *jwk, char why[TOKEN_JWK_WHY])
{
	const json_t *kid = json_object_get(jwk, "kid");

	if (!kid)
		return TOKEN_JWK_USED;
	if (!json_is_string(kid))
		return say(TOKEN_JWK_BAD, why, "kid is not a string");
	if (json_string_length(kid) > TOKEN_KID_MAX)
		return say(TOKEN_JWK_BAD, why, "kid is longer than 256 bytes");
	return TOKEN_JWK_USED;
}

static bool fits(enum token_alg alg, enum token_kty kty, struct span crv)
{
	const struct token_alg_info *info = token_alg_info(alg);

	return info->kty == kty && (!info->crv || span_is(crv, info->crv));
}

/* RFC 8725bis 3.1: what the key says; without a word, the first that its type and the list leave. */
static enum token_jwk_result bind_alg(const json_t *jwk, enum token_kty kty, uint32_t algs,
	enum token_alg *ret_alg, char why[TOKEN_JWK_WHY])
{
	const json_t *alg = json_object_get(jwk, "alg");
	struct span crv = token_json_text(jwk, "crv", 32);
	int named = token_alg_find(token_json_text(jwk, "alg", 32));

	if (alg && !json_is_string(alg))
		return say(TOKEN_JWK_BAD, why, "alg is not a string");
	if (alg && (named < 0 || !(algs & TOKEN_ALG_BIT(named))))
		return say(TOKEN_JWK_SKIPPED, why, "alg is unknown or not on the provider's list");
	if (alg && !fits((enum token_alg)named, kty, crv))
		return say(TOKEN_JWK_BAD, why, "alg does not fit kty and crv");
	if (alg) {
		*ret_alg = (enum token_alg)named;
		return TOKEN_JWK_USED;
	}
	for (unsigned i = 0; i < TOKEN_ALGS; i++) {
		if (!(algs & TOKEN_ALG_BIT(i)) || !fits(i, kty, crv))
			continue;
		*ret_alg = i;
		return TOKEN_JWK_USED;
	}
	return say(TOKEN_JWK_SKIPPED, why, "no algorithm of the provider's list fits kty and crv");
}

struct number {
	uint8_t bytes[NUMBER_MAX];
	struct span span;
};

static bool read_number(const json_t *jwk, const char *name, struct number *ret_number)
{
	const json_t *text = json_object_get(jwk, name);
	struct wr w = wr_of(ret_number->bytes, sizeof(ret_number->bytes));

	if (!json_is_string(text) || !json_string_length(text))
		return false;
	if (token_b64_decode(
		    (struct span){.p = json_string_value(text), .n = json_string_length(text)}, &w))
		return false;
	ret_number->span = (struct span){.p = (const char *)w.start, .n = wr_len(&w)};
	return true;
}

static int build(enum token_alg alg, const struct number numbers[NUMBERS], EVP_PKEY **ret_pkey,
	const char **ret_why)
{
	switch (token_alg_info(alg)->kty) {
	case TOKEN_KTY_RSA:
		return token_pkey_rsa(numbers[0].span, numbers[1].span, ret_pkey, ret_why);
	case TOKEN_KTY_EC:
		return token_pkey_ec(alg, numbers[0].span, numbers[1].span, ret_pkey, ret_why);
	case TOKEN_KTY_OKP:
		return token_pkey_ed25519(numbers[0].span, ret_pkey, ret_why);
	case TOKEN_KTY_OCT:
		break;
	}
	*ret_why = "unknown kty";
	return -EINVAL;
}

static enum token_jwk_result make_key(
	const json_t *jwk, enum token_alg alg, EVP_PKEY **ret_pkey, char why[TOKEN_JWK_WHY])
{
	const struct kty_row *row = &KTYS[token_alg_info(alg)->kty];
	struct number numbers[NUMBERS] = {0};
	const char *text = NULL;
	int r;

	for (size_t i = 0; i < NUMBERS && row->numbers[i]; i++)
		if (!read_number(jwk, row->numbers[i], &numbers[i]))
			return say(TOKEN_JWK_BAD, why, "a number is missing or not base64url");
	r = build(alg, numbers, ret_pkey, &text);
	if (r == -ENOMEM)
		return say(TOKEN_JWK_NO_MEMORY, why, "out of memory");
	return r ? say(TOKEN_JWK_BAD, why, text) : TOKEN_JWK_USED;
}

/* What can be said without looking at the numbers. */
static enum token_jwk_result check_members(const json_t *jwk, bool svid, char why[TOKEN_JWK_WHY])
{
	enum token_jwk_result r;

	if (!json_is_string(json_object_get(jwk, "kty")))
		return say(TOKEN_JWK_BAD, why, "not an object with a kty");
	if (span_is(token_json_text(jwk, "kty", 32), "oct"))
		return say(TOKEN_JWK_SYMMETRIC, why, "symmetric key");
	if (has_private_member(jwk))
		return say(TOKEN_JWK_PRIVATE, why, "private key is published");
	r = check_use(jwk, svid, why);
	if (r == TOKEN_JWK_USED)
		r = check_ops(jwk, why);
	if (r == TOKEN_JWK_USED)
		r = check_kid(jwk, why);
	return r;
}

enum token_jwk_result token_jwk_parse(
	const json_t *jwk, uint32_t algs, struct token_key *ret_key, char ret_why[TOKEN_JWK_WHY])
{
	const json_t *kid = json_object_get(jwk, "kid");
	enum token_jwk_result r = check_members(jwk, algs & TOKEN_KEYS_SVID, ret_why);
	struct token_key key = {0};
	int kty;

	if (r != TOKEN_JWK_USED)
		return r;
	kty = find_kty(token_json_text(jwk, "kty", 32));
	if (kty < 0)
		return say(TOKEN_JWK_SKIPPED, ret_why, "unknown kty");
	r = bind_alg(jwk, (enum token_kty)kty, algs, &key.alg, ret_why);
	if (r == TOKEN_JWK_USED)
		r = make_key(jwk, key.alg, &key.pkey, ret_why);
	if (r != TOKEN_JWK_USED)
		return r;
	if (kid)
		key.kid = (struct span){.p = json_string_value(kid), .n = json_string_length(kid)};
	*ret_key = key;
	return TOKEN_JWK_USED;
}
