/*
 * What a provider says about a token that only it can read (RFC 7662 2.2).
 * The answer is a stranger's bytes like any other: strict JSON, the types of
 * RFC 7519, and the provider's rules on them.
 */
#ifndef TOKEN_INTROSPECTION_H
#define TOKEN_INTROSPECTION_H

#include "base/reason.h"
#include "base/span.h"
#include "token/verify.h"

/* An answer longer than this is none. */
#define TOKEN_INTROSPECTION_MAX (16 * 1024)

enum token_introspected {
	TOKEN_INTROSPECTED_ACTIVE,
	TOKEN_INTROSPECTED_INACTIVE,
	TOKEN_INTROSPECTED_NONSENSE, /* no object with a boolean "active", or no memory for it */
};

/*
 * The one member that every answer has. *ret_exp (when ACTIVE) receives exp in
 * seconds since 1970, INT64_MAX when there is none.
 */
enum token_introspected token_introspection_judge(struct span json, int64_t *ret_exp);

struct token_introspection_rules {
	size_t issuer;      /* the provider's place in the configuration */
	int64_t good_till;  /* stands for an exp that the answer does not have */
	bool need_audience; /* else an answer without aud is for us */
};

/*
 * The claims of an active token: BASE_REASON_OK and *ret_claims (end with
 * token_claims_done), or the reason; then *ret_claims is untouched.
 * TOKEN_INACTIVE; CLAIMS_MALFORMED; ISSUER_MISMATCH: iss is there and not the
 * provider's; AUDIENCE_MISMATCH; EXPIRED, NOT_YET_VALID, ISSUED_IN_FUTURE;
 * LIFETIME_TOO_LONG, where the answer has iat or nbf; or what
 * token_mapping_apply says. An absent iss means the provider that was asked.
 */
enum base_reason token_introspection_read(struct span json, const struct token_provider *rules,
	const struct token_introspection_rules *how, int64_t now_s,
	struct token_claims *ret_claims);

/*
 * Could only its provider read it? RFC 6750 2.1 says which bytes it has; with
 * two dots it is a JWS (RFC 7515 7.1), with four a JWE (RFC 7516 7.1), and
 * whoever makes such tokens must make them right.
 */
bool token_introspection_is_opaque(struct span token);

#endif
