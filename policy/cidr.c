#include "policy/cidr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

int policy_address_parse(const char *text, struct policy_address *ret_address)
{
	struct policy_address address = {.len = strchr(text, ':') ? 16 : 4};

	if (inet_pton(address.len == 16 ? AF_INET6 : AF_INET, text, address.bytes) != 1)
		return -EINVAL;
	*ret_address = address;
	return 0;
}

/* One or more digits without a leading zero, up to max. */
static int parse_bits(const char *text, unsigned max, uint8_t *ret_bits)
{
	unsigned bits = 0;
	size_t n = strlen(text);

	if (!n || n > 3 || strspn(text, "0123456789") != n || (text[0] == '0' && n > 1))
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		bits = bits * 10 + (unsigned)(text[i] - '0');
	if (bits > max)
		return -EINVAL;
	*ret_bits = (uint8_t)bits;
	return 0;
}

static uint8_t mask_of(unsigned bits, unsigned byte)
{
	unsigned left = bits > byte * 8 ? bits - byte * 8 : 0;

	return left >= 8 ? 0xFF : (uint8_t)(0xFF00 >> left);
}

int policy_cidr_parse(const char *text, bool alone_too, struct policy_range *ret_cidr)
{
	const char *slash = strchr(text, '/');
	struct policy_range cidr;
	char address[64];

	if ((!slash && !alone_too) || strlen(text) >= sizeof(address))
		return -EINVAL;
	snprintf(address, sizeof(address), "%.*s",
		(int)(slash ? (size_t)(slash - text) : strlen(text)), text);
	if (policy_address_parse(address, &cidr.net))
		return -EINVAL;
	cidr.bits = (uint8_t)(cidr.net.len * 8);
	if (slash && parse_bits(slash + 1, cidr.net.len * 8u, &cidr.bits))
		return -EINVAL;
	for (unsigned i = 0; i < cidr.net.len; i++)
		cidr.net.bytes[i] &= mask_of(cidr.bits, i);
	*ret_cidr = cidr;
	return 0;
}

int policy_range_parse(const char *text, struct policy_range *ret_range)
{
	return policy_cidr_parse(text, true, ret_range);
}

bool policy_cidr_has(const struct policy_range *cidr, const struct policy_address *address)
{
	bool has = cidr->net.len == address->len;

	for (unsigned i = 0; has && i < address->len; i++)
		has = (address->bytes[i] & mask_of(cidr->bits, i)) == cidr->net.bytes[i];
	return has;
}

bool policy_cidr_holds(const struct policy_cidr_rule *rule, const struct policy_address *address)
{
	bool holds = policy_cidr_has(&rule->cidr, address);

	for (size_t i = 0; holds && i < rule->n_except; i++)
		holds = !policy_cidr_has(&rule->except[i], address);
	return holds;
}
