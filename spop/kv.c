#include "spop/kv.h"

#include <assert.h>
#include <errno.h>

static size_t find(const struct spop_kv_key *keys, size_t n_keys, struct span name)
{
	size_t i = 0;

	while (i < n_keys && !span_is(name, keys[i].name))
		i++;
	return i;
}

/* Nothing that we read by name may hide a NUL: it ends up in comparisons and logs. */
static bool fits(const struct spop_kv_key *key, const struct spop_data *value)
{
	if (!(key->types & 1u << value->type))
		return false;
	return value->type != SPOP_STR || !value->text.n ||
	       !memchr(value->text.p, '\0', value->text.n);
}

int spop_kv_parse(
	struct span payload, const struct spop_kv_key *keys, size_t n_keys, struct spop_kv *ret_kv)
{
	struct rd r = rd_span(payload);
	struct spop_kv kv = {0};

	assert(n_keys <= SPOP_KV_MAX);
	while (rd_left(&r)) {
		struct spop_data value;
		size_t i = find(keys, n_keys, spop_string_parse(&r));

		spop_data_parse(&r, &value);
		if (r.bad)
			return -EBADMSG;
		if (i == n_keys)
			continue;
		/* No key takes NULL, so a value that is not NULL was there before. */
		if (!fits(&keys[i], &value) || kv.values[i].type != SPOP_NULL)
			return -EBADMSG;
		kv.values[i] = value;
	}
	*ret_kv = kv;
	return 0;
}

uint64_t spop_kv_uint(const struct spop_data *value)
{
	if (value->type == SPOP_UINT32 || value->type == SPOP_UINT64)
		return value->uint;
	return value->sint < 0 ? UINT64_MAX : (uint64_t)value->sint;
}

static void encode(struct wr *w, const char *name, const struct spop_data *value)
{
	spop_string_encode(w, span_of(name));
	spop_data_encode(w, value);
}

void spop_kv_encode_str(struct wr *w, const char *name, struct span value)
{
	encode(w, name, &(struct spop_data){.type = SPOP_STR, .text = value});
}

void spop_kv_encode_uint32(struct wr *w, const char *name, uint32_t value)
{
	encode(w, name, &(struct spop_data){.type = SPOP_UINT32, .uint = value});
}

void spop_kv_encode_bool(struct wr *w, const char *name, bool value)
{
	encode(w, name, &(struct spop_data){.type = SPOP_BOOL, .boolean = value});
}
