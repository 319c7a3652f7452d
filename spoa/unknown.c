#include "spoa/unknown.h"

#include "base/siphash.h"

#include <openssl/rand.h>
#include <string.h>

/* 1024 of them, 16 KiB for each worker. */
#define SETS 256
#define WAYS 4

struct slot {
	uint64_t print;
	uint64_t asked_at; /* 0: empty */
};

struct spoa_unknown {
	struct base_siphash_key key;
	struct slot slots[SETS][WAYS];
};

struct spoa_unknown *spoa_unknown_new(void)
{
	struct spoa_unknown *unknown = calloc(1, sizeof(*unknown));

	if (unknown && RAND_bytes((unsigned char *)&unknown->key, sizeof(unknown->key)) == 1)
		return unknown;
	free(unknown);
	return NULL;
}

void spoa_unknown_free(struct spoa_unknown *unknown)
{
	free(unknown);
}

uint64_t spoa_unknown_since(
	struct spoa_unknown *unknown, struct span kid, int alg, uint64_t received_at)
{
	uint64_t print = base_siphash(&unknown->key, kid) ^ ((uint64_t)(unsigned)alg << 56);
	struct slot *set = unknown->slots[print % SETS];
	struct slot *victim = set;

	for (size_t i = 0; i < WAYS; i++) {
		/* A parked request may be older than what came after it. */
		if (set[i].asked_at && set[i].print == print) {
			if (received_at < set[i].asked_at)
				return received_at;
			if (received_at - set[i].asked_at < SPOA_UNKNOWN_NS)
				return set[i].asked_at;
			victim = &set[i];
			break;
		}
		if (set[i].asked_at < victim->asked_at)
			victim = &set[i];
	}
	*victim = (struct slot){.print = print, .asked_at = received_at};
	return received_at;
}
