/*
 * Integers and typed values of SPOP (SPOE.txt 3.1).
 */
#ifndef SPOP_DATA_H
#define SPOP_DATA_H

#include "base/rd.h"
#include "base/wr.h"

#include <stdbool.h>
#include <stdint.h>

enum spop_type {
	SPOP_NULL = 0,
	SPOP_BOOL = 1,
	SPOP_INT32 = 2,
	SPOP_UINT32 = 3,
	SPOP_INT64 = 4,
	SPOP_UINT64 = 5,
	SPOP_IPV4 = 6,
	SPOP_IPV6 = 7,
	SPOP_STR = 8,
	SPOP_BIN = 9,
};

/* One value. Spans borrow from the buffer that was parsed. */
struct spop_data {
	enum spop_type type;
	union {
		bool boolean;
		int64_t sint;     /* INT32, INT64 */
		uint64_t uint;    /* UINT32, UINT64 */
		uint8_t ip[16];   /* IPV4 uses the first 4; network order */
		struct span text; /* STR, BIN; may be empty */
	};
};

/* At most 10 bytes and 64 bits; longer or overflowing ones make r bad. 0 when bad. */
uint64_t spop_varint_parse(struct rd *r);
void spop_varint_encode(struct wr *w, uint64_t v);
#define SPOP_VARINT_MAX 10

/* Length as varint, then the bytes; empty is allowed. */
struct span spop_string_parse(struct rd *r);
void spop_string_encode(struct wr *w, struct span s);

/*
 * Reserved types (10 to 15) and integers outside their type's range make r
 * bad; then *ret_data is SPOP_NULL. Flag bits that a type does not define are
 * ignored. A negative INT32 may come as 32 bits or sign extended to 64.
 */
void spop_data_parse(struct rd *r, struct spop_data *ret_data);

/*
 * STR is sent as exactly 0x08: HAProxy compares unmasked. A negative INT32 is
 * sent sign extended. A type or an integer that does not exist makes w bad.
 */
void spop_data_encode(struct wr *w, const struct spop_data *data);

#endif
