/* Loaded programs onto their places: links on a cgroup, pins, iterators. */
#ifndef BPFMAP_ATTACH_H
#define BPFMAP_ATTACH_H

#include "base/mem.h"
#include "bpfmap/load.h"
#include "bpfmap/object.h"

struct bpfmap_attaching {
	const char *dir;
	const char *cgroup;
	gid_t group;
	int cgroup_fd;
	uint64_t cgroup_id;
	char *why; /* BPFMAP_WHY */
};

/* Opens the cgroup: cgroup_fd and cgroup_id. 0 or -errno, with why. */
int bpfmap_attach_open(struct bpfmap_attaching *a) must_check;

/*
 * Puts the program where it belongs; what is there already is exchanged
 * without a moment without it. 0 or -errno, with why.
 */
int bpfmap_attach(const struct bpfmap_attaching *a, enum bpfmap_program id,
	const struct bpfmap_object *object, enum bpfmap_attach *ret_how) must_check;

/* Runs an iterator program once over this network namespace. 0 or -errno. */
int bpfmap_attach_walk(const struct bpfmap_object *object) must_check;

/* Takes a program away, if it is there, and counts its pin. 0 or -errno, with why. */
int bpfmap_detach(const char *dir, enum bpfmap_program id, unsigned *n, char *why) must_check;

/* Removes a pin, if it is there, and counts it. 0 or -errno, with why. */
int bpfmap_unpin(const char *dir, const char *name, unsigned *n, char *why) must_check;

/* Owner root:group, and mode. 0 or -errno, with why. */
int bpfmap_give(const char *path, gid_t group, mode_t mode, char *why) must_check;

#endif
