#include "spoa/guard.h"

#include "store/revocations.h"

#include <errno.h>
#include <openssl/rand.h>
#include <stdio.h>

static int fill(struct spoa_guard *guard, struct store *store, char why[STORE_WHY])
{
	if (RAND_bytes((unsigned char *)&guard->request_key, sizeof(guard->request_key)) != 1 ||
		RAND_bytes(guard->nonce_key, sizeof(guard->nonce_key)) != 1) {
		snprintf(why, STORE_WHY, "no random numbers");
		return -EIO;
	}
	return store ? store_secret(
			       store, "dpop_nonce", guard->nonce_key, sizeof(guard->nonce_key), why)
		     : 0;
}

int spoa_guard_new(
	size_t replay_entries, struct store *store, struct spoa_guard **ret, char why[STORE_WHY])
{
	cleanup(spoa_guard) struct spoa_guard *guard = calloc(1, sizeof(*guard));
	int rc;

	snprintf(why, STORE_WHY, "out of memory");
	if (!guard)
		return -ENOMEM;
	guard->replay = token_replay_new(replay_entries);
	if (!guard->replay)
		return -ENOMEM;
	rc = fill(guard, store, why);
	if (rc)
		return rc;
	*ret = TAKE_PTR(guard);
	return 0;
}

void spoa_guard_free(struct spoa_guard *guard)
{
	if (!guard)
		return;
	token_replay_free(guard->replay);
	free(guard);
}
