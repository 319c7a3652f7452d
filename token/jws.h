/*
 * Compact JWS (RFC 7515 7.1) from a stranger: strict front end and signature
 * check. Knows nothing of claims: the payload is bytes, and whoever reads them
 * has asked token_jws_verify before.
 */
#ifndef TOKEN_JWS_H
#define TOKEN_JWS_H

#include "base/reason.h"
#include "base/span.h"
#include "token/alg.h"
#include "token/keyset.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOKEN_MAX_BYTES        (16 * 1024) /* whatever a provider configures */
#define TOKEN_HEADER_MAX_BYTES 4096        /* decoded */
#define TOKEN_TYP_MAX          64

/*
 * What one thread needs to verify without allocating per token: decode
 * buffers and OpenSSL contexts. Not shared between threads.
 */
struct token_ctx;
struct token_ctx *token_ctx_new(void) must_check;
void token_ctx_free(struct token_ctx *ctx);

/* The parsed, not yet verified front of a token. */
struct token_jws {
	struct span signing_input; /* borrowed from the token: header.payload */
	struct span payload;       /* decoded; a stranger's bytes until the signature held */
	struct span signature;     /* decoded; both live in ctx until its next use */
	enum token_alg alg;
	char typ[TOKEN_TYP_MAX + 1]; /* lower case, "application/" cut; "" when absent */
	char kid[TOKEN_KID_MAX + 1]; /* opaque bytes, no NUL */
	size_t kid_len;
	bool has_kid;
	bool padding;     /* a part ends with '=' */
	bool whole_quads; /* each part is as long as with padding */
};

/*
 * BASE_REASON_OK and *ret_jws, or TOKEN_TOO_LARGE, TOKEN_MALFORMED,
 * TOKEN_ENCRYPTED, HEADER_MALFORMED, ALG_NOT_ALLOWED (an alg that is not in
 * the table), CRIT_UNSUPPORTED, INTERNAL.
 * Strict: base64url without padding, white space or stray trailing bits;
 * header a JSON object without duplicate names at any level; jku, x5u, jwk
 * and x5c are ignored; any crit is refused; b64 is refused.
 */
enum base_reason token_jws_parse(
	struct token_ctx *ctx, struct span token, struct token_jws *ret_jws);

/*
 * The same for tokens whose parts may be base64url with padding, as AWS load
 * balancers make them: padding and whole_quads say which form it has. The
 * signature is over the text as it is.
 */
enum base_reason token_jws_parse_padded(
	struct token_ctx *ctx, struct span token, struct token_jws *ret_jws);

/* The header again, as JSON: of a token whose signature held. BASE_REASON_OK or INTERNAL. */
enum base_reason token_jws_header(
	struct token_ctx *ctx, const struct token_jws *jws, json_t **ret_header);

/*
 * Does the signature hold under this key? The key's algorithm must be the
 * token's. OK, ALG_NOT_ALLOWED, SIGNATURE_INVALID or INTERNAL.
 */
enum base_reason token_jws_verify(
	struct token_ctx *ctx, const struct token_jws *jws, const struct token_key *key);

DEFINE_CLEANUP(token_ctx, struct token_ctx *, token_ctx_free)

#endif
