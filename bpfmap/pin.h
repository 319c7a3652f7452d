/*
 * The pinned maps one by one: what each must look like, and opening one with
 * that checked. Used by both sides, the agent's and identityd-setup's.
 */
#ifndef BPFMAP_PIN_H
#define BPFMAP_PIN_H

#include "base/mem.h"
#include "bpfmap/bpfmap.h"

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

enum bpfmap_map {
	BPFMAP_MAP_FLOWS,
	BPFMAP_MAP_OVERFLOW,
	BPFMAP_MAP_SETTINGS,
	BPFMAP_MAP_CONTROL,
	BPFMAP_MAP_CELLS,
	BPFMAP_MAP_COUNTERS,
	BPFMAP_MAP_STATS,
	BPFMAP_MAP_ENDPOINTS,
	BPFMAP_MAP_POLICY,
	BPFMAP_MAP_EVENTS,
	BPFMAP_MAPS,
};

struct bpfmap_pin {
	const char *name;
	uint32_t type; /* enum bpf_map_type */
	uint32_t key_size;
	uint32_t value_size;
	uint32_t min_entries;
	mode_t mode;    /* for root and the agent's group */
	uint32_t flags; /* of BPF_OBJ_GET by the agent: what the mode allows */
};

extern const struct bpfmap_pin bpfmap_pins[BPFMAP_MAPS];

/* dir/name. 0 or -ENAMETOOLONG. */
int bpfmap_pin_path(const char *dir, const char *name, char path[PATH_MAX]) must_check;

/*
 * Opens a pinned map (file_flags: 0 or BPF_F_RDONLY) and checks its layout.
 * 0, or -errno with a sentence in why: -ENOENT, -EACCES, -EPROTO.
 */
int bpfmap_pin_open(const char *dir, enum bpfmap_map id, uint32_t file_flags, int *ret_fd,
	uint32_t *ret_entries, char why[BPFMAP_WHY]) must_check;

/* Do the settings carry our BPFMAP_ABI_VERSION? 0, -EPROTO or -errno, with why. */
int bpfmap_pin_version(int settings_fd, const char *dir, char why[BPFMAP_WHY]) must_check;

/* Formats into why and returns err. */
int bpfmap_why(char why[BPFMAP_WHY], int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
