/*
 * DPoP proofs (RFC 9449 4.2, 4.3): did whoever sent this request hold the key
 * that the access token is bound to? Pure: whether a proof was there before
 * (step 11) and whether its nonce is ours (step 10) is for the caller to say.
 */
#ifndef TOKEN_DPOP_H
#define TOKEN_DPOP_H

#include "base/reason.h"
#include "token/htu.h"
#include "token/jws.h"

#define TOKEN_DPOP_ID        32
#define TOKEN_DPOP_NONCE_MAX 64

struct token_dpop_request {
	struct span method;
	struct token_htu address;
	struct span token; /* the access token, as it was sent */
	struct span jkt;   /* what it is bound to */
	int64_t max_age_s; /* of the proof */
	int64_t leeway_s;  /* how far in the future its iat may lie */
};

/* What a good proof says. */
struct token_dpop {
	unsigned char id[TOKEN_DPOP_ID]; /* SHA-256 over jkt and jti: names the proof */
	int64_t iat;
	char nonce[TOKEN_DPOP_NONCE_MAX + 1]; /* empty when absent or longer than any of ours */
};

/*
 * OK and *ret_proof; DPOP_INVALID with a constant sentence in *ret_why; or
 * INTERNAL. Cheap checks come first: a proof under another key than the
 * token's costs no signature.
 */
enum base_reason token_dpop_check(struct token_ctx *ctx, struct span proof,
	const struct token_dpop_request *request, int64_t now_s, struct token_dpop *ret_proof,
	const char **ret_why);

#endif
