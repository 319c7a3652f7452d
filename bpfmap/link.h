/* The pinned links that hold programs on their cgroup. */
#ifndef BPFMAP_LINK_H
#define BPFMAP_LINK_H

#include "base/mem.h"

#include <stdint.h>

/* Where a new pin waits before it takes the place of the old one. A bpffs takes no dots. */
#define BPFMAP_ASIDE "aside"

/*
 * Opens the pinned link. 0 or -errno: -ENOENT no pin, -EPROTO it is another
 * kind of link. The kernel wants read and write permission on the pin.
 */
int bpfmap_link_open(const char *dir, const char *pin, int *ret_fd) must_check;

/*
 * Which cgroup the link holds; 0 when it was detached or the kernel dropped
 * the cgroup (removed, and its last socket closed). 0 or -errno.
 */
int bpfmap_link_cgroup(int link_fd, uint64_t *ret_id) must_check;

#endif
