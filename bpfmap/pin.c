#include "bpfmap/pin.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The agent only reads what programs write, so its group gets no more. */
const struct bpfmap_pin bpfmap_pins[BPFMAP_MAPS] = {
	[BPFMAP_MAP_FLOWS] = {BPFMAP_PIN_FLOWS, BPF_MAP_TYPE_HASH, sizeof(struct bpfmap_flow_key),
		sizeof(struct bpfmap_flow), 1, 0640, BPF_F_RDONLY},
	[BPFMAP_MAP_OVERFLOW] = {BPFMAP_PIN_OVERFLOW, BPF_MAP_TYPE_LRU_HASH,
		sizeof(struct bpfmap_flow_key), sizeof(uint32_t), 1, 0640, BPF_F_RDONLY},
	[BPFMAP_MAP_SETTINGS] = {BPFMAP_PIN_SETTINGS, BPF_MAP_TYPE_ARRAY, sizeof(uint32_t),
		sizeof(struct bpfmap_settings), 1, 0640, BPF_F_RDONLY},
	[BPFMAP_MAP_CONTROL] = {BPFMAP_PIN_CONTROL, BPF_MAP_TYPE_ARRAY, sizeof(uint32_t),
		sizeof(struct bpfmap_control), 1, 0660, 0},
	[BPFMAP_MAP_CELLS] = {BPFMAP_PIN_CELLS, BPF_MAP_TYPE_ARRAY, sizeof(uint32_t),
		sizeof(struct bpfmap_cells), 1, 0640, BPF_F_RDONLY},
	[BPFMAP_MAP_COUNTERS] = {BPFMAP_PIN_COUNTERS, BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(uint32_t),
		sizeof(uint64_t), BPFMAP_COUNTERS, 0640, BPF_F_RDONLY},
	[BPFMAP_MAP_STATS] = {BPFMAP_PIN_STATS, BPF_MAP_TYPE_PERCPU_HASH,
		sizeof(struct bpfmap_stat_key), sizeof(struct bpfmap_stat), 1, 0640, BPF_F_RDONLY},
	[BPFMAP_MAP_ENDPOINTS] = {BPFMAP_PIN_ENDPOINTS, BPF_MAP_TYPE_LPM_TRIE,
		sizeof(struct bpfmap_endpoint_key), sizeof(struct bpfmap_endpoint), 1, 0660, 0},
	[BPFMAP_MAP_POLICY] = {BPFMAP_PIN_POLICY, BPF_MAP_TYPE_LPM_TRIE,
		sizeof(struct bpfmap_policy_key), sizeof(uint32_t), 1, 0660, 0},
	[BPFMAP_MAP_EVENTS] = {BPFMAP_PIN_EVENTS, BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0660, 0},
};

int bpfmap_why(char why[BPFMAP_WHY], int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, BPFMAP_WHY, fmt, args);
	va_end(args);
	return err;
}

int bpfmap_pin_path(const char *dir, const char *name, char path[PATH_MAX])
{
	int n = snprintf(path, PATH_MAX, "%s/%s", dir, name);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/* The types that our pins have, and those that are easily taken for them. */
static const char *type_name(uint32_t type)
{
	static const char *const names[] = {
		[BPF_MAP_TYPE_HASH] = "hash",
		[BPF_MAP_TYPE_ARRAY] = "array",
		[BPF_MAP_TYPE_PERCPU_HASH] = "percpu_hash",
		[BPF_MAP_TYPE_PERCPU_ARRAY] = "percpu_array",
		[BPF_MAP_TYPE_LRU_HASH] = "lru_hash",
		[BPF_MAP_TYPE_LRU_PERCPU_HASH] = "lru_percpu_hash",
		[BPF_MAP_TYPE_LPM_TRIE] = "lpm_trie",
		[BPF_MAP_TYPE_RINGBUF] = "ringbuf",
	};

	return type < ARRAY_SIZE(names) && names[type] ? names[type] : "another type";
}

static int check_layout(
	const char *path, const struct bpfmap_pin *pin, const struct bpf_map_info *is, char *why)
{
	if (is->type == pin->type && is->key_size == pin->key_size &&
		is->value_size == pin->value_size && is->max_entries >= pin->min_entries)
		return 0;
	return bpfmap_why(why, -EPROTO,
		"%s has another layout: expected %s, key %u, value %u, room for %u or more; "
		"found %s, key %u, value %u, room for %u",
		path, type_name(pin->type), pin->key_size, pin->value_size, pin->min_entries,
		type_name(is->type), is->key_size, is->value_size, is->max_entries);
}

static int open_error(const char *path, int err, char *why)
{
	if (err == -ENOENT)
		return bpfmap_why(why, err, "%s does not exist: run identityd-setup first", path);
	if (err == -EACCES)
		return bpfmap_why(why, err,
			"%s may not be opened: is this process in the group of bpf.group?", path);
	return bpfmap_why(why, err, "%s cannot be opened: %s", path, strerror(-err));
}

int bpfmap_pin_open(const char *dir, enum bpfmap_map id, uint32_t file_flags, int *ret_fd,
	uint32_t *ret_entries, char why[BPFMAP_WHY])
{
	LIBBPF_OPTS(bpf_obj_get_opts, opts, .file_flags = file_flags);
	struct bpf_map_info info = {0};
	uint32_t info_len = sizeof(info);
	char path[PATH_MAX];
	cleanup(fd) int fd = -1;
	int err;

	err = bpfmap_pin_path(dir, bpfmap_pins[id].name, path);
	if (err)
		return bpfmap_why(why, err, "the path of the bpffs is too long");
	fd = bpf_obj_get_opts(path, &opts);
	if (fd < 0)
		return open_error(path, fd, why);
	err = bpf_obj_get_info_by_fd(fd, &info, &info_len);
	if (err)
		return bpfmap_why(why, err, "%s: no information: %s", path, strerror(-err));
	err = check_layout(path, &bpfmap_pins[id], &info, why);
	if (err)
		return err;
	*ret_entries = info.max_entries;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int bpfmap_pin_version(int settings_fd, const char *dir, char why[BPFMAP_WHY])
{
	struct bpfmap_settings settings;
	const uint32_t zero = 0;
	int err;

	err = bpf_map_lookup_elem(settings_fd, &zero, &settings);
	if (err)
		return bpfmap_why(why, err, "%s/%s cannot be read: %s", dir, BPFMAP_PIN_SETTINGS,
			strerror(-err));
	if (settings.version != BPFMAP_ABI_VERSION)
		return bpfmap_why(why, -EPROTO,
			"%s has another layout: expected ABI version %d; found version %u "
			"(identityd-setup --remove, then setup: docs/UPGRADE.md)",
			dir, BPFMAP_ABI_VERSION, settings.version);
	return 0;
}
