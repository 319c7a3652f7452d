/*
 * Which addresses a request may connect to (RFC 8725bis 3.10). A name that a
 * provider, or whoever answers its DNS, points at this machine or its
 * neighbours must not become a request to them. So addresses that are not
 * public are refused, unless they are what the operator wrote: as the literal
 * host of the URL, or as one of the request's networks.
 */
#ifndef NET_VET_H
#define NET_VET_H

#include "base/cidr.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#define NET_NETWORKS_MAX 32

struct net_vet {
	struct base_cidr allowed[NET_NETWORKS_MAX + 2]; /* the networks, and the host itself */
	size_t n_allowed;
	bool anything; /* the operator's proxy, or a unix socket: nothing to look at */
	bool only_us;  /* plain http that is good for this machine alone */
};

/*
 * The rules for one request: host is the URL's, without brackets. 0, or -EINVAL
 * for a network that is none or one too many.
 */
int net_vet_init(struct net_vet *vet, const char *host, const char *const *networks,
	size_t n_networks) must_check;

/* Does this host, a literal address or "localhost", mean this machine? */
bool net_vet_is_us(const char *host);

bool net_vet_address(const struct net_vet *vet, const struct sockaddr *address);
/* The same for an address as text. */
bool net_vet_text(const struct net_vet *vet, const char *address);

#endif
