/*
 * From the bytes of a token to the claims of a caller (RFC 7519, RFC 8725).
 *
 * Order: parse the front, find the key by kid over all providers, check the
 * signature, only then read the payload; iss must be the provider whose key
 * signed.
 */
#ifndef TOKEN_VERIFY_H
#define TOKEN_VERIFY_H

#include "token/jws.h"

#include <jansson.h>
#include <stdint.h>

/* Names that lead from the claims' root to one claim; exact, dots included. */
struct token_path {
	const char *const *segments;
	size_t n; /* 0: where everybody has it */
};

/* One issuer's rules. All text is borrowed and must outlive the calls. */
struct token_provider {
	const char *name;
	const char *issuer; /* see token_issuer_is */
	const char *const *issuer_aliases;
	size_t n_issuer_aliases;
	const char *const *tenants; /* of {tenantid} in issuer; none: all */
	size_t n_tenants;
	const char *trust_domain;     /* of a SPIFFE provider; else NULL */
	const char *const *audiences; /* at least one; aud must name one of them */
	size_t n_audiences;
	const char *const *types;         /* accepted typ, lower case without "application/" */
	size_t n_types;                   /* 0: typ may be anything */
	bool type_required;               /* refuse a token without typ */
	bool id_tokens;                   /* accept what looks like an ID token */
	uint32_t algs;                    /* TOKEN_ALG_BIT set */
	int64_t leeway_s;                 /* for exp, nbf, iat; 0 to 300 */
	int64_t max_lifetime_s;           /* exp - (nbf or iat) at most; 0: no limit */
	size_t max_bytes;                 /* of the token; at most TOKEN_MAX_BYTES */
	bool padded;                      /* each part is base64url with padding, signed as it is */
	const char *const *header_claims; /* members of the header that count as claims */
	size_t n_header_claims;
	struct token_path subject, audience, client_id, scope;
};

struct token_issuer {
	struct token_provider rules;
	struct token_keyset *keys; /* NULL while they are not known */
};

/* Caps on what a signed payload may hold. */
#define TOKEN_JSON_DEPTH    16
#define TOKEN_JSON_ELEMENTS 512
#define TOKEN_TEXT_MAX      1024 /* bytes in iss, sub, jti, one audience, client_id */
#define TOKEN_SCOPE_MAX     4096 /* bytes of all scopes together */
#define TOKEN_ACTORS_MAX    4    /* act inside act (RFC 8693 4.1) */
#define TOKEN_KIDLESS_KEYS  4    /* keys of the right alg that a token without kid may try */

/* A valid token. Owns claims and joined; the rest borrows from them. */
struct token_claims {
	json_t *claims;
	json_t *joined;  /* scopes that came as an array; or NULL */
	size_t issuer;   /* index of the provider */
	struct span sub; /* empty when absent */
	struct span iss;
	struct span client_id; /* azp, client_id or cid, the first that is text; else empty */
	struct span scope;     /* scopes with a blank between them */
	const json_t *act;     /* who acts for sub (RFC 8693 4.1); or NULL */
	struct span actor;     /* its sub, client_id or azp, the first that is there */
	struct span jti;
	const json_t *aud; /* text or array of texts, borrowed from claims; or NULL */
	int64_t exp;       /* seconds since 1970 */
	int64_t nbf;       /* 0 when absent */
	int64_t iat;       /* 0 when absent */
	uint64_t key;      /* token_key.print of the key that signed */
	char kid[TOKEN_KID_MAX + 1];
};

/*
 * BASE_REASON_OK and *ret_claims (end with token_claims_done), or the reason;
 * then *ret_claims is untouched.
 *
 * KEY_UNKNOWN means that every provider which allows the token's alg has
 * keys, and none fits: a refresh might help. KEYS_UNAVAILABLE means that at
 * least one of them has no keys at all.
 * hint_alg (may be NULL) receives the token's algorithm, or -1 when the front
 * did not parse: who needs a refresh is every provider that allows it.
 */
enum base_reason token_verify(struct token_ctx *ctx, const struct token_issuer *issuers,
	size_t n_issuers, struct span token, int64_t now_s, struct token_claims *ret_claims,
	int *hint_alg);

void token_claims_done(struct token_claims *claims);

static inline void cleanup_fn_token_claims(struct token_claims *claims)
{
	token_claims_done(claims);
}

#endif
