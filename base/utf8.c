#include "base/utf8.h"

#include <stdint.h>

/* RFC 3629 4, one row per line of its grammar: the range of the first byte, and of the second. */
static const struct {
	uint8_t first_lo, first_hi, second_lo, second_hi, len;
} SEQUENCES[] = {
	{0x00, 0x7f, 0x00, 0x00, 1},
	{0xc2, 0xdf, 0x80, 0xbf, 2},
	{0xe0, 0xe0, 0xa0, 0xbf, 3},
	{0xe1, 0xec, 0x80, 0xbf, 3},
	{0xed, 0xed, 0x80, 0x9f, 3},
	{0xee, 0xef, 0x80, 0xbf, 3},
	{0xf0, 0xf0, 0x90, 0xbf, 4},
	{0xf1, 0xf3, 0x80, 0xbf, 4},
	{0xf4, 0xf4, 0x80, 0x8f, 4},
};

static bool is_tail(uint8_t b)
{
	return (b & 0xc0) == 0x80;
}

size_t base_utf8_next(struct span s)
{
	const uint8_t *b = (const uint8_t *)s.p;

	if (!s.n)
		return 0;
	for (size_t i = 0; i < sizeof(SEQUENCES) / sizeof(SEQUENCES[0]); i++) {
		if (b[0] < SEQUENCES[i].first_lo || b[0] > SEQUENCES[i].first_hi)
			continue;

		size_t len = SEQUENCES[i].len;

		if (len > s.n)
			return 0;
		if (len > 1 && (b[1] < SEQUENCES[i].second_lo || b[1] > SEQUENCES[i].second_hi))
			return 0;
		for (size_t k = 2; k < len; k++)
			if (!is_tail(b[k]))
				return 0;
		return len;
	}
	return 0;
}

/* Most texts are nothing but ASCII: eight bytes at a time of it. */
static struct span skip_ascii(struct span s)
{
	uint64_t eight;

	for (; s.n >= sizeof(eight); s.p += sizeof(eight), s.n -= sizeof(eight)) {
		memcpy(&eight, s.p, sizeof(eight));
		if (eight & UINT64_C(0x8080808080808080))
			break;
	}
	return s;
}

bool base_utf8_valid(struct span s)
{
	while ((s = skip_ascii(s)).n) {
		size_t len = base_utf8_next(s);

		if (!len)
			return false;
		s.p += len;
		s.n -= len;
	}
	return true;
}
