/*
 * What root does once for the agent: a bpffs with the pinned maps, and the
 * kernel programs on HAProxy's cgroup. Everything may be repeated; a
 * repetition keeps the entries and never leaves a moment without a program.
 *
 * One run at a time: two at once could each mount a bpffs.
 */
#ifndef SETUP_SETUP_H
#define SETUP_SETUP_H

#include "base/mem.h"
#include "bpfmap/abi.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct setup_options {
	const char *bpffs_path; /* absolute; made when it is not there */
	const char *cgroup;     /* absolute, or relative to where cgroup2 is mounted */
	const char *group;      /* name or number, owner of folder and pins; NULL: root's */
	const uint16_t *ports;  /* host order */
	size_t n_ports;         /* 0: every listener in the cgroup */
	uint32_t clusters;      /* 255 or 511 */
	uint32_t max_flows;     /* room of new maps */
	uint32_t max_identities;
	uint32_t max_endpoints;
	uint32_t max_policy;
	uint32_t without;              /* bits 1 << enum bpfmap_program to leave out */
	struct bpfmap_control control; /* until an agent writes its own */
	bool verbose;                  /* libbpf's own messages to stderr */
	FILE *out;                     /* one line for each action; NULL: silent */
};

#define SETUP_WHY 256

/* A group by name or number; NULL: root's. 0 or -ENOENT with why. */
int setup_group(const char *group, gid_t *ret_gid, char why[SETUP_WHY]) must_check;

/*
 * 0; or -errno with a sentence in why that says what to do. After a failure
 * the maps and the program of an earlier run are still at work.
 */
int setup_apply(const struct setup_options *options, char why[SETUP_WHY]) must_check;

/*
 * Detaches, removes the pins, and unmounts the bpffs if it was ours and is
 * empty. Needs only bpffs_path and out. 0 also when there was nothing.
 */
int setup_remove(const struct setup_options *options, char why[SETUP_WHY]) must_check;

#endif
