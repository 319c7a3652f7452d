/* What bpfmap_open holds; for the files of this room only. */
#ifndef BPFMAP_STATE_H
#define BPFMAP_STATE_H

#include "bpfmap/pin.h"

struct bpfmap {
	char *dir;
	int fds[BPFMAP_MAPS];
	int update_fd; /* the program that changes flows */
	uint32_t entries[BPFMAP_MAPS];
	int n_cpus;
};

/* Runs the update program on one flow. 0 and u->result, or -errno. */
int bpfmap_update(struct bpfmap *map, struct bpfmap_update *u) must_check;

#endif
