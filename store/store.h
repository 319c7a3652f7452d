/*
 * What must outlive the process. SQLite on one node: every change is on disk
 * before the call returns, so kill -9 at any point keeps label set and number
 * together.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/mem.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

#define STORE_WHY 256

/*
 * Opens or creates the database (mode 0600; the folder must exist). A file
 * with a newer schema, of another program, with a wider mode or with damage
 * is refused. 0, or -errno with a sentence in why (it names the path).
 * One thread uses a store at a time; several processes may share a file.
 */
int store_open(const char *path, struct store **ret_store, char why[STORE_WHY]) must_check;
void store_close(struct store *store);

/*
 * Makes the calls up to store_end one: all of them are kept, or, when the end
 * says so or the process dies before it, none. 0, or -EIO with a sentence in
 * why.
 */
int store_begin(struct store *store, char why[STORE_WHY]) must_check;
int store_end(struct store *store, bool keep, char why[STORE_WHY]) must_check;

/*
 * The number of this label set of a role: the stored one, or a new one of
 * lo..hi that no label set has. A stored number outside lo..hi is kept.
 * 0; -ENOSPC the range is used up; -EIO with a sentence in why.
 */
int store_identity(struct store *store, const char *labels, uint32_t lo, uint32_t hi,
	uint32_t *ret_id, char why[STORE_WHY]) must_check;

/*
 * Reserves a fixed number for a label set. 0; -EEXIST when another label set
 * has the number or this set another one (said in why); -EIO.
 */
int store_identity_fix(
	struct store *store, const char *labels, uint32_t id, char why[STORE_WHY]) must_check;

/* A label set that came up with a caller. Borrowed. */
struct store_loan {
	const char *labels;
	const char *roles; /* that made it; not empty */
	int64_t now_s;
};

/*
 * The number of such a set, which can be released: as store_identity. A set
 * whose number is in quarantine gets it back.
 */
int store_identity_lend(struct store *store, const struct store_loan *loan, uint32_t lo,
	uint32_t hi, uint32_t *ret_id, char why[STORE_WHY]) must_check;

/*
 * The pair was used at that time. *ret_there: it is still in use; if not, it
 * has been released meanwhile. 0 or -EIO.
 */
int store_identity_touch(struct store *store, const char *labels, uint32_t id, int64_t used_s,
	bool *ret_there, char why[STORE_WHY]) must_check;

/*
 * Gives the number up, if nobody used it after used_before_s and it is no
 * role's own: it is in quarantine from now_s. 0 or -EIO.
 */
int store_identity_release(struct store *store, const char *labels, uint32_t id,
	int64_t used_before_s, int64_t now_s, bool *ret_released, char why[STORE_WHY]) must_check;

/* Ends the quarantine of a number that was released at or before that time. 0 or -EIO. */
int store_identity_purge(struct store *store, const char *labels, uint32_t id,
	int64_t released_before_s, bool *ret_gone, char why[STORE_WHY]) must_check;

/* What went wrong in any store of this process since its start. From any thread. */
uint64_t store_failures(void);

struct store_identity {
	uint32_t id;
	int fixed;
	char *labels, *roles; /* roles: "" when they are a role's own */
	int64_t used_s;       /* about */
	int64_t released_s;   /* 0: in use */
};
/* All of them by number (malloc, free with store_identities_free). 0, -ENOMEM or -EIO. */
int store_identities(struct store *store, struct store_identity **ret, size_t *ret_n) must_check;
void store_identities_free(struct store_identity *list, size_t n);

/*
 * Last good key sets by provider: JSON as fetched, and when (seconds since
 * 1970). 0, or -EIO with a sentence in why.
 */
int store_keys_put(struct store *store, const char *provider, struct span json, int64_t fetched_at,
	char why[STORE_WHY]) must_check;
/* The stored set, if there is one, was fetched anew and unchanged at that time. 0 or -EIO. */
int store_keys_touch(struct store *store, const char *provider, int64_t fetched_at,
	char why[STORE_WHY]) must_check;
/*
 * 0 and *ret_json (malloc, the caller's; a NUL follows that *ret_n does not
 * count), -ENOENT, -ENOMEM or -EIO.
 */
int store_keys_get(struct store *store, const char *provider, char **ret_json, size_t *ret_n,
	int64_t *ret_fetched_at) must_check;

DEFINE_CLEANUP(store, struct store *, store_close)

#endif
