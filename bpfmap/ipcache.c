#include "bpfmap/ipcache.h"

#include "bpfmap/pin.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATIC_BITS 32 /* of the prefix length: cluster, padding and family */

struct key {
	uint32_t prefix;
	uint16_t cluster;
	uint8_t pad;
	uint8_t family;
	uint8_t address[16];
};
_Static_assert(sizeof(struct key) == 24, "bpf/lib/eps.h: struct ipcache_key");

enum family {
	FAMILY_V4 = 1,
	FAMILY_V6 = 2,
};

struct value {
	uint32_t identity;
	uint8_t rest[20]; /* 8 in version 1 */
};
_Static_assert(sizeof(struct value) == 24, "bpf/lib/eps.h: struct remote_endpoint_info");

/* By version, less 1. */
static const struct {
	const char *name;
	uint32_t value_size;
} LAYOUTS[] = {{BPFMAP_IPCACHE_V1, 12}, {BPFMAP_IPCACHE_V2, sizeof(struct value)}};

struct bpfmap_ipcache {
	int fd;
	unsigned version;
	dev_t dev;
	ino_t ino;
	char dir[PATH_MAX];
};

static int open_map(const char *path, unsigned version, int *ret_fd, char why[BPFMAP_WHY])
{
	LIBBPF_OPTS(bpf_obj_get_opts, opts, .file_flags = BPF_F_RDONLY);
	const uint32_t value_size = LAYOUTS[version - 1].value_size;
	struct bpf_map_info info = {0};
	uint32_t info_len = sizeof(info);
	cleanup(fd) int fd = bpf_obj_get_opts(path, &opts);
	int err;

	if (fd == -EACCES)
		return bpfmap_why(why, fd,
			"%s may not be read: identityd-setup --grant-ipcache gives the right",
			path);
	if (fd < 0)
		return bpfmap_why(why, fd, "%s: %s", path, strerror(-fd));
	err = bpf_obj_get_info_by_fd(fd, &info, &info_len);
	if (err)
		return bpfmap_why(why, err, "%s: no information: %s", path, strerror(-err));
	if (info.type != BPF_MAP_TYPE_LPM_TRIE || info.key_size != sizeof(struct key) ||
		info.value_size != value_size)
		return bpfmap_why(why, -EPROTO,
			"%s is no map that we can read: expected lpm_trie, key 24, value %u; found "
			"type %u, key %u, value %u",
			path, value_size, info.type, info.key_size, info.value_size);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int bpfmap_ipcache_check(const char *path, unsigned version, char why[BPFMAP_WHY])
{
	cleanup(fd) int fd = -1;

	return open_map(path, version, &fd, why);
}

static int open_version(
	const char *dir, unsigned version, struct bpfmap_ipcache *ipcache, char why[BPFMAP_WHY])
{
	char path[PATH_MAX];
	struct stat st;
	int err = bpfmap_pin_path(dir, LAYOUTS[version - 1].name, path);

	if (err)
		return bpfmap_why(why, err, "the path of the ipcache is too long");
	/* Looked at before it is opened: a pin that is replaced between the two is found out later. */
	if (stat(path, &st))
		return bpfmap_why(why, -errno, "%s: %s", path, strerror(errno));
	err = open_map(path, version, &ipcache->fd, why);
	if (err)
		return err;
	ipcache->version = version;
	ipcache->dev = st.st_dev;
	ipcache->ino = st.st_ino;
	return 0;
}

int bpfmap_ipcache_open(const char *dir, struct bpfmap_ipcache **ret, char why[BPFMAP_WHY])
{
	cleanup(bpfmap_ipcache) struct bpfmap_ipcache *ipcache = calloc(1, sizeof(*ipcache));
	int err;

	if (!ipcache)
		return -ENOMEM;
	ipcache->fd = -1;
	if (strlen(dir) >= sizeof(ipcache->dir))
		return bpfmap_why(why, -ENAMETOOLONG, "the path of the ipcache is too long");
	memcpy(ipcache->dir, dir, strlen(dir) + 1);
	err = open_version(dir, 2, ipcache, why);
	if (err == -ENOENT)
		err = open_version(dir, 1, ipcache, why);
	if (err == -ENOENT)
		return bpfmap_why(why, err,
			"%s has neither " BPFMAP_IPCACHE_V2 " nor " BPFMAP_IPCACHE_V1, dir);
	if (err)
		return err;
	*ret = TAKE_PTR(ipcache);
	return 0;
}

void bpfmap_ipcache_close(struct bpfmap_ipcache *ipcache)
{
	if (!ipcache)
		return;
	if (ipcache->fd >= 0)
		close(ipcache->fd);
	free(ipcache);
}

unsigned bpfmap_ipcache_version(const struct bpfmap_ipcache *ipcache)
{
	return ipcache->version;
}

bool bpfmap_ipcache_same(const struct bpfmap_ipcache *ipcache)
{
	char path[PATH_MAX];
	struct stat st;

	for (unsigned version = ARRAY_SIZE(LAYOUTS); version > ipcache->version; version--)
		if (!bpfmap_pin_path(ipcache->dir, LAYOUTS[version - 1].name, path) &&
			!stat(path, &st))
			return false;
	return !bpfmap_pin_path(ipcache->dir, LAYOUTS[ipcache->version - 1].name, path) &&
	       !stat(path, &st) && st.st_dev == ipcache->dev && st.st_ino == ipcache->ino;
}

int bpfmap_ipcache_find(
	const struct bpfmap_ipcache *ipcache, const uint8_t address[16], uint32_t *ret_identity)
{
	static const uint8_t V4[12] = {[10] = 0xff, [11] = 0xff};
	const bool v4 = !memcmp(address, V4, sizeof(V4));
	struct key key = {
		.prefix = STATIC_BITS + (v4 ? 32 : 128), .family = v4 ? FAMILY_V4 : FAMILY_V6};
	struct value value;
	int err;

	if (v4)
		memcpy(key.address, address + sizeof(V4), 4);
	else
		memcpy(key.address, address, 16);
	err = bpf_map_lookup_elem(ipcache->fd, &key, &value);
	if (err)
		return err;
	*ret_identity = value.identity;
	return 0;
}
