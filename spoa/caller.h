/*
 * Whom a credential names: everything of a valid token that a later stage, the
 * answer or the log may want, packed into one block without pointers. So it
 * can be copied as bytes, and costs a cache little more than its texts. It
 * belongs to one configuration: provider and role are indices there.
 * Immutable once made.
 */
#ifndef SPOA_CALLER_H
#define SPOA_CALLER_H

#include "base/mem.h"
#include "base/reason.h"
#include "spoa/config.h"
#include "token/revocation.h"
#include "token/verify.h"

#include <stdbool.h>
#include <stdint.h>

enum spoa_text {
	SPOA_TEXT_SUB,
	SPOA_TEXT_ISS, /* empty when it is the provider's own: ask spoa_caller_iss */
	SPOA_TEXT_CLIENT_ID,
	SPOA_TEXT_SCOPE,
	SPOA_TEXT_ACTOR, /* who acts for sub (RFC 8693 4.1) */
	SPOA_TEXT_JTI,
	SPOA_TEXT_SID,
	SPOA_TEXT_CNF_JKT,   /* RFC 9449 6.1 */
	SPOA_TEXT_CNF_X5T,   /* x5t#S256, RFC 8705 3.1 */
	SPOA_TEXT_AUDIENCES, /* each with a NUL behind it */
	SPOA_TEXT_EXPORTS,   /* one SPOP value for each of config->exports; NULL: unset */
	SPOA_TEXT_WORKLOAD,  /* that a service account's token names: token/workload.h */
	SPOA_TEXT_ROLES,     /* those that may be the caller's: see spoa_caller_next */
	SPOA_TEXT_LABELS,    /* of those with templates; or of all together */
};
#define SPOA_TEXTS (SPOA_TEXT_LABELS + 1)

/* In SPOA_TEXT_ROLES, with a role's index: the provider left out a claim that it asks for. */
#define SPOA_CALLER_UNKNOWN 0x8000u

struct spoa_caller {
	int64_t exp, nbf, iat;               /* seconds since 1970; nbf and iat 0 when absent */
	uint64_t subject;                    /* 64 bits of a hash over issuer and sub; never 0 */
	uint64_t token[TOKEN_REVOKE_FIELDS]; /* spoa_hash_text of what it can be revoked by */
	uint64_t key;                        /* token_key.print of the key that signed */
	uint32_t config;          /* serial number of the configuration that it belongs to */
	uint16_t provider;        /* index into config->rules */
	uint16_t certificate;     /* 1: a client certificate names the caller, no token */
	uint16_t workload;        /* 1: known by its address alone; provider is behind the last */
	uint16_t bound;           /* 1: there is a cnf, understood or not */
	uint16_t united;          /* 1: LABELS is the union of all roles; no request changes it */
	uint16_t unfit;           /* a role that is not his because of a claim that cannot be a
				     label: its index + 1; 0: none */
	uint16_t end[SPOA_TEXTS]; /* where in bytes each text ends; the next begins there */
	char bytes[];
};

/* Room that every caller fits in. */
#define SPOA_CALLER_MAX (sizeof(struct spoa_caller) + UINT16_MAX)

/*
 * Packs a valid token into ret_caller (SPOA_CALLER_MAX bytes) with its role:
 * OK; or CLAIMS_MALFORMED when the texts are more than fit, and then it holds
 * nothing.
 */
enum base_reason spoa_caller_pack(const struct spoa_config *config,
	const struct token_claims *claims, struct spoa_caller *ret_caller) must_check;

/*
 * The same for a caller without a credential, who is known by its address to
 * have these labels. It never expires by itself.
 */
enum base_reason spoa_caller_pack_workload(const struct spoa_config *config, struct span labels,
	struct spoa_caller *ret_caller) must_check;

/* Bytes of the block. */
size_t spoa_caller_size(const struct spoa_caller *caller);

/* Borrowed from the caller; empty when the token has none. */
struct span spoa_caller_text(const struct spoa_caller *caller, enum spoa_text which);

struct span spoa_caller_iss(const struct spoa_caller *caller, const struct spoa_config *config);

/* Does the role depend on what only the request says? */
bool spoa_caller_asks_request(const struct spoa_caller *caller, const struct spoa_config *config);

/* A role that the credential admits. Borrowed from caller and configuration. */
struct spoa_candidate {
	const struct ident_role *role;
	bool unknown;       /* it asks for a claim that the provider left out */
	struct span labels; /* canonical; empty where the caller is united */
};

struct spoa_candidates {
	const struct spoa_config *config;
	struct span roles, labels;
};

/* They come in the order of the configuration. */
struct spoa_candidates spoa_caller_candidates(
	const struct spoa_caller *caller, const struct spoa_config *config);
bool spoa_caller_next(struct spoa_candidates *rest, struct spoa_candidate *ret);

/* Does the token name one of the provider's audiences (RFC 7519 4.1.3)? */
bool spoa_caller_is_for(const struct spoa_caller *caller, const struct token_provider *rules);

#endif
