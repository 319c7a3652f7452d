/*
 * The kernel programs: their pins, where they are attached, and what is lost
 * on a kernel that lacks one.
 */
#ifndef BPFMAP_PROGRAM_H
#define BPFMAP_PROGRAM_H

#include "base/mem.h"

#include <stdbool.h>
#include <stdint.h>

enum bpfmap_program {
	BPFMAP_PROGRAM_SOCK_OPS,
	BPFMAP_PROGRAM_UPDATE,
	BPFMAP_PROGRAM_CONNECT4,
	BPFMAP_PROGRAM_CONNECT6,
	BPFMAP_PROGRAM_SENDMSG4,
	BPFMAP_PROGRAM_SENDMSG6,
	BPFMAP_PROGRAM_INGRESS,
	BPFMAP_PROGRAM_EGRESS,
	BPFMAP_PROGRAM_KILL,
	BPFMAP_PROGRAM_LOOK,
	BPFMAP_PROGRAMS,
};

enum bpfmap_place {
	BPFMAP_PLACE_CGROUP, /* a link on the cgroup */
	BPFMAP_PLACE_RUN,    /* a program that the agent runs */
	BPFMAP_PLACE_READ,   /* an iterator that the agent reads */
};

struct bpfmap_program_info {
	const char *pin;  /* also its name for people */
	const char *name; /* of the function */
	enum bpfmap_place place;
	bool required;
	const char *lost; /* what does not work without it */
};

extern const struct bpfmap_program_info bpfmap_programs[BPFMAP_PROGRAMS];

/* Is the program pinned and, on a cgroup, attached? 0; or -errno: -EMFILE, -ENOMEM say nothing. */
int bpfmap_program_there(const char *dir, enum bpfmap_program program, bool *ret_there) must_check;

/* By its pin's name; BPFMAP_PROGRAMS: no such. */
enum bpfmap_program bpfmap_program_named(const char *pin);

#endif
