/*
 * What providers said about tokens that only they can read (RFC 7662), for a
 * while: shared by the workers, who look, and the main thread, who asks. Every
 * call takes its lock for a moment.
 *
 * Bounded twice, so that made-up tokens push out nothing but each other: what
 * is active by bytes, everything else by number. The least recently seen goes.
 */
#ifndef SPOA_RESULTS_H
#define SPOA_RESULTS_H

#include "base/mem.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spoa_results;

enum spoa_said {
	SPOA_SAID_NOTHING, /* nobody has asked, or too long ago */
	SPOA_SAID_PENDING, /* somebody asks right now */
	SPOA_SAID_ACTIVE,
	SPOA_SAID_INACTIVE,
	SPOA_SAID_FAILED, /* there was no proper answer */
};

/* A token and the provider that is asked about it. */
struct spoa_results_key {
	uint8_t hash[32]; /* SHA-256 of the token */
	uint64_t origin;  /* spoa/introspect.h: one provider, asked in one way */
};

struct spoa_result {
	enum spoa_said said;
	uint64_t until;    /* CLOCK_BOOTTIME, ns: then it is forgotten */
	int64_t good_till; /* ACTIVE: the same in seconds since 1970 */
	struct span json;  /* ACTIVE: the answer */
};

#define SPOA_RESULTS_BYTES  ((size_t)16 * 1024 * 1024) /* of what is active */
#define SPOA_RESULTS_OTHERS 8192                       /* of everything else */

/* NULL without memory. */
struct spoa_results *spoa_results_new(void) must_check;
void spoa_results_free(struct spoa_results *results);

/*
 * What was said, and still counts at now. With ACTIVE, ret_result->json is
 * copied into buf of size bytes (an answer that does not fit is NOTHING).
 */
enum spoa_said spoa_results_find(struct spoa_results *results, const struct spoa_results_key *key,
	uint64_t now, char *buf, size_t size, struct spoa_result *ret_result);

/*
 * Makes it PENDING until then, unless something counts: true, and the caller
 * asks; or false, nobody needs to (or there is no memory, and nobody can).
 */
bool spoa_results_claim(struct spoa_results *results, const struct spoa_results_key *key,
	uint64_t now, uint64_t until);

/* Remembers a copy in place of what was there; without memory nothing is. */
void spoa_results_put(struct spoa_results *results, const struct spoa_results_key *key,
	const struct spoa_result *result);

/* How many are remembered, and the bytes of those that are active. */
size_t spoa_results_count(struct spoa_results *results, size_t *ret_bytes);

DEFINE_CLEANUP(spoa_results, struct spoa_results *, spoa_results_free)

#endif
