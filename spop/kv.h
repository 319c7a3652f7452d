/*
 * KV-LIST, the payload of HELLO and DISCONNECT (SPOE.txt 3.1, 3.2.4): pairs
 * of a name and a typed value. The reader knows which names it wants.
 */
#ifndef SPOP_KV_H
#define SPOP_KV_H

#include "base/mem.h"
#include "spop/data.h"

#define SPOP_KV_MAX 8

/* Types are a set: bit 1 << type. */
#define SPOP_KV_BOOL (1u << SPOP_BOOL)
#define SPOP_KV_STR  (1u << SPOP_STR)
#define SPOP_KV_INT  (1u << SPOP_INT32 | 1u << SPOP_UINT32 | 1u << SPOP_INT64 | 1u << SPOP_UINT64)

struct spop_kv_key {
	const char *name;
	unsigned types;
};

/* values[i] belongs to keys[i]; SPOP_NULL when the key was not there. Spans borrow. */
struct spop_kv {
	struct spop_data values[SPOP_KV_MAX];
};

/*
 * Reads the whole list. Names match exactly; unknown ones are skipped,
 * whatever their type. At most SPOP_KV_MAX keys.
 * 0, or -EBADMSG: malformed, a value of a type that its key does not take, a
 * text with a NUL inside, or a key twice; then *ret_kv is untouched.
 */
int spop_kv_parse(struct span payload, const struct spop_kv_key *keys, size_t n_keys,
	struct spop_kv *ret_kv) must_check;

/*
 * An integer of any of the four types as an unsigned one; UINT64_MAX for a
 * negative one, which is as far outside every limit as can be.
 */
uint64_t spop_kv_uint(const struct spop_data *value);

void spop_kv_encode_str(struct wr *w, const char *name, struct span value);
void spop_kv_encode_uint32(struct wr *w, const char *name, uint32_t value);
void spop_kv_encode_bool(struct wr *w, const char *name, bool value);

#endif
