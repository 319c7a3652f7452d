#include "net/vet.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

static const char *const US[] = {"127.0.0.0/8", "::1"};

/* What is not a public unicast address: IANA's special-purpose registries (RFC 6890). */
static const char *const NOT_PUBLIC[] = {
	"0.0.0.0/8",
	"10.0.0.0/8",
	"100.64.0.0/10",
	"127.0.0.0/8",
	"169.254.0.0/16",
	"172.16.0.0/12",
	"192.0.0.0/24",
	"192.168.0.0/16",
	"198.18.0.0/15",
	"224.0.0.0/3",  /* multicast, reserved, broadcast */
	"::/96",        /* unspecified, loopback, what once held IPv4 addresses */
	"64:ff9b::/96", /* IPv4 addresses behind a translator: any of the above */
	"64:ff9b:1::/48",
	"100::/64",
	"2001::/23", /* Teredo and others */
	"2002::/16", /* 6to4: the same */
	"fc00::/7",
	"fe80::/10",
	"fec0::/10",
	"ff00::/8",
};

static bool is_in(const uint8_t address[16], const char *const *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct base_cidr range;

		if (base_cidr_parse(ranges[i], &range) == 0 && base_cidr_has(&range, address))
			return true;
	}
	return false;
}

bool net_vet_is_us(const char *host)
{
	struct base_cidr literal;

	if (!strcasecmp(host, "localhost"))
		return true;
	return !strchr(host, '/') && base_cidr_parse(host, &literal) == 0 &&
	       is_in(literal.bytes, US, ARRAY_SIZE(US));
}

int net_vet_init(
	struct net_vet *vet, const char *host, const char *const *networks, size_t n_networks)
{
	struct net_vet v = {0};

	if (n_networks > NET_NETWORKS_MAX)
		return -EINVAL;
	for (size_t i = 0; i < n_networks; i++)
		if (base_cidr_parse(networks[i], &v.allowed[v.n_allowed++]))
			return -EINVAL;
	if (!strcasecmp(host, "localhost")) {
		for (size_t i = 0; i < ARRAY_SIZE(US); i++)
			(void)!base_cidr_parse(US[i], &v.allowed[v.n_allowed++]);
	} else if (!strchr(host, '/') && base_cidr_parse(host, &v.allowed[v.n_allowed]) == 0) {
		v.n_allowed++;
	}
	*vet = v;
	return 0;
}

static bool vet_bytes(const struct net_vet *vet, const uint8_t address[16])
{
	if (vet->only_us)
		return is_in(address, US, ARRAY_SIZE(US));
	for (size_t i = 0; i < vet->n_allowed; i++)
		if (base_cidr_has(&vet->allowed[i], address))
			return true;
	return !is_in(address, NOT_PUBLIC, ARRAY_SIZE(NOT_PUBLIC));
}

bool net_vet_address(const struct net_vet *vet, const struct sockaddr *address)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
	uint8_t bytes[16];

	if (vet->anything)
		return true;
	if (address->sa_family == AF_INET)
		base_cidr_address((const uint8_t *)&v4->sin_addr, 4, bytes);
	else if (address->sa_family == AF_INET6)
		base_cidr_address((const uint8_t *)&v6->sin6_addr, 16, bytes);
	else
		return false;
	return vet_bytes(vet, bytes);
}

bool net_vet_text(const struct net_vet *vet, const char *address)
{
	struct base_cidr literal;

	if (vet->anything)
		return true;
	return base_cidr_parse(address, &literal) == 0 && vet_bytes(vet, literal.bytes);
}
