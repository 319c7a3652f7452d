#include "bpfmap/control.h"

#include "bpfmap/state.h"

#include <bpf/bpf.h>

static const uint32_t zero;

int bpfmap_control_get(struct bpfmap *map, struct bpfmap_control *ret)
{
	struct bpfmap_control control;
	int err = bpf_map_lookup_elem(map->fds[BPFMAP_MAP_CONTROL], &zero, &control);

	if (err)
		return err;
	*ret = control;
	return 0;
}

int bpfmap_control_put(struct bpfmap *map, const struct bpfmap_control *control)
{
	return bpf_map_update_elem(map->fds[BPFMAP_MAP_CONTROL], &zero, control, BPF_EXIST);
}

int bpfmap_settings_get(struct bpfmap *map, struct bpfmap_settings *ret)
{
	struct bpfmap_settings settings;
	int err = bpf_map_lookup_elem(map->fds[BPFMAP_MAP_SETTINGS], &zero, &settings);

	if (err)
		return err;
	*ret = settings;
	return 0;
}

const char *bpfmap_part_name(enum bpfmap_part part)
{
	static const char *const names[] = {
		[BPFMAP_PART_CONNECT] = "connect",
		[BPFMAP_PART_PACKETS] = "packets",
		[BPFMAP_PART_REVOKED] = "revoked",
		[BPFMAP_PART_KILL] = "kill",
	};

	static_assert(ARRAY_SIZE(names) == BPFMAP_PARTS, "a name for each part");
	return names[part];
}

const char *bpfmap_mode_name(enum bpfmap_mode mode)
{
	static const char *const names[] = {
		[BPFMAP_MODE_OFF] = "off",
		[BPFMAP_MODE_AUDIT] = "audit",
		[BPFMAP_MODE_ENFORCE] = "enforce",
	};

	return mode < ARRAY_SIZE(names) ? names[mode] : "unknown";
}
