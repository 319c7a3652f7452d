#include "etcd/base64.h"

#include <errno.h>
#include <stdint.h>

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static uint32_t byte(struct span s, size_t i)
{
	return i < s.n ? (unsigned char)s.p[i] : 0;
}

void etcd_base64_encode(struct span bytes, char *to)
{
	for (size_t i = 0; i < bytes.n; i += 3) {
		uint32_t three =
			byte(bytes, i) << 16 | byte(bytes, i + 1) << 8 | byte(bytes, i + 2);
		size_t left = bytes.n - i;

		*to++ = ALPHABET[three >> 18];
		*to++ = ALPHABET[three >> 12 & 63];
		*to++ = left > 1 ? ALPHABET[three >> 6 & 63] : '=';
		*to++ = left > 2 ? ALPHABET[three & 63] : '=';
	}
	*to = '\0';
}

/* The six bits of a character; -1: it has none. */
static int bits(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* One group of four characters, the last n_pad of them padding. */
static int decode_group(const char *four, size_t n_pad, char *to)
{
	uint32_t all = 0;

	for (size_t i = 0; i < 4; i++) {
		int six = i < 4 - n_pad ? bits(four[i]) : 0;

		if (six < 0)
			return -EINVAL;
		all = all << 6 | (uint32_t)six;
	}
	if (all & ((UINT32_C(1) << 8 * n_pad) - 1))
		return -EINVAL;
	for (size_t i = 0; i < 3 - n_pad; i++)
		to[i] = (char)(all >> (16 - 8 * i));
	return 0;
}

int etcd_base64_decode(struct span text, char *to, size_t *ret_n)
{
	size_t n_pad = 0;

	if (text.n % 4)
		return -EINVAL;
	while (n_pad < 2 && n_pad < text.n && text.p[text.n - 1 - n_pad] == '=')
		n_pad++;
	for (size_t i = 0; i < text.n; i += 4) {
		size_t pad = i + 4 == text.n ? n_pad : 0;

		if (decode_group(text.p + i, pad, to + i / 4 * 3))
			return -EINVAL;
	}
	*ret_n = text.n / 4 * 3 - n_pad;
	return 0;
}
