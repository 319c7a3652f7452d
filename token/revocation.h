/*
 * Tokens that were revoked before they expired, by what they say: jti, sid,
 * sub, client, iss and when they were issued. By claims and never by the
 * token's bytes, which a caller can change without breaking the signature
 * (tokens.md 3, row 13).
 *
 * One thread adds and removes, any number match at the same time without a
 * lock; what token_revocations_add returned from is seen by every match that
 * begins afterwards.
 */
#ifndef TOKEN_REVOCATION_H
#define TOKEN_REVOCATION_H

#include "base/mem.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum token_revocation_field {
	TOKEN_REVOKE_ISS,
	TOKEN_REVOKE_SUB,
	TOKEN_REVOKE_SID,
	TOKEN_REVOKE_JTI,
	TOKEN_REVOKE_CLIENT,
};
#define TOKEN_REVOKE_FIELDS (TOKEN_REVOKE_CLIENT + 1)

/* "iss", "sub", "sid", "jti", "client". */
const char *token_revocation_field_name(enum token_revocation_field field);

struct token_revocation {
	int64_t id;                              /* the caller's name for it, not 0 */
	struct span fields[TOKEN_REVOKE_FIELDS]; /* all that are not empty must be the token's */
	int64_t issued_before; /* only tokens with an earlier iat, or none; 0: all */
	int64_t expires;       /* it ends then, by the wall clock; seconds since 1970 */
};

/* What a token says. Borrowed. */
struct token_revocable {
	struct span fields[TOKEN_REVOKE_FIELDS]; /* empty where it says nothing */
	int64_t iat;                             /* 0: it does not say */
};

struct token_revocations;

/* An empty list for at most max entries, one reference. NULL without memory or randomness. */
struct token_revocations *token_revocations_new(size_t max) must_check;
struct token_revocations *token_revocations_ref(struct token_revocations *list);
void token_revocations_unref(struct token_revocations *list);

/*
 * Adds, or replaces the entry with this id. Texts are copied.
 *   0; -EINVAL no field is given; -ENOSPC the list is full (expired entries
 *   do not count); -ENOMEM. On failure the list is as it was.
 */
int token_revocations_add(struct token_revocations *list, const struct token_revocation *entry,
	int64_t now_s) must_check;

/* False: there is no such entry. */
bool token_revocations_remove(struct token_revocations *list, int64_t id);

/* The id of an entry that the token falls under, or 0. One lookup for each combination of fields in use. */
int64_t token_revocations_match(
	const struct token_revocations *list, const struct token_revocable *token, int64_t now_s);

/* Does this one entry mean the token? Its expiry is not looked at. */
bool token_revocation_means(
	const struct token_revocation *entry, const struct token_revocable *token);

/* Entries that are neither removed nor expired. */
size_t token_revocations_count(const struct token_revocations *list, int64_t now_s);
size_t token_revocations_max(const struct token_revocations *list);

/*
 * Removed and expired entries stay in memory while somebody may be reading
 * them. When too many of them lie about, this makes a list without them, one
 * reference: give it to everybody and drop the old one. Adds and removals go
 * to the new one from then on; the old one knows it and finds what is added
 * there. NULL: not needed, or no memory.
 */
struct token_revocations *token_revocations_compact(
	struct token_revocations *list, int64_t now_s) must_check;

DEFINE_CLEANUP(token_revocations, struct token_revocations *, token_revocations_unref)

#endif
