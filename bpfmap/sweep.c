#include "bpfmap/sweep.h"

#include "bpfmap/state.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Entries for one system call; a bucket of the kernel's hash must fit (ENOSPC otherwise). */
#define BATCH 4096

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

struct batch {
	struct bpfmap_flow_key keys[BATCH];
	struct bpfmap_flow flows[BATCH];
};

int bpfmap_flows_each(struct bpfmap *map,
	int (*visit)(void *arg, const struct bpfmap_flow_key *key, const struct bpfmap_flow *flow),
	void *arg)
{
	cleanup(free) struct batch *batch = malloc(sizeof(*batch));
	uint32_t position = 0, n;
	bool first = true;
	int err = 0, rc = 0;

	if (!batch)
		return -ENOMEM;
	while (!err && !rc) {
		n = BATCH;
		err = bpf_map_lookup_batch(map->fds[BPFMAP_MAP_FLOWS], first ? NULL : &position,
			&position, batch->keys, batch->flows, &n, NULL);
		if (err && err != -ENOENT)
			return err;
		first = false;
		for (uint32_t i = 0; i < n && !rc; i++)
			rc = visit(arg, &batch->keys[i], &batch->flows[i]);
	}
	return rc;
}

static int open_iterator(struct bpfmap *map, enum bpfmap_program program, int *ret_fd)
{
	char path[PATH_MAX];
	int err = bpfmap_pin_path(map->dir, bpfmap_programs[program].pin, path);
	int fd;

	if (err)
		return err;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

/* Reading a pinned iterator runs its program over the next sockets, until it has said so much. */
static int read_some(int fd, size_t size, size_t *ret_n)
{
	char said[1024];
	ssize_t n;

	do
		n = read(fd, said, size < sizeof(said) ? size : sizeof(said));
	while (n < 0 && (errno == EINTR || errno == EAGAIN));
	if (n < 0)
		return -errno;
	*ret_n = (size_t)n;
	return 0;
}

static int read_through(struct bpfmap *map, enum bpfmap_program program)
{
	cleanup(fd) int fd = -1;
	size_t n = 1;
	int err = open_iterator(map, program, &fd);

	while (!err && n)
		err = read_some(fd, SIZE_MAX, &n);
	return err;
}

int bpfmap_kill(struct bpfmap *map)
{
	return read_through(map, BPFMAP_PROGRAM_KILL);
}

int bpfmap_kill_begin(struct bpfmap *map, int *ret_fd)
{
	return open_iterator(map, BPFMAP_PROGRAM_KILL, ret_fd);
}

int bpfmap_kill_some(int fd, unsigned n, unsigned *ret_n)
{
	unsigned sum = 0;
	size_t some = 1;
	int err = 0;

	while (!err && some && sum < n) {
		err = read_some(fd, n - sum, &some);
		sum += err ? 0 : (unsigned)some;
	}
	*ret_n = sum;
	return err ? err : some > 0;
}

static int get_cells(struct bpfmap *map, struct bpfmap_cells *ret_cells)
{
	const uint32_t zero = 0;

	return bpf_map_lookup_elem(map->fds[BPFMAP_MAP_CELLS], &zero, ret_cells);
}

int bpfmap_due(struct bpfmap *map, uint64_t *ret_due)
{
	struct bpfmap_cells cells;
	int err = get_cells(map, &cells);

	if (err)
		return err;
	*ret_due = cells.due;
	return 0;
}

int bpfmap_undue(struct bpfmap *map)
{
	struct bpfmap_update u = {.op = BPFMAP_OP_UNDUE};

	return bpfmap_update(map, &u);
}

int bpfmap_expire(struct bpfmap *map)
{
	int err = bpfmap_undue(map);

	return err ? err : bpfmap_kill(map);
}

static int own_netns(uint64_t *ret_cookie)
{
	cleanup(fd) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(*ret_cookie);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, ret_cookie, &len))
		return -errno;
	return 0;
}

struct reconciling {
	struct bpfmap *map;
	uint64_t netns;
	uint32_t generation;
	unsigned n;
};

static int forget_one(void *arg, const struct bpfmap_flow_key *key, const struct bpfmap_flow *flow)
{
	struct reconciling *r = arg;
	struct bpfmap_update u = {
		.op = BPFMAP_OP_FORGET, .key = *key, .cookie = flow->cookie, .netns = r->netns};
	int err;

	/* The kernel asks the same again, of the entry as it is then. */
	if (flow->netns != r->netns || r->generation - flow->seen < 2)
		return 0;
	err = bpfmap_update(r->map, &u);
	r->n += !err && u.result == BPFMAP_RESULT_DONE;
	return err;
}

int bpfmap_reconcile(struct bpfmap *map, unsigned *ret_n)
{
	struct bpfmap_update u = {.op = BPFMAP_OP_LOOK};
	struct reconciling r = {.map = map};
	struct bpfmap_cells cells;
	int err = own_netns(&r.netns);

	if (!err)
		err = bpfmap_update(map, &u);
	if (!err)
		err = read_through(map, BPFMAP_PROGRAM_LOOK);
	if (!err)
		err = get_cells(map, &cells);
	if (err)
		return err;
	r.generation = cells.generation;
	err = bpfmap_flows_each(map, forget_one, &r);
	if (err)
		return err;
	*ret_n = r.n;
	return 0;
}
