#include "bpfmap/link.h"

#include "bpfmap/pin.h"

#include <bpf/bpf.h>
#include <errno.h>

static int link_info(int fd, struct bpf_link_info *ret_info)
{
	uint32_t len = sizeof(*ret_info);
	int err = bpf_obj_get_info_by_fd(fd, ret_info, &len);

	if (err)
		return err;
	return ret_info->type == BPF_LINK_TYPE_CGROUP ? 0 : -EPROTO;
}

int bpfmap_link_open(const char *dir, const char *pin, int *ret_fd)
{
	struct bpf_link_info info = {0};
	char path[PATH_MAX];
	cleanup(fd) int fd = -1;
	int err;

	err = bpfmap_pin_path(dir, pin, path);
	if (err)
		return err;
	fd = bpf_obj_get(path);
	if (fd < 0)
		return fd;
	err = link_info(fd, &info);
	if (err)
		return err;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int bpfmap_link_cgroup(int link_fd, uint64_t *ret_id)
{
	struct bpf_link_info info = {0};
	int err = link_info(link_fd, &info);

	if (err)
		return err;
	*ret_id = info.cgroup.cgroup_id;
	return 0;
}
