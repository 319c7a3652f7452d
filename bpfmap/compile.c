#include "bpfmap/policy.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define PORTS 65536U

/* One rule for one protocol; sorted so that what belongs together stands together. */
struct piece {
	struct bpfmap_policy_key key; /* without port and prefix */
	uint32_t lo, hi;              /* hi is one past the last */
	bool deny;
};

struct output {
	struct bpfmap_policy_key *keys;
	uint32_t *values;
	size_t n, room;
};

static int grow(struct output *out)
{
	size_t room = out->room ? 2 * out->room : 64;
	struct bpfmap_policy_key *keys = reallocarray(out->keys, room, sizeof(*keys));
	uint32_t *values;

	if (!keys)
		return -ENOMEM;
	out->keys = keys;
	values = reallocarray(out->values, room, sizeof(*values));
	if (!values)
		return -ENOMEM;
	out->values = values;
	out->room = room;
	return 0;
}

static int put(struct output *out, const struct bpfmap_policy_key *key, uint32_t port,
	uint32_t bits, uint32_t value)
{
	int err = out->n == out->room ? grow(out) : 0;

	if (err)
		return err;
	out->keys[out->n] = *key;
	out->keys[out->n].prefixlen = BPFMAP_POLICY_BITS + bits;
	out->keys[out->n].port[0] = (uint8_t)(port >> 8);
	out->keys[out->n].port[1] = (uint8_t)port;
	out->values[out->n++] = value;
	return 0;
}

/* The largest aligned blocks that fill lo to hi: at most 30. */
static int put_range(struct output *out, const struct bpfmap_policy_key *key, uint32_t lo,
	uint32_t hi, uint32_t value)
{
	int err = 0;

	while (lo < hi && !err) {
		uint32_t size = lo ? lo & -lo : PORTS;
		uint32_t bits = 16;

		while (size > hi - lo)
			size /= 2;
		for (uint32_t s = size; s > 1; s /= 2)
			bits--;
		err = put(out, key, lo, bits, value);
		lo += size;
	}
	return err;
}

/* What the rules of one key say about a port: a deny is the end of it. */
static uint32_t verdict_at(const struct piece *pieces, size_t n, uint32_t port)
{
	uint32_t verdict = 0;

	for (size_t i = 0; i < n; i++) {
		if (port < pieces[i].lo || port >= pieces[i].hi)
			continue;
		if (pieces[i].deny)
			return BPFMAP_POLICY_DENY;
		verdict = BPFMAP_POLICY_ALLOW;
	}
	return verdict;
}

/* The next port after this one at which some rule begins or ends. */
static uint32_t next_edge(const struct piece *pieces, size_t n, uint32_t port)
{
	uint32_t next = PORTS;

	for (size_t i = 0; i < n; i++) {
		if (pieces[i].lo > port && pieces[i].lo < next)
			next = pieces[i].lo;
		if (pieces[i].hi > port && pieces[i].hi < next)
			next = pieces[i].hi;
	}
	return next;
}

/* Neighbouring stretches with one verdict become one. */
static int compile_key(struct output *out, const struct piece *pieces, size_t n)
{
	uint32_t lo = 0;
	int err = 0;

	while (lo < PORTS && !err) {
		uint32_t verdict = verdict_at(pieces, n, lo);
		uint32_t hi = next_edge(pieces, n, lo);

		while (hi < PORTS && verdict_at(pieces, n, hi) == verdict)
			hi = next_edge(pieces, n, hi);
		if (verdict)
			err = put_range(out, &pieces->key, lo, hi, verdict);
		lo = hi;
	}
	return err;
}

static int compare(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	return memcmp(&x->key, &y->key, sizeof(x->key));
}

static bool is_rule(const struct bpfmap_rule *rule)
{
	return rule->service && rule->direction <= BPFMAP_EGRESS && rule->port_lo <= rule->port_hi;
}

/* A rule for both protocols is two pieces. */
static size_t cut(const struct bpfmap_rule *rule, uint32_t epoch, struct piece to[2])
{
	static const uint8_t both[] = {IPPROTO_TCP, IPPROTO_UDP};
	const uint8_t *protocols = rule->protocol ? &rule->protocol : both;
	size_t n = rule->protocol ? 1 : ARRAY_SIZE(both);

	for (size_t i = 0; i < n; i++)
		to[i] = (struct piece){
			.key = {.epoch = epoch,
				.service = rule->service,
				.identity = rule->identity,
				.direction = rule->direction,
				.protocol = protocols[i]},
			.lo = rule->port_lo,
			.hi = rule->port_hi + 1U,
			.deny = rule->deny,
		};
	return n;
}

static int compile_pieces(struct output *out, struct piece *pieces, size_t n)
{
	size_t from = 0, to;
	int err = 0;

	qsort(pieces, n, sizeof(*pieces), compare);
	while (from < n && !err) {
		for (to = from + 1; to < n && !compare(&pieces[from], &pieces[to]); to++)
			;
		err = compile_key(out, &pieces[from], to - from);
		from = to;
	}
	return err;
}

int bpfmap_policy_compile(const struct bpfmap_rule *rules, size_t n_rules, uint32_t epoch,
	struct bpfmap_policy_key **ret_keys, uint32_t **ret_values, size_t *ret_n)
{
	cleanup(free) struct piece *pieces = calloc(2 * n_rules + 1, sizeof(*pieces));
	struct output out = {0};
	size_t n = 0;
	int err = 0;

	if (!pieces)
		return -ENOMEM;
	for (size_t i = 0; i < n_rules; i++) {
		if (!is_rule(&rules[i]))
			return -EINVAL;
		n += cut(&rules[i], epoch, &pieces[n]);
	}
	err = compile_pieces(&out, pieces, n);
	if (err) {
		free(out.keys);
		free(out.values);
		return err;
	}
	*ret_keys = out.keys;
	*ret_values = out.values;
	*ret_n = out.n;
	return 0;
}
