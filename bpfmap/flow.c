#include "bpfmap/bpfmap.h"

#include <errno.h>
#include <string.h>

static bool is_mapped(const uint8_t *addr, size_t len)
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff}; /* RFC 4291 2.5.5.2 */

	return len == 16 && !memcmp(addr, prefix, sizeof(prefix));
}

/* The family of an address; *addr and *len lose a mapping prefix. 0: not an address. */
static uint8_t unmap(const uint8_t **addr, size_t *len)
{
	if (is_mapped(*addr, *len)) {
		*addr += 12;
		*len = 4;
	}
	return *len == 4 ? BPFMAP_FAMILY_IPV4 : *len == 16 ? BPFMAP_FAMILY_IPV6 : 0;
}

int bpfmap_flow_key(const uint8_t *remote, size_t remote_len, uint16_t remote_port,
	const uint8_t *local, size_t local_len, uint16_t local_port,
	struct bpfmap_flow_key *ret_key)
{
	uint8_t family = unmap(&remote, &remote_len);

	if (!family || family != unmap(&local, &local_len))
		return -EINVAL;
	*ret_key = (struct bpfmap_flow_key){
		.remote_port = remote_port,
		.local_port = local_port,
		.family = family,
	};
	memcpy(ret_key->remote_addr, remote, remote_len);
	memcpy(ret_key->local_addr, local, local_len);
	return 0;
}
