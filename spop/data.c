#include "spop/data.h"

#include "base/mem.h"

#include <assert.h>

/* The first byte of a value: type below, flags above. BOOL keeps its value in a flag. */
#define TYPE_MASK 0x0f
#define FLAG_TRUE 0x10

/*
 * The first byte is the whole value below 240; else it carries 4 bits, every
 * further byte 7, and one below 128 is the last (SPOE.txt 3.1). No value has
 * two encodings.
 */
#define ONE_BYTE   240
#define MORE       128
#define LAST_SHIFT 60 /* of the tenth byte: 4 bits of it are left */

/* What follows a first byte of v >= ONE_BYTE. Apart from the usual case, so that that is short. */
static __attribute__((noinline)) uint64_t parse_more(struct rd *r, uint64_t v)
{
	uint64_t b = MORE;

	for (unsigned shift = 4; b >= MORE; shift += 7) {
		b = rd_u8(r);
		if (shift == LAST_SHIFT && b > 15)
			r->bad = true;
		if (r->bad || __builtin_add_overflow(v, b << shift, &v)) {
			r->bad = true;
			return 0;
		}
	}
	return v;
}

uint64_t spop_varint_parse(struct rd *r)
{
	uint64_t v = rd_u8(r);

	return v < ONE_BYTE ? v : parse_more(r, v);
}

static __attribute__((noinline)) void encode_many(struct wr *w, uint64_t v)
{
	uint8_t bytes[SPOP_VARINT_MAX];
	size_t n = 0;

	bytes[n++] = (uint8_t)(v | ONE_BYTE);
	v = (v - ONE_BYTE) >> 4;
	while (v >= MORE) {
		bytes[n++] = (uint8_t)(v | MORE);
		v = (v - MORE) >> 7;
	}
	bytes[n++] = (uint8_t)v;
	wr_bytes(w, bytes, n);
}

void spop_varint_encode(struct wr *w, uint64_t v)
{
	if (v < ONE_BYTE)
		wr_u8(w, (uint8_t)v);
	else
		encode_many(w, v);
}

struct span spop_string_parse(struct rd *r)
{
	return rd_bytes(r, spop_varint_parse(r));
}

void spop_string_encode(struct wr *w, struct span s)
{
	spop_varint_encode(w, s.n);
	wr_bytes(w, s.p, s.n);
}

static void parse_null(struct rd *r, struct spop_data *data)
{
	(void)r;
	(void)data;
}

/*
 * A negative INT32 may come as the 32 bits of its two's complement or sign
 * extended to 64: both are in the field, and no value has both meanings.
 */
static void parse_int32(struct rd *r, struct spop_data *data)
{
	uint64_t v = spop_varint_parse(r);

	if (v <= UINT32_MAX)
		data->sint = (int32_t)(uint32_t)v;
	else if (v >= (uint64_t)(int64_t)INT32_MIN)
		data->sint = (int64_t)v;
	else
		r->bad = true;
}

static void parse_uint32(struct rd *r, struct spop_data *data)
{
	data->uint = spop_varint_parse(r);
	if (data->uint > UINT32_MAX)
		r->bad = true;
}

static void parse_int64(struct rd *r, struct spop_data *data)
{
	data->sint = (int64_t)spop_varint_parse(r);
}

static void parse_uint64(struct rd *r, struct spop_data *data)
{
	data->uint = spop_varint_parse(r);
}

static void parse_ip(struct rd *r, struct spop_data *data)
{
	struct span s = rd_bytes(r, data->type == SPOP_IPV4 ? 4 : 16);

	memset(data->ip, 0, sizeof(data->ip));
	if (s.n)
		memcpy(data->ip, s.p, s.n);
}

static void parse_text(struct rd *r, struct spop_data *data)
{
	data->text = spop_string_parse(r);
}

static void encode_null(struct wr *w, const struct spop_data *data)
{
	(void)w;
	(void)data;
}

static void encode_int32(struct wr *w, const struct spop_data *data)
{
	if (data->sint < INT32_MIN || data->sint > INT32_MAX)
		w->bad = true;
	spop_varint_encode(w, (uint64_t)data->sint);
}

static void encode_uint32(struct wr *w, const struct spop_data *data)
{
	if (data->uint > UINT32_MAX)
		w->bad = true;
	spop_varint_encode(w, data->uint);
}

static void encode_int64(struct wr *w, const struct spop_data *data)
{
	spop_varint_encode(w, (uint64_t)data->sint);
}

static void encode_uint64(struct wr *w, const struct spop_data *data)
{
	spop_varint_encode(w, data->uint);
}

static void encode_ip(struct wr *w, const struct spop_data *data)
{
	wr_bytes(w, data->ip, data->type == SPOP_IPV4 ? 4 : 16);
}

static void encode_text(struct wr *w, const struct spop_data *data)
{
	spop_string_encode(w, data->text);
}

/* What follows the first byte, both ways. */
static const struct body {
	void (*parse)(struct rd *r, struct spop_data *data);
	void (*encode)(struct wr *w, const struct spop_data *data);
} bodies[] = {
	[SPOP_NULL] = {parse_null, encode_null},
	[SPOP_BOOL] = {parse_null, encode_null},
	[SPOP_INT32] = {parse_int32, encode_int32},
	[SPOP_UINT32] = {parse_uint32, encode_uint32},
	[SPOP_INT64] = {parse_int64, encode_int64},
	[SPOP_UINT64] = {parse_uint64, encode_uint64},
	[SPOP_IPV4] = {parse_ip, encode_ip},
	[SPOP_IPV6] = {parse_ip, encode_ip},
	[SPOP_STR] = {parse_text, encode_text},
	[SPOP_BIN] = {parse_text, encode_text},
};
static_assert(ARRAY_SIZE(bodies) == SPOP_BIN + 1, "every type has a body");

void spop_data_parse(struct rd *r, struct spop_data *ret_data)
{
	uint8_t first = rd_u8(r);
	struct spop_data data = {.type = first & TYPE_MASK};

	if (data.type >= ARRAY_SIZE(bodies)) {
		r->bad = true;
	} else {
		if (data.type == SPOP_BOOL)
			data.boolean = first & FLAG_TRUE;
		bodies[data.type].parse(r, &data);
	}
	if (r->bad)
		data = (struct spop_data){.type = SPOP_NULL};
	*ret_data = data;
}

void spop_data_encode(struct wr *w, const struct spop_data *data)
{
	bool yes = data->type == SPOP_BOOL && data->boolean;

	if (data->type >= ARRAY_SIZE(bodies)) {
		w->bad = true;
		return;
	}
	wr_u8(w, (uint8_t)(data->type | (yes ? FLAG_TRUE : 0)));
	bodies[data->type].encode(w, data);
}
