#include "token/b64.h"

#include <errno.h>
#include <stdint.h>

static const char ALPHABET[65] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* 64 and more: not in the alphabet. */
static uint8_t value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (uint8_t)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (uint8_t)(c - 'a' + 26);
	if (c >= '0' && c <= '9')
		return (uint8_t)(c - '0' + 52);
	if (c == '-')
		return 62;
	return c == '_' ? 63 : 64;
}

bool token_b64_check(struct span text)
{
	uint8_t bad = 0;

	if (text.n % 4 == 1)
		return false;
	for (size_t i = 0; i < text.n; i++)
		bad |= value_of(text.p[i]);
	if (bad & 64)
		return false;
	if (text.n % 4 == 2)
		return (value_of(text.p[text.n - 1]) & 15) == 0;
	if (text.n % 4 == 3)
		return (value_of(text.p[text.n - 1]) & 3) == 0;
	return true;
}

int token_b64_decode(struct span text, struct wr *out)
{
	uint32_t bits = 0;
	unsigned n_bits = 0;
	uint8_t *at;

	if (!token_b64_check(text))
		return -EBADMSG;
	if (token_b64_bytes(text.n) > wr_left(out))
		return -ENOSPC;
	at = wr_reserve(out, token_b64_bytes(text.n));
	for (size_t i = 0; i < text.n; i++) {
		bits = bits << 6 | value_of(text.p[i]);
		n_bits += 6;
		if (n_bits >= 8) {
			n_bits -= 8;
			*at++ = (uint8_t)(bits >> n_bits);
		}
	}
	return 0;
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
