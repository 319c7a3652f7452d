/*
 * One kernel program in an object of its own, on the shared maps. Each is
 * loaded alone, so that one that this kernel refuses takes no other with it.
 */
#ifndef BPFMAP_OBJECT_H
#define BPFMAP_OBJECT_H

#include "base/mem.h"
#include "bpfmap/pin.h"
#include "bpfmap/program.h"

struct bpf_link;
struct bpf_object;
struct bpf_program;

struct bpfmap_object {
	struct bpf_object *bpf;   /* borrowed from the skeleton */
	struct bpf_program *prog; /* the one that is loaded */
	void *skeleton;
	void (*destroy)(void *skeleton);
};

/*
 * Opens the object with the function called name; nothing but it will be
 * loaded. 0, -ENOENT no such function, or -errno.
 */
int bpfmap_object_open(const char *name, struct bpfmap_object *ret) must_check;
void bpfmap_object_done(struct bpfmap_object *object);

/* The object's map; never NULL. */
struct bpf_map *bpfmap_object_map(const struct bpfmap_object *object, enum bpfmap_map id);

/* Uses these descriptors instead of new maps. 0 or -errno. */
int bpfmap_object_share(const struct bpfmap_object *object, const int fds[BPFMAP_MAPS]) must_check;

static inline void cleanup_fn_bpfmap_object(struct bpfmap_object *object)
{
	bpfmap_object_done(object);
}

#endif
