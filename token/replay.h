/*
 * What was seen before and must not be accepted again: DPoP proofs (RFC 9449
 * 11.1), logout tokens. Bounded, shared by all threads of the process. What
 * is not expired is never forgotten to make room: a full cache says so, and
 * the caller refuses.
 */
#ifndef TOKEN_REPLAY_H
#define TOKEN_REPLAY_H

#include "base/mem.h"

#include <stdbool.h>
#include <stdint.h>

#define TOKEN_REPLAY_ID 32 /* a SHA-256 */

struct token_replay;

enum token_replay_result {
	TOKEN_REPLAY_NEW,  /* remembered now */
	TOKEN_REPLAY_SAME, /* seen before, in this very request */
	TOKEN_REPLAY_SEEN, /* seen before: refuse */
	TOKEN_REPLAY_FULL, /* not remembered, so not to be accepted */
};

/* Room for at least so many, 32 bytes each. NULL without memory or randomness. */
struct token_replay *token_replay_new(size_t entries) must_check;
void token_replay_free(struct token_replay *replay);

/*
 * Remembers id until expires_s (that second included). request names the
 * request it came with, and the bytes it came as: HAProxy asks again after a
 * lost answer, and that is no replay.
 */
enum token_replay_result token_replay_note(struct token_replay *replay,
	const unsigned char id[TOKEN_REPLAY_ID], uint64_t request, int64_t expires_s,
	int64_t now_s);

/* Is it remembered? */
bool token_replay_has(
	struct token_replay *replay, const unsigned char id[TOKEN_REPLAY_ID], int64_t now_s);

/* How many are remembered and not expired. Looks at every entry: for status and tests. */
size_t token_replay_count(struct token_replay *replay, int64_t now_s);

DEFINE_CLEANUP(token_replay, struct token_replay *, token_replay_free)

#endif
