#include "base/cidr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#define V4_BITS 96 /* that the prefix ::ffff: takes */

void base_cidr_address(const uint8_t *bytes, unsigned n, uint8_t ret[16])
{
	static const uint8_t V4[12] = {[10] = 0xff, [11] = 0xff};

	if (n == 4)
		memcpy(ret, V4, sizeof(V4));
	memcpy(ret + 16 - n, bytes, n);
}

/* A decimal number without sign or leading zeros, at most max; -1 otherwise. */
static int parse_length(const char *text, int max)
{
	int value = 0;

	if (!*text || (text[0] == '0' && text[1]))
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		value = value * 10 + *text - '0';
		if (value > max)
			return -1;
	}
	return value;
}

/* Only the first bits of the address? */
static bool is_clean(const struct base_cidr *cidr)
{
	for (unsigned i = cidr->bits; i < 128; i++)
		if (cidr->bytes[i / 8] & 0x80 >> i % 8)
			return false;
	return true;
}

int base_cidr_parse(const char *text, struct base_cidr *ret)
{
	struct base_cidr cidr = {.bits = 128};
	const char *slash = strchr(text, '/');
	char address[INET6_ADDRSTRLEN];
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	uint8_t bytes[16];
	bool v4;

	if (n >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, n);
	address[n] = '\0';
	v4 = inet_pton(AF_INET, address, bytes) == 1;
	if (!v4 && inet_pton(AF_INET6, address, bytes) != 1)
		return -EINVAL;
	base_cidr_address(bytes, v4 ? 4 : 16, cidr.bytes);
	if (slash) {
		int length = parse_length(slash + 1, v4 ? 32 : 128);

		if (length < 0)
			return -EINVAL;
		cidr.bits = (uint8_t)(length + (v4 ? V4_BITS : 0));
	}
	if (!is_clean(&cidr))
		return -ERANGE;
	*ret = cidr;
	return 0;
}

bool base_cidr_has(const struct base_cidr *cidr, const uint8_t address[16])
{
	unsigned whole = cidr->bits / 8;
	unsigned rest = cidr->bits % 8;

	if (memcmp(cidr->bytes, address, whole))
		return false;
	return !rest || (uint8_t)(cidr->bytes[whole] ^ address[whole]) >> (8 - rest) == 0;
}
