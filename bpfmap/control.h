/* What the agent tells the programs: modes, epoch, break-glass. */
#ifndef BPFMAP_CONTROL_H
#define BPFMAP_CONTROL_H

#include "bpfmap/bpfmap.h"

/* 0 or -errno. */
int bpfmap_control_get(struct bpfmap *map, struct bpfmap_control *ret) must_check;

/* One write; the programs see all of it or what was before. 0 or -errno. */
int bpfmap_control_put(struct bpfmap *map, const struct bpfmap_control *control) must_check;

int bpfmap_settings_get(struct bpfmap *map, struct bpfmap_settings *ret) must_check;

/* The word of a part or mode, as in configuration and status. */
const char *bpfmap_part_name(enum bpfmap_part part);
const char *bpfmap_mode_name(enum bpfmap_mode mode);

#endif
