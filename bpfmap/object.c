#include "bpfmap/object.h"

#include "bpfmap/edge.skel.h"
#include "bpfmap/walk.skel.h"

#include <assert.h>
#include <bpf/libbpf.h>
#include <errno.h>

static void destroy_edge(void *skeleton)
{
	edge_bpf__destroy(skeleton);
}

static void destroy_walk(void *skeleton)
{
	walk_bpf__destroy(skeleton);
}

static int open_edge(struct bpfmap_object *object)
{
	struct edge_bpf *skeleton = edge_bpf__open();

	if (!skeleton)
		return -errno;
	*object = (struct bpfmap_object){
		.bpf = skeleton->obj, .skeleton = skeleton, .destroy = destroy_edge};
	return 0;
}

static int open_walk(struct bpfmap_object *object)
{
	struct walk_bpf *skeleton = walk_bpf__open();

	if (!skeleton)
		return -errno;
	*object = (struct bpfmap_object){
		.bpf = skeleton->obj, .skeleton = skeleton, .destroy = destroy_walk};
	return 0;
}

void bpfmap_object_done(struct bpfmap_object *object)
{
	if (object->destroy)
		object->destroy(object->skeleton);
	*object = (struct bpfmap_object){0};
}

int bpfmap_object_open(const char *name, struct bpfmap_object *ret)
{
	static int (*const opens[])(struct bpfmap_object *) = {open_edge, open_walk};
	struct bpf_program *each;

	for (size_t i = 0; i < ARRAY_SIZE(opens); i++) {
		cleanup(bpfmap_object) struct bpfmap_object object = {0};
		int err = opens[i](&object);

		if (err)
			return err;
		object.prog = bpf_object__find_program_by_name(object.bpf, name);
		if (!object.prog)
			continue;
		bpf_object__for_each_program(each, object.bpf)
			bpf_program__set_autoload(each, each == object.prog);
		*ret = object;
		object = (struct bpfmap_object){0};
		return 0;
	}
	return -ENOENT;
}

struct bpf_map *bpfmap_object_map(const struct bpfmap_object *object, enum bpfmap_map id)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object->bpf, bpfmap_pins[id].name);

	assert(map); /* maps.bpf.h calls them like their pins */
	return map;
}

int bpfmap_object_share(const struct bpfmap_object *object, const int fds[BPFMAP_MAPS])
{
	int err = 0;

	for (int i = 0; i < BPFMAP_MAPS && !err; i++)
		err = bpf_map__reuse_fd(bpfmap_object_map(object, i), fds[i]);
	return err;
}
