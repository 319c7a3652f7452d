/*
 * Ranges of IP addresses as they are written in a configuration: RFC 4632 3.1,
 * RFC 4291 2.3. IPv4 is held as the IPv6 address ::ffff:a.b.c.d (RFC 4291
 * 2.5.5.2), so an IPv4 peer of an IPv6 socket is in the ranges that one expects.
 */
#ifndef BASE_CIDR_H
#define BASE_CIDR_H

#include "base/mem.h"

#include <stdbool.h>
#include <stdint.h>

struct base_cidr {
	uint8_t bytes[16];
	uint8_t bits; /* 0 to 128: how many of the bytes count */
};

/*
 * "192.0.2.0/24", "192.0.2.7", "2001:db8::/32", "::1". 0; -EINVAL: no literal
 * address, or a length that it cannot have; -ERANGE: bits behind the length
 * are set, so that one of the two is a mistake.
 */
int base_cidr_parse(const char *text, struct base_cidr *ret) must_check;

/* The address in the form above: n is 4 or 16. */
void base_cidr_address(const uint8_t *bytes, unsigned n, uint8_t ret[16]);

bool base_cidr_has(const struct base_cidr *cidr, const uint8_t address[16]);

#endif
