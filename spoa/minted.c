#include "spoa/minted.h"

#include <stdlib.h>
#include <string.h>

/* A key may stand in any of the WAYS places of its set. */
#define WAYS 4
#define SETS (SPOA_MINTED_PLACES / WAYS)

struct place {
	struct spoa_minted_key key;
	char *text; /* NULL: free */
	size_t n;
	int64_t until_s;
};

struct spoa_minted {
	struct place places[SETS][WAYS];
};

struct spoa_minted *spoa_minted_new(void)
{
	return calloc(1, sizeof(struct spoa_minted));
}

void spoa_minted_free(struct spoa_minted *minted)
{
	if (!minted)
		return;
	for (size_t i = 0; i < SETS; i++)
		for (size_t k = 0; k < WAYS; k++)
			free(minted->places[i][k].text);
	free(minted);
}

/* The token's hash is a SHA-256: any of its bytes will do. */
static size_t set_of(const struct spoa_minted_key *key)
{
	uint32_t hash;

	memcpy(&hash, key->token, sizeof(hash));
	return (hash + key->which) % SETS;
}

static bool is_key(const struct place *place, const struct spoa_minted_key *key)
{
	return place->text && place->key.config == key->config && place->key.which == key->which &&
	       place->key.roles == key->roles &&
	       !memcmp(place->key.token, key->token, sizeof(key->token));
}

struct span spoa_minted_find(
	const struct spoa_minted *minted, const struct spoa_minted_key *key, int64_t now_s)
{
	const struct place *set = minted->places[set_of(key)];

	for (size_t i = 0; i < WAYS; i++)
		if (is_key(&set[i], key) && now_s < set[i].until_s)
			return (struct span){.p = set[i].text, .n = set[i].n};
	return (struct span){0};
}

void spoa_minted_put(
	struct spoa_minted *minted, const struct spoa_minted_key *key, char *text, int64_t until_s)
{
	struct place *set = minted->places[set_of(key)];
	struct place *place = &set[0];

	for (size_t i = 0; i < WAYS; i++) {
		if (is_key(&set[i], key)) {
			place = &set[i];
			break;
		}
		/* A free one, else the one that ends first. */
		if (place->text && (!set[i].text || set[i].until_s < place->until_s))
			place = &set[i];
	}
	free(place->text);
	*place = (struct place){.key = *key, .text = text, .n = strlen(text), .until_s = until_s};
}
