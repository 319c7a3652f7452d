#include "bpfmap/state.h"
#include "bpfmap/sweep.h"

#include <errno.h>
#include <stdlib.h>

/* Fields from the one that names fewest tokens to the one that names most. */
static const enum bpfmap_token_field RARITY[] = {BPFMAP_TOKEN_JTI, BPFMAP_TOKEN_SID,
	BPFMAP_TOKEN_SUB, BPFMAP_TOKEN_CLIENT, BPFMAP_TOKEN_ISS};
static_assert(ARRAY_SIZE(RARITY) == BPFMAP_TOKEN_FIELDS, "each field has its place");

/* A revocation under its rarest field. */
struct ranked {
	unsigned rank; /* in RARITY */
	uint64_t hash;
	const struct bpfmap_revocation *what;
};

struct revoking {
	struct bpfmap *map;
	struct ranked *sorted;
	size_t n_sorted;
	uint32_t identity;
	unsigned n;
};

static int compare(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return (x->hash > y->hash) - (x->hash < y->hash);
}

static int rank(const struct bpfmap_revocation *what, struct ranked *ret)
{
	for (unsigned i = 0; i < ARRAY_SIZE(RARITY); i++) {
		if (!what->token[RARITY[i]])
			continue;
		*ret = (struct ranked){i, what->token[RARITY[i]], what};
		return 0;
	}
	return -EINVAL;
}

static bool means(const struct bpfmap_revocation *what, const struct bpfmap_flow *flow)
{
	for (int i = 0; i < BPFMAP_TOKEN_FIELDS; i++) {
		if (what->token[i] && what->token[i] != flow->token[i])
			return false;
	}
	return !what->issued_before || flow->issued < what->issued_before;
}

/* The first that is not before this rank and hash. */
static size_t lower_bound(const struct revoking *r, const struct ranked *key)
{
	size_t lo = 0, hi = r->n_sorted;

	while (lo < hi) {
		size_t middle = lo + (hi - lo) / 2;

		if (compare(&r->sorted[middle], key) < 0)
			lo = middle + 1;
		else
			hi = middle;
	}
	return lo;
}

static bool is_revoked(const struct revoking *r, const struct bpfmap_flow *flow)
{
	for (unsigned i = 0; i < ARRAY_SIZE(RARITY); i++) {
		const struct ranked key = {.rank = i, .hash = flow->token[RARITY[i]]};

		if (!key.hash)
			continue;
		for (size_t at = lower_bound(r, &key);
			at < r->n_sorted && !compare(&r->sorted[at], &key); at++) {
			if (means(r->sorted[at].what, flow))
				return true;
		}
	}
	return false;
}

static int revoke_one(
	struct bpfmap *map, const struct bpfmap_flow_key *key, uint64_t cookie, unsigned *n)
{
	struct bpfmap_update u = {.op = BPFMAP_OP_REVOKE, .key = *key, .cookie = cookie};
	int err = bpfmap_update(map, &u);

	*n += !err && u.result == BPFMAP_RESULT_DONE;
	return err;
}

static int visit(void *arg, const struct bpfmap_flow_key *key, const struct bpfmap_flow *flow)
{
	struct revoking *r = arg;
	bool named = r->identity ? flow->identity == r->identity : is_revoked(r, flow);

	return named ? revoke_one(r->map, key, flow->cookie, &r->n) : 0;
}

int bpfmap_revoke(
	struct bpfmap *map, const struct bpfmap_revocation *list, size_t n, unsigned *ret_n)
{
	cleanup(free) struct ranked *sorted = calloc(n + 1, sizeof(*sorted));
	struct revoking r = {.map = map, .sorted = sorted, .n_sorted = n};
	int err = sorted ? 0 : -ENOMEM;

	for (size_t i = 0; i < n && !err; i++)
		err = rank(&list[i], &sorted[i]);
	if (err)
		return err;
	qsort(sorted, n, sizeof(*sorted), compare);
	err = bpfmap_flows_each(map, visit, &r);
	if (err)
		return err;
	*ret_n = r.n;
	return 0;
}

int bpfmap_revoke_identity(struct bpfmap *map, uint32_t identity, unsigned *ret_n)
{
	struct revoking r = {.map = map, .identity = identity};
	int err = identity ? bpfmap_flows_each(map, visit, &r) : -EINVAL;

	if (err)
		return err;
	*ret_n = r.n;
	return 0;
}

int bpfmap_revoke_flow(struct bpfmap *map, const struct bpfmap_flow_key *key, unsigned *ret_n)
{
	struct bpfmap_flow flow;
	unsigned n = 0;
	int err = bpfmap_flow_get(map, key, &flow);

	if (!err)
		err = revoke_one(map, key, flow.cookie, &n);
	if (err && err != -ENOENT)
		return err;
	*ret_n = n;
	return 0;
}
