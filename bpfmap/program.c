#include "bpfmap/program.h"

#include "bpfmap/link.h"
#include "bpfmap/pin.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define NO_CONNECT "an identity can connect wherever HAProxy can"
#define NO_SENDMSG "an identity can send UDP wherever HAProxy can"
#define NO_PACKETS "packets are not counted by identity, and those of revoked connections pass"

const struct bpfmap_program_info bpfmap_programs[BPFMAP_PROGRAMS] = {
	[BPFMAP_PROGRAM_SOCK_OPS] = {"sock_ops", "identityd_sock_ops", BPFMAP_PLACE_CGROUP, true,
		"no connection has an entry"},
	[BPFMAP_PROGRAM_UPDATE] = {"update", "identityd_update", BPFMAP_PLACE_RUN, true,
		"no identity can be written"},
	[BPFMAP_PROGRAM_CONNECT4] = {"connect4", "identityd_connect4", BPFMAP_PLACE_CGROUP, false,
		NO_CONNECT " (IPv4)"},
	[BPFMAP_PROGRAM_CONNECT6] = {"connect6", "identityd_connect6", BPFMAP_PLACE_CGROUP, false,
		NO_CONNECT " (IPv6)"},
	[BPFMAP_PROGRAM_SENDMSG4] = {"sendmsg4", "identityd_sendmsg4", BPFMAP_PLACE_CGROUP, false,
		NO_SENDMSG " (IPv4)"},
	[BPFMAP_PROGRAM_SENDMSG6] = {"sendmsg6", "identityd_sendmsg6", BPFMAP_PLACE_CGROUP, false,
		NO_SENDMSG " (IPv6)"},
	[BPFMAP_PROGRAM_INGRESS] = {"ingress", "identityd_ingress", BPFMAP_PLACE_CGROUP, false,
		NO_PACKETS " (to HAProxy)"},
	[BPFMAP_PROGRAM_EGRESS] = {"egress", "identityd_egress", BPFMAP_PLACE_CGROUP, false,
		NO_PACKETS " (from HAProxy)"},
	[BPFMAP_PROGRAM_KILL] = {"kill", "identityd_kill", BPFMAP_PLACE_READ, false,
		"revoked and expired connections are not ended: their packets are dropped until "
		"HAProxy's timeouts end them"},
	[BPFMAP_PROGRAM_LOOK] = {"look", "identityd_look", BPFMAP_PLACE_READ, false,
		"entries of connections that ended unseen stay until their pair is used again"},
};

enum bpfmap_program bpfmap_program_named(const char *pin)
{
	int i = 0;

	while (i < BPFMAP_PROGRAMS && strcmp(pin, bpfmap_programs[i].pin))
		i++;
	return (enum bpfmap_program)i;
}

/*
 * Opened anew each time: identityd-setup may have replaced the link. That
 * there is no descriptor or memory to look with says nothing about the link.
 */
static int is_attached(const char *dir, const char *pin, bool *ret_there)
{
	cleanup(fd) int fd = -1;
	uint64_t cgroup = 0;
	int err = bpfmap_link_open(dir, pin, &fd);

	if (!err)
		err = bpfmap_link_cgroup(fd, &cgroup);
	if (err == -EMFILE || err == -ENFILE || err == -ENOMEM)
		return err;
	*ret_there = !err && cgroup;
	return 0;
}

int bpfmap_program_there(const char *dir, enum bpfmap_program program, bool *ret_there)
{
	const struct bpfmap_program_info *info = &bpfmap_programs[program];
	char path[PATH_MAX];
	struct stat st;
	int err;

	if (info->place == BPFMAP_PLACE_CGROUP)
		return is_attached(dir, info->pin, ret_there);
	err = bpfmap_pin_path(dir, info->pin, path);
	if (err)
		return err;
	*ret_there = !stat(path, &st);
	return 0;
}
