/*
 * Why a request was answered as it was: one word, one sentence, one HTTP
 * status. The rooms return these instead of errno where a person, a log or a
 * metric has to tell causes apart; 401 is the caller's to mend, 403 the
 * operator's policy, 503 ours.
 */
#ifndef BASE_REASON_H
#define BASE_REASON_H

#include "base/span.h"

/* X(enum suffix, word, HTTP status, help) */
#define BASE_REASONS(X)                                                                            \
	X(OK, "ok", 200, "the token is valid and a role matches")                                  \
	X(NO_TOKEN, "no_token", 401, "the request carries no credential")                          \
	X(SCHEME_UNSUPPORTED, "scheme_unsupported", 401, "the credential's scheme is not Bearer")  \
	X(TOKEN_TOO_LARGE, "token_too_large", 401, "the token is longer than the provider allows") \
	X(TOKEN_MALFORMED, "token_malformed", 401,                                                 \
		"the token is not a compact JWS (RFC 7515 7.1)")                                   \
	X(TOKEN_ENCRYPTED, "token_encrypted", 401,                                                 \
		"the token is a JWE; encrypted tokens are not accepted")                           \
	X(HEADER_MALFORMED, "header_malformed", 401,                                               \
		"the JOSE header is not strict JSON or has a wrong type")                          \
	X(ALG_NOT_ALLOWED, "alg_not_allowed", 401, "the algorithm is not on any provider's list")  \
	X(CRIT_UNSUPPORTED, "crit_unsupported", 401,                                               \
		"the header marks an extension as critical (RFC 7515 4.1.11)")                     \
	X(TYP_NOT_ALLOWED, "typ_not_allowed", 401,                                                 \
		"the token's typ is not on the provider's list")                                   \
	X(KEY_UNKNOWN, "key_unknown", 401, "no current key of any provider has this key id")       \
	X(SIGNATURE_INVALID, "signature_invalid", 401, "the signature does not verify")            \
	X(CLAIMS_MALFORMED, "claims_malformed", 401,                                               \
		"the claims are not strict JSON or have a wrong type")                             \
	X(ISSUER_MISMATCH, "issuer_mismatch", 401, "iss is not the provider whose key signed")     \
	X(AUDIENCE_MISMATCH, "audience_mismatch", 401,                                             \
		"aud names none of the provider's audiences")                                      \
	X(EXPIRY_MISSING, "expiry_missing", 401, "the token has no exp")                           \
	X(EXPIRED, "expired", 401, "exp has passed")                                               \
	X(NOT_YET_VALID, "not_yet_valid", 401, "nbf is in the future")                             \
	X(ISSUED_IN_FUTURE, "issued_in_future", 401, "iat is in the future")                       \
	X(LIFETIME_TOO_LONG, "lifetime_too_long", 401,                                             \
		"the token lives longer than the provider allows")                                 \
	X(CNF_UNSUPPORTED, "cnf_unsupported", 401,                                                 \
		"the token is bound to something that cannot be checked here")                     \
	X(CERT_MISSING, "cert_missing", 401,                                                       \
		"the token is bound to a client certificate and none came")                        \
	X(CERT_MISMATCH, "cert_mismatch", 401, "the token is bound to another certificate")        \
	X(DPOP_AS_BEARER, "dpop_as_bearer", 401,                                                   \
		"the token is bound to a key and came without the scheme DPoP")                    \
	X(DPOP_UNBOUND, "dpop_unbound", 401, "the token is not bound to a key, and has to be")     \
	X(DPOP_MISSING, "dpop_missing", 401, "the request has no DPoP proof")                      \
	X(DPOP_INVALID, "dpop_invalid", 401, "the DPoP proof is not good for this request")        \
	X(DPOP_NONCE, "dpop_nonce", 401, "the DPoP proof lacks a current nonce")                   \
	X(DPOP_REPLAYED, "dpop_replayed", 401, "the DPoP proof was used before")                   \
	X(TOKEN_INACTIVE, "token_inactive", 401,                                                   \
		"its provider says that the token is not active (RFC 7662 2.2)")                   \
	X(REVOKED, "revoked", 401, "the token was revoked")                                        \
	X(ACTOR_TOO_DEEP, "actor_too_deep", 401, "act is nested more than four deep")              \
	X(CLAIM_REQUIRED, "claim_required", 401,                                                   \
		"a claim that the provider's rules require is missing or different")               \
	X(CERT_UNVERIFIED, "cert_unverified", 401,                                                 \
		"HAProxy did not verify the client certificate")                                   \
	X(CERT_MALFORMED, "cert_malformed", 401,                                                   \
		"the client certificate or its chain cannot be read")                              \
	X(CERT_UNTRUSTED, "cert_untrusted", 401,                                                   \
		"no provider's trust bundle vouches for the client certificate")                   \
	X(CERT_EXPIRED, "cert_expired", 401,                                                       \
		"the client certificate, or one above it, is not valid now")                       \
	X(CERT_NOT_ALLOWED, "cert_not_allowed", 401,                                               \
		"the client certificate breaks its provider's rules")                              \
	X(NO_ROLE, "no_role", 403, "the token is valid and no role matches its claims")            \
	X(POLICY_DENIED, "policy_denied", 403, "no policy allows it, or one denies it")            \
	X(PATH_AMBIGUOUS, "path_ambiguous", 403,                                                   \
		"a backend could take the path for another than policies do")                      \
	X(WORKLOAD_MISMATCH, "workload_mismatch", 403,                                             \
		"the token's workload is not the one at the source address")                       \
	X(WORKLOAD_UNKNOWN, "workload_unknown", 403,                                               \
		"nobody knows which workload is at the source address")                            \
	X(GROUPS_UNKNOWN, "groups_unknown", 403,                                                   \
		"the provider left out claims that a role asks for")                               \
	X(KEYS_UNAVAILABLE, "keys_unavailable", 503,                                               \
		"the provider's keys are not known, or could not be refreshed in time")            \
	X(INTROSPECTION_UNAVAILABLE, "introspection_unavailable", 503,                             \
		"the provider could not be asked about the token, or not in time")                 \
	X(IDENTITY_LIMIT, "identity_limit", 503,                                                   \
		"the role, or all together, have as many identities as the configuration allows")  \
	X(IDENTITY_UNAVAILABLE, "identity_unavailable", 503,                                       \
		"there is no number for the caller's labels, and none could be had in time")       \
	X(WORKLOAD_UNAVAILABLE, "workload_unavailable", 503,                                       \
		"the ipcache that knows workloads by their addresses cannot be read")              \
	X(UNBOUND, "unbound", 503,                                                                 \
		"the role demands a bound connection and the kernel knows none")                   \
	X(SERVICE_UNKNOWN, "service_unknown", 503,                                                 \
		"the backend is not in services, so no policy can be applied")                     \
	X(POLICY_ERROR, "policy_error", 503, "a policy could not be applied within its limits")    \
	X(MAP_FULL, "map_full", 503, "the kernel map has no room")                                 \
	X(MAP_UNAVAILABLE, "map_unavailable", 503,                                                 \
		"the pinned maps are missing or refuse the write")                                 \
	X(REQUEST_MALFORMED, "request_malformed", 503,                                             \
		"the SPOE message lacks an argument or has one of a wrong type")                   \
	X(TOO_LATE, "too_late", 503, "the request was sent longer ago than spop.deadline")         \
	X(OVERLOAD, "overload", 503, "more waits than there is room for")                          \
	X(REPLAY_FULL, "replay_full", 503, "too many DPoP proofs at once to remember them")        \
	X(ASSERTION_UNAVAILABLE, "assertion_unavailable", 503,                                     \
		"no assertion could be made for the backend")                                      \
	X(MESSAGE_TOO_LARGE, "message_too_large", 503,                                             \
		"the SPOE message is longer than spop.max_message_size")                           \
	X(ANSWER_TOO_LONG, "answer_too_long", 503,                                                 \
		"the variables do not fit the negotiated frame")                                   \
	X(INTERNAL, "internal", 503, "out of memory or a library failed")

enum base_reason {
#define X(suffix, word, status, help) BASE_REASON_##suffix,
	BASE_REASONS(X)
#undef X
		BASE_REASON_COUNT,
};

const char *base_reason_word(enum base_reason reason);
const char *base_reason_help(enum base_reason reason);

/* 200, 401, 403 or 503. */
int base_reason_status(enum base_reason reason);

#endif
