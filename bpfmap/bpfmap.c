#include "bpfmap/bpfmap.h"

#include "bpfmap/state.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct bpfmap *bpfmap_new(const char *dir)
{
	struct bpfmap *map = calloc(1, sizeof(*map));

	if (!map)
		return NULL;
	map->update_fd = -1;
	for (size_t i = 0; i < BPFMAP_MAPS; i++)
		map->fds[i] = -1;
	map->dir = strdup(dir);
	if (!map->dir) {
		bpfmap_close(map);
		return NULL;
	}
	return map;
}

void bpfmap_close(struct bpfmap *map)
{
	if (!map)
		return;
	for (size_t i = 0; i < BPFMAP_MAPS; i++)
		cleanup_fn_fd(&map->fds[i]);
	cleanup_fn_fd(&map->update_fd);
	free(map->dir);
	free(map);
}

static int open_update(struct bpfmap *map, char why[BPFMAP_WHY])
{
	const char *pin = bpfmap_programs[BPFMAP_PROGRAM_UPDATE].pin;
	char path[PATH_MAX];
	int err = bpfmap_pin_path(map->dir, pin, path);
	int fd = err ? err : bpf_obj_get(path);

	if (fd < 0)
		return bpfmap_why(why, fd, "%s/%s cannot be opened (%s): run identityd-setup first",
			map->dir, pin, strerror(-fd));
	map->update_fd = fd;
	return 0;
}

int bpfmap_open(const char *dir, struct bpfmap **ret, char why[BPFMAP_WHY])
{
	cleanup(bpfmap) struct bpfmap *map = bpfmap_new(dir);
	int err;

	if (!map)
		return bpfmap_why(why, -ENOMEM, "out of memory");
	for (int i = 0; i < BPFMAP_MAPS; i++) {
		err = bpfmap_pin_open(
			dir, i, bpfmap_pins[i].flags, &map->fds[i], &map->entries[i], why);
		if (err)
			return err;
	}
	err = bpfmap_pin_version(map->fds[BPFMAP_MAP_SETTINGS], dir, why);
	if (!err)
		err = open_update(map, why);
	if (err)
		return err;
	map->n_cpus = libbpf_num_possible_cpus();
	if (map->n_cpus < 0)
		return bpfmap_why(why, map->n_cpus, "the number of CPUs cannot be read: %s",
			strerror(-map->n_cpus));
	*ret = TAKE_PTR(map);
	return 0;
}

int bpfmap_flow_get(
	struct bpfmap *map, const struct bpfmap_flow_key *key, struct bpfmap_flow *ret_flow)
{
	struct bpfmap_flow flow;
	int err = bpf_map_lookup_elem(map->fds[BPFMAP_MAP_FLOWS], key, &flow);

	if (err)
		return err;
	*ret_flow = flow;
	return 0;
}

/* A program of this type takes and gives its argument in one place (ctx_in). */
int bpfmap_update(struct bpfmap *map, struct bpfmap_update *u)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = u, .ctx_size_in = sizeof(*u));

	return bpf_prog_test_run_opts(map->update_fd, &opts);
}

/* Most requests of a connection change nothing: then one lookup is all. */
static bool is_bound(const struct bpfmap_flow *flow, const struct bpfmap_binding *binding)
{
	const uint32_t kill = binding->kill ? BPFMAP_FLOW_KILL : 0;

	return !memcmp(flow->token, binding->token, sizeof(flow->token)) &&
	       flow->issued == binding->issued && flow->identity == binding->identity &&
	       flow->subject == binding->subject && flow->expires == binding->expires &&
	       (flow->flags & (BPFMAP_FLOW_KILL | BPFMAP_FLOW_SHARED)) == kill;
}

int bpfmap_flow_bind(struct bpfmap *map, const struct bpfmap_flow_key *key,
	const struct bpfmap_binding *binding, enum bpfmap_bound *ret_bound)
{
	static const enum bpfmap_bound bound[] = {
		[BPFMAP_RESULT_DONE] = BPFMAP_BOUND,
		[BPFMAP_RESULT_SAME] = BPFMAP_UNCHANGED,
		[BPFMAP_RESULT_SHARED] = BPFMAP_SHARED,
		[BPFMAP_RESULT_ABSENT] = BPFMAP_UNBOUND,
	};
	struct bpfmap_update u = {
		.op = BPFMAP_OP_BIND,
		.identity = binding->identity,
		.subject = binding->subject,
		.expires = binding->expires,
		.flags = binding->kill ? BPFMAP_FLOW_KILL : 0,
		.issued = binding->issued,
	};
	struct bpfmap_flow now;
	int err;

	if (!binding->identity || !binding->subject)
		return -EINVAL;
	if (!bpfmap_flow_get(map, key, &now) && is_bound(&now, binding)) {
		*ret_bound = BPFMAP_UNCHANGED;
		return 0;
	}
	u.key = *key;
	memcpy(u.token, binding->token, sizeof(u.token));
	err = bpfmap_update(map, &u);
	if (err)
		return err;
	if (u.result == BPFMAP_RESULT_FULL)
		return -E2BIG;
	*ret_bound = bound[u.result];
	return 0;
}

/* The kernel writes one value per possible CPU, 8 bytes each. */
static int sum_counters(struct bpfmap *map, uint64_t sums[BPFMAP_COUNTERS])
{
	cleanup(free) uint64_t *values = calloc((size_t)map->n_cpus, sizeof(*values));
	int err;

	if (!values)
		return -ENOMEM;
	for (uint32_t i = 0; i < BPFMAP_COUNTERS; i++) {
		err = bpf_map_lookup_elem(map->fds[BPFMAP_MAP_COUNTERS], &i, values);
		if (err)
			return err;
		for (int cpu = 0; cpu < map->n_cpus; cpu++)
			sums[i] += values[cpu];
	}
	return 0;
}

static int find_programs(const char *dir, uint32_t *ret_programs, bool *ret_attached)
{
	uint32_t programs = 0;
	bool attached = true;

	for (int i = 0; i < BPFMAP_PROGRAMS; i++) {
		bool there = false;
		int err = bpfmap_program_there(dir, i, &there);

		if (err)
			return err;
		programs |= there ? 1U << i : 0;
		attached = attached && (there || !bpfmap_programs[i].required);
	}
	*ret_programs = programs;
	*ret_attached = attached;
	return 0;
}

int bpfmap_status(struct bpfmap *map, struct bpfmap_status *ret)
{
	struct bpfmap_status status = {.max_flows = map->entries[BPFMAP_MAP_FLOWS]};
	int err = sum_counters(map, status.counters);

	if (!err)
		err = find_programs(map->dir, &status.programs, &status.attached);
	if (err)
		return err;
	*ret = status;
	return 0;
}

uint64_t bpfmap_status_flows(const struct bpfmap_status *status)
{
	return status->counters[BPFMAP_COUNT_FLOWS_OPENED] +
	       status->counters[BPFMAP_COUNT_FLOWS_SEEDED] -
	       status->counters[BPFMAP_COUNT_FLOWS_CLOSED];
}
