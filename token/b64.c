#include "token/b64.h"

#include <errno.h>
#include <stdint.h>

static const char ALPHABET[65] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

#define BAD 64

/* What a character stands for; BAD: not in the alphabet, as are all from 128 on. */
static const uint8_t VALUES[128] = {64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 62, 64, 64, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 64, 64, 64, 64,
	64, 64, 64, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
	22, 23, 24, 25, 64, 64, 64, 64, 63, 64, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38,
	39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 64, 64, 64, 64, 64};

static uint8_t value_of(char c)
{
	return (unsigned char)c < sizeof(VALUES) ? VALUES[(unsigned char)c] : BAD;
}

/* What the last, incomplete quad leaves over is zero bits, and never a single character. */
static bool ends_well(struct span text)
{
	static const uint8_t LEFT_OVER[] = {0, BAD, 15, 3};
	uint8_t last = text.n ? value_of(text.p[text.n - 1]) : 0;

	return text.n % 4 != 1 && !(last & LEFT_OVER[text.n % 4]);
}

/* The bits of n characters, the first on top. They are checked on the way: *bad gets BAD. */
static uint32_t bits_of(const char *p, size_t n, uint8_t *bad)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < n; i++) {
		uint8_t value = value_of(p[i]);

		*bad |= value;
		bits = bits << 6 | value;
	}
	return bits;
}

bool token_b64_check(struct span text)
{
	uint8_t bad = 0;

	for (size_t i = 0; i < text.n; i++)
		bad |= value_of(text.p[i]);
	return !(bad & BAD) && ends_well(text);
}

int token_b64_decode(struct span text, struct wr *out)
{
	size_t n = token_b64_bytes(text.n);
	size_t before = wr_len(out);
	uint8_t bad = 0;
	uint32_t bits;
	uint8_t *at;

	if (!ends_well(text) || n > wr_left(out))
		return token_b64_check(text) ? -ENOSPC : -EBADMSG;
	at = wr_reserve(out, n);
	for (; text.n >= 4; text.p += 4, text.n -= 4) {
		bits = bits_of(text.p, 4, &bad);
		*at++ = (uint8_t)(bits >> 16);
		*at++ = (uint8_t)(bits >> 8);
		*at++ = (uint8_t)bits;
	}
	bits = bits_of(text.p, text.n, &bad);
	if (text.n >= 2)
		*at++ = (uint8_t)(bits >> (6 * text.n - 8));
	if (text.n == 3)
		*at++ = (uint8_t)(bits >> 2);
	if (!(bad & BAD))
		return 0;
	wr_rewind(out, before);
	return -EBADMSG;
}

void token_b64_encode(struct span bytes, struct wr *out)
{
	uint8_t *at = wr_reserve(out, token_b64_chars(bytes.n));
	uint32_t bits = 0;
	unsigned n_bits = 0;

	if (!at)
		return;
	for (size_t i = 0; i < bytes.n; i++) {
		bits = bits << 8 | (uint8_t)bytes.p[i];
		for (n_bits += 8; n_bits >= 6; n_bits -= 6)
			*at++ = (uint8_t)ALPHABET[bits >> (n_bits - 6) & 63];
	}
	if (n_bits)
		*at = (uint8_t)ALPHABET[bits << (6 - n_bits) & 63];
}
