/* Entries of the pinned maps as JSON, one object on each line. */
#ifndef CTL_MAP_JSON_H
#define CTL_MAP_JSON_H

#include "bpfmap/bpfmap.h"
#include "bpfmap/pin.h"

#include <stdio.h>

/* Can this map be shown? */
bool ctl_map_json_knows(int id);

/* Every entry of it: {"map": NAME, ...}. 0 or -errno. */
int ctl_map_json(struct bpfmap *map, enum bpfmap_map id, FILE *to) must_check;

/* The flows of one client, "192.0.2.1:40000" or "[2001:db8::1]:40000". 0 or -errno. */
int ctl_map_json_client(
	struct bpfmap *map, const char *client, FILE *to, unsigned *ret_n) must_check;

#endif
