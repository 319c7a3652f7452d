/*
 * Revocations between this agent and the others, through etcd (etcd/notes.h):
 * what is revoked here is told, what is told is in force here, and on disk, so
 * that it stays so without etcd.
 *
 * A key is IDENTITYD/v1/revocations/ and the SHA-256 in hex of what is revoked;
 * its text is JSON: {"iss", "sub", "sid", "jti", "client", "issued_before",
 * "expires", "at", "source", "removed"}. "at" says when it was revoked, or, with
 * "removed", taken back. Of two texts the later one counts; two that revoke
 * become one with the later times.
 */
#ifndef SPOA_SHARE_H
#define SPOA_SHARE_H

#include "etcd/notes.h"
#include "spoa/revoke.h"

#define SPOA_SHARE_PREFIX "identityd/v1/revocations/"

/* What a text says. Borrows from it. */
struct spoa_shared {
	struct store_revocation entry; /* added: "at"; no id */
	bool removed;
};

/* The name of what is revoked. */
void spoa_share_name(const struct store_revocation *entry, char to[ETCD_NOTE_NAME + 1]);

/* The text; allocated (json), or NULL without memory or when it would be too long. */
char *spoa_share_text(const struct store_revocation *entry, bool removed) must_check;

/* 0 and the tree that *ret borrows from (one reference), or -EBADMSG: no proper text. */
int spoa_share_parse(struct span text, json_t **ret_tree, struct spoa_shared *ret) must_check;

struct spoa_share;

/* Borrows all. NULL without memory. */
struct spoa_share *spoa_share_new(
	struct etcd_client *client, struct store *store, struct spoa_revoke *revoke) must_check;
void spoa_share_free(struct spoa_share *share);

/*
 * This was revoked, or taken back; true: here, so that the others are to be told
 * at the next tick, and not by them.
 */
bool spoa_share_tell(struct spoa_share *share, const struct store_revocation *entry, bool removed);

uint64_t spoa_share_tick(struct spoa_share *share, uint64_t now_ns, int64_t wall_s);
struct etcd_notes_stats spoa_share_stats(const struct spoa_share *share);

DEFINE_CLEANUP(spoa_share, struct spoa_share *, spoa_share_free)

#endif
