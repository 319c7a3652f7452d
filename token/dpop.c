#include "token/dpop.h"

#include "base/wr.h"
#include "token/b64.h"
#include "token/claims.h"
#include "token/json.h"
#include "token/jwk.h"
#include "token/memory.h"
#include "token/pkey.h"
#include "token/thumbprint.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/sha.h>

/* An RSA key of 8192 bits is 1.4 KiB; what a proof says besides is short. */
#define PROOF_MAX_BYTES 6144

#define HTU_MAX 4096

static enum base_reason refuse(const char *why, const char **ret_why)
{
	*ret_why = why;
	return BASE_REASON_DPOP_INVALID;
}

/* The header once more: token_jws_parse leaves jwk alone, as it must for every other token. */
static json_t *read_header(struct span proof)
{
	static const struct token_json_caps CAPS = {.depth = 4, .elements = 64};
	const char *dot = memchr(proof.p, '.', proof.n);
	char buffer[TOKEN_HEADER_MAX_BYTES];
	struct wr w = wr_of(buffer, sizeof(buffer));

	errno = EBADMSG;
	if (!dot || token_b64_decode((struct span){proof.p, (size_t)(dot - proof.p)}, &w))
		return NULL;
	return token_json_parse((struct span){buffer, wr_len(&w)}, CAPS);
}

static enum base_reason check_binding(const json_t *jwk, struct span jkt, const char **ret_why)
{
	char thumbprint[TOKEN_THUMBPRINT_CHARS + 1] = "";

	if (!json_is_object(jwk))
		return refuse("the header has no jwk", ret_why);
	if (token_thumbprint(jwk, thumbprint) == -ENOMEM)
		return BASE_REASON_INTERNAL;
	return span_is(jkt, thumbprint) ? BASE_REASON_OK
					: refuse("the token is bound to another key", ret_why);
}

/* Steps 4 to 7: the proof's own key is the token's, and made the signature. */
static enum base_reason check_key(struct token_ctx *ctx, const struct token_jws *jws,
	const json_t *jwk, struct span jkt, const char **ret_why)
{
	char why[TOKEN_JWK_WHY];
	struct token_key key = {0};
	enum token_jwk_result result;
	enum base_reason reason = check_binding(jwk, jkt, ret_why);

	if (reason != BASE_REASON_OK)
		return reason;
	token_memory_watch();
	result = token_jwk_parse(jwk, TOKEN_ALG_BIT(jws->alg), &key, why);
	if (result != TOKEN_JWK_USED && token_memory_failed())
		return BASE_REASON_INTERNAL;
	if (result == TOKEN_JWK_PRIVATE)
		return refuse("the jwk holds a private key", ret_why);
	if (result != TOKEN_JWK_USED)
		return refuse("the jwk is no public key for its alg", ret_why);

	cleanup(pkey) EVP_PKEY *pkey = key.pkey;

	reason = token_jws_verify(ctx, jws, &key);
	if (reason == BASE_REASON_OK || reason == BASE_REASON_INTERNAL)
		return reason;
	return refuse("the signature does not verify", ret_why);
}

static bool hash_of(struct span bytes, unsigned char ret_hash[SHA256_DIGEST_LENGTH])
{
	bool done = SHA256((const unsigned char *)bytes.p, bytes.n, ret_hash) != NULL;

	ERR_clear_error();
	return done;
}

static bool names_token(const json_t *claims, const unsigned char hash[SHA256_DIGEST_LENGTH])
{
	char text[TOKEN_THUMBPRINT_CHARS];
	struct wr w = wr_of(text, sizeof(text));

	token_b64_encode((struct span){(const char *)hash, SHA256_DIGEST_LENGTH}, &w);
	return span_eq(
		token_json_text(claims, "ath", sizeof(text)), (struct span){text, sizeof(text)});
}

