#include "bpfmap/link.h"
#include "bpfmap/load.h"
#include "bpfmap/pin.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int unpin(const char *dir, const char *name, unsigned *n, char *why)
{
	char path[PATH_MAX];
	int err = bpfmap_pin_path(dir, name, path);

	if (err)
		return bpfmap_why(why, err, "the path of the bpffs is too long");
	if (!unlink(path)) {
		*n += 1;
		return 0;
	}
	if (errno == ENOENT)
		return 0;
	return bpfmap_why(why, -errno, "%s cannot be removed: %s", path, strerror(errno));
}

int bpfmap_unload(const char *dir, unsigned *ret_n, char why[BPFMAP_WHY])
{
	cleanup(fd) int link_fd = -1;
	unsigned n = 0;
	int err;

	/* Without this a process that has the link open would keep the program running. */
	if (!bpfmap_link_open(dir, &link_fd)) {
		err = bpf_link_detach(link_fd);
		if (err && err != -ENOLINK)
			return bpfmap_why(
				why, err, "the program cannot be detached: %s", strerror(-err));
	}
	err = unpin(dir, BPFMAP_PIN_SOCK_OPS, &n, why);
	if (!err)
		err = unpin(dir, BPFMAP_LINK_ASIDE, &n, why);
	for (int i = 0; i < BPFMAP_MAPS && !err; i++)
		err = unpin(dir, bpfmap_pins[i].name, &n, why);
	if (err)
		return err;
	*ret_n = n;
	return 0;
}
