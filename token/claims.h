/*
 * The payload of a token whose signature held: strict JSON, the types that
 * RFC 7519 4.1 gives its members, and the rules of the provider on them.
 */
#ifndef TOKEN_CLAIMS_H
#define TOKEN_CLAIMS_H

#include "base/reason.h"
#include "base/span.h"
#include "token/verify.h"

/* 9999-12-31T23:59:59Z; beyond it a time is a mistake. */
#define TOKEN_TIME_MAX INT64_C(253402300799)

struct token_payload {
	struct token_claims claims; /* issuer, kid and key are left to the caller */
	bool has_exp;
	bool has_nbf;
	bool has_iat;
};

/*
 * OK and *ret_payload, whose claims end with token_claims_done; or
 * CLAIMS_MALFORMED or INTERNAL, and *ret_payload is untouched.
 * Times are integers or finite reals from 0 to TOKEN_TIME_MAX; of a fraction,
 * exp loses it and nbf and iat are rounded up. iss, sub, jti and every
 * audience are non-empty text without control bytes, of at most TOKEN_TEXT_MAX
 * bytes. An absent iss or sub is an empty span, and an empty sub is absent.
 * What depends on the provider is token_mapping_apply's: scope, act, actor.
 */
enum base_reason token_claims_parse(struct span json, struct token_payload *ret_payload);

/*
 * The same with some members of the token's header among the claims; one that
 * is in both with different values is CLAIMS_MALFORMED.
 */
enum base_reason token_claims_parse_with(struct span json, const json_t *header,
	const char *const *names, size_t n_names, struct token_payload *ret_payload);

/* Absent (NULL), one audience, or a list of at least one (RFC 7519 4.1.3). */
bool token_claims_is_audience(const json_t *aud);

/*
 * Audience, then times, in the order of the reasons: OK, AUDIENCE_MISMATCH,
 * EXPIRY_MISSING, EXPIRED, NOT_YET_VALID, ISSUED_IN_FUTURE or
 * LIFETIME_TOO_LONG. A provider with a limit needs nbf or iat in the token:
 * without either, its lifetime is not known to be short.
 */
enum base_reason token_claims_check(
	const struct token_payload *payload, const struct token_provider *rules, int64_t now_s);

/*
 * Times alone: OK, EXPIRED, NOT_YET_VALID or ISSUED_IN_FUTURE. For a token
 * that was checked before; nbf and iat are 0 when absent.
 */
enum base_reason token_times_check(
	int64_t exp, int64_t nbf, int64_t iat, const struct token_provider *rules, int64_t now_s);

#endif