/* Steps 8, 9, 11 and 12 less what only the caller knows. */
static const char *why_not(const struct token_payload *payload,
	const struct token_dpop_request *request,
	const unsigned char token_hash[SHA256_DIGEST_LENGTH], int64_t now_s)
{
	const json_t *claims = payload->claims.claims;

	if (!payload->claims.jti.n || !payload->has_iat)
		return "jti or iat is missing";
	if (!span_eq(token_json_text(claims, "htm", 64), request->method))
		return "htm is another method";
	if (!token_htu_fits(token_json_text(claims, "htu", HTU_MAX), &request->address))
		return "htu is another address";
	if (payload->claims.iat > now_s + request->leeway_s)
		return "iat is in the future";
	if (payload->claims.iat + request->max_age_s < now_s)
		return "the proof is too old";
	if (!names_token(claims, token_hash))
		return "ath is not this token's";
	return NULL;
}

static bool keep(const struct token_payload *payload, struct span jkt, struct token_dpop *ret)
{
	struct span nonce = token_json_text(payload->claims.claims, "nonce", TOKEN_DPOP_NONCE_MAX);
	unsigned char input[TOKEN_THUMBPRINT_CHARS + TOKEN_TEXT_MAX];
	struct wr w = wr_of(input, sizeof(input));

	/* jkt has one length, so no two pairs share an input. */
	wr_bytes(&w, jkt.p, jkt.n);
	wr_bytes(&w, payload->claims.jti.p, payload->claims.jti.n);
	*ret = (struct token_dpop){.iat = payload->claims.iat};
	if (nonce.n)
		memcpy(ret->nonce, nonce.p, nonce.n);
	return hash_of((struct span){(char *)input, wr_len(&w)}, ret->id);
}

static enum base_reason judge(const struct token_payload *payload,
	const struct token_dpop_request *request, int64_t now_s, struct token_dpop *ret_proof,
	const char **ret_why)
{
	unsigned char token_hash[SHA256_DIGEST_LENGTH];
	struct token_dpop proof;
	const char *why;

	if (!hash_of(request->token, token_hash))
		return BASE_REASON_INTERNAL;
	why = why_not(payload, request, token_hash, now_s);
	if (why)
		return refuse(why, ret_why);
	if (!keep(payload, request->jkt, &proof))
		return BASE_REASON_INTERNAL;
	*ret_proof = proof;
	return BASE_REASON_OK;
}

static enum base_reason check_claims(const struct token_jws *jws,
	const struct token_dpop_request *request, int64_t now_s, struct token_dpop *ret_proof,
	const char **ret_why)
{
	struct token_payload payload;
	enum base_reason reason = token_claims_parse(jws->payload, &payload);

	if (reason == BASE_REASON_INTERNAL)
		return reason;
	if (reason != BASE_REASON_OK)
		return refuse("the claims are not strict JSON or have a wrong type", ret_why);
	reason = judge(&payload, request, now_s, ret_proof, ret_why);
	token_claims_done(&payload.claims);
	return reason;
}

enum base_reason token_dpop_check(struct token_ctx *ctx, struct span proof,
	const struct token_dpop_request *request, int64_t now_s, struct token_dpop *ret_proof,
	const char **ret_why)
{
	struct token_jws jws;
	enum base_reason reason;

	if (proof.n > PROOF_MAX_BYTES)
		return refuse("the proof is too long", ret_why);
	/* Two values in one field would be joined by a comma, which is no base64url (step 1). */
	reason = token_jws_parse(ctx, proof, &jws);
	if (reason == BASE_REASON_INTERNAL)
		return reason;
	if (reason != BASE_REASON_OK || token_alg_info(jws.alg)->kty == TOKEN_KTY_OCT)
		return refuse("not a compact JWS with an asymmetric alg", ret_why);
	if (strcmp(jws.typ, "dpop+jwt"))
		return refuse("typ is not dpop+jwt", ret_why);

	cleanup(json) json_t *header = read_header(proof);

	if (!header)
		return errno == ENOMEM ? BASE_REASON_INTERNAL
				       : refuse("the header is not strict JSON", ret_why);
	reason = check_key(ctx, &jws, json_object_get(header, "jwk"), request->jkt, ret_why);
	if (reason != BASE_REASON_OK)
		return reason;
	return check_claims(&jws, request, now_s, ret_proof, ret_why);
}
