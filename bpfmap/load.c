#include "bpfmap/load.h"

#include "bpfmap/attach.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct loading {
	const struct bpfmap_load *load;
	struct bpfmap_attaching at;
	int fds[BPFMAP_MAPS]; /* owned */
	bool reused[BPFMAP_MAPS];
	struct bpfmap_loaded loaded;
	char *why;
};

static int print_nothing(enum libbpf_print_level level, const char *fmt, va_list args)
{
	(void)level, (void)fmt, (void)args;
	return 0;
}

__attribute__((format(printf, 2, 0))) static int print_all(
	enum libbpf_print_level level, const char *fmt, va_list args)
{
	return level == LIBBPF_DEBUG ? 0 : vfprintf(stderr, fmt, args);
}

/* A map that is pinned already is used as it is, whatever room it has. */
static int find_pinned(struct loading *l, enum bpfmap_map id)
{
	const char *dir = l->load->dir;
	cleanup(fd) int fd = -1;
	uint32_t entries;
	int err;

	err = bpfmap_pin_open(dir, id, 0, &fd, &entries, l->why);
	if (err == -ENOENT)
		return 0;
	if (!err && id == BPFMAP_MAP_SETTINGS)
		err = bpfmap_pin_version(fd, dir, l->why);
	if (err)
		return err;
	l->reused[id] = true;
	if (id == BPFMAP_MAP_FLOWS)
		l->loaded.max_flows = entries;
	l->fds[id] = TAKE_FD(fd);
	return 0;
}

static int set_room(const struct loading *l, const struct bpfmap_object *object)
{
	const struct {
		enum bpfmap_map id;
		uint32_t n;
	} rooms[] = {
		{BPFMAP_MAP_FLOWS, l->load->max_flows},
		{BPFMAP_MAP_STATS, l->load->max_identities * BPFMAP_STATS_PER_IDENTITY},
		{BPFMAP_MAP_ENDPOINTS, l->load->max_endpoints},
		{BPFMAP_MAP_POLICY, l->load->max_policy},
	};
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rooms) && !err; i++)
		err = bpf_map__set_max_entries(bpfmap_object_map(object, rooms[i].id), rooms[i].n);
	return err;
}

static int why_refused(const struct loading *l, int err)
{
	if (err == -EPERM)
		return bpfmap_why(l->why, err,
			"the kernel refuses to load the program: "
			"run as root, or with CAP_BPF and CAP_NET_ADMIN");
	return bpfmap_why(l->why, err,
		"the kernel refuses the program (%s): --verbose prints its reason", strerror(-err));
}

/* The first program makes the maps that are not there yet; the others share them. */
static int load_first(struct loading *l, struct bpfmap_object *ret)
{
	cleanup(bpfmap_object) struct bpfmap_object object = {0};
	int err = bpfmap_object_open(bpfmap_programs[BPFMAP_PROGRAM_SOCK_OPS].name, &object);

	if (!err)
		err = set_room(l, &object);
	for (int i = 0; i < BPFMAP_MAPS && !err; i++) {
		if (l->reused[i])
			err = bpf_map__reuse_fd(bpfmap_object_map(&object, i), l->fds[i]);
	}
	if (!err)
		err = bpf_object__load(object.bpf);
	if (err)
		return why_refused(l, err);
	for (int i = 0; i < BPFMAP_MAPS; i++) {
		if (l->fds[i] < 0)
			l->fds[i] = fcntl(
				bpf_map__fd(bpfmap_object_map(&object, i)), F_DUPFD_CLOEXEC, 3);
		if (l->fds[i] < 0)
			return bpfmap_why(l->why, -errno, "no descriptor: %s", strerror(errno));
	}
	*ret = object;
	object = (struct bpfmap_object){0};
	return 0;
}

static int load_one(struct loading *l, const char *name, struct bpfmap_object *ret)
{
	cleanup(bpfmap_object) struct bpfmap_object object = {0};
	int err = bpfmap_object_open(name, &object);

	if (!err)
		err = bpfmap_object_share(&object, l->fds);
	if (!err)
		err = bpf_object__load(object.bpf);
	if (err)
		return err;
	*ret = object;
	object = (struct bpfmap_object){0};
	return 0;
}

/*
 * Before the pin appears, so that no agent ever opens settings without a
 * version. Written only when they differ: a program may be reading them.
 */
static int write_settings(struct loading *l)
{
	const int fd = l->fds[BPFMAP_MAP_SETTINGS];
	struct bpfmap_settings now, next = {
					    .version = BPFMAP_ABI_VERSION,
					    .n_ports = (uint32_t)l->load->n_ports,
					    .clusters = l->load->clusters,
				    };
	const uint32_t zero = 0;
	int err;

	for (size_t i = 0; i < l->load->n_ports; i++)
		next.ports[i] = l->load->ports[i];
	err = bpf_map_lookup_elem(fd, &zero, &now);
	if (!err && memcmp(&now, &next, sizeof(now))) {
		err = bpf_map_update_elem(fd, &zero, &next, BPF_EXIST);
		l->loaded.settings_written = true;
	}
	if (err)
		return bpfmap_why(
			l->why, err, "the settings cannot be written: %s", strerror(-err));
	return 0;
}

/* Only at first: later it is the agent's, which may have broken the glass meanwhile. */
static int write_control(struct loading *l)
{
	const uint32_t zero = 0;
	int err;

	if (l->reused[BPFMAP_MAP_CONTROL])
		return 0;
	err = bpf_map_update_elem(l->fds[BPFMAP_MAP_CONTROL], &zero, &l->load->control, BPF_EXIST);
	if (err)
		return bpfmap_why(
			l->why, err, "the control map cannot be written: %s", strerror(-err));
	return 0;
}

static int pin_map(struct loading *l, enum bpfmap_map id)
{
	const struct bpfmap_pin *pin = &bpfmap_pins[id];
	char path[PATH_MAX];
	int err;

	err = bpfmap_pin_path(l->load->dir, pin->name, path);
	if (err)
		return err;
	if (!l->reused[id]) {
		err = bpf_obj_pin(l->fds[id], path);
		if (err)
			return bpfmap_why(
				l->why, err, "%s cannot be pinned: %s", path, strerror(-err));
		l->loaded.n_created++;
	}
	return bpfmap_give(path, l->load->group, pin->mode, l->why);
}

static int attach_first(struct loading *l, const struct bpfmap_object *object)
{
	int err = bpfmap_attach_open(&l->at);

	if (err)
		return err;
	return bpfmap_attach(&l->at, BPFMAP_PROGRAM_SOCK_OPS, object, &l->loaded.how);
}

static int leave_out(struct loading *l, enum bpfmap_program id)
{
	unsigned n = 0;

	return bpfmap_detach(l->load->dir, id, &n, l->why);
}

static int attach_other(struct loading *l, enum bpfmap_program id)
{
	const struct bpfmap_program_info *info = &bpfmap_programs[id];
	cleanup(bpfmap_object) struct bpfmap_object object = {0};
	enum bpfmap_attach how;
	int err;

	if (!info->required && (l->load->without & 1U << id)) {
		l->loaded.left_out |= 1U << id;
		return leave_out(l, id);
	}
	err = load_one(l, info->name, &object);
	if (err && (info->required || err == -EPERM || err == -ENOMEM))
		return why_refused(l, err);
	if (err) {
		l->loaded.lacks |= 1U << id;
		l->loaded.lack_errors[id] = err;
		return leave_out(l, id);
	}
	return bpfmap_attach(&l->at, id, &object, &how);
}

static uint64_t read_counter(const struct loading *l, uint32_t counter)
{
	int n_cpus = libbpf_num_possible_cpus();
	cleanup(free) uint64_t *values = NULL;
	uint64_t sum = 0;

	if (n_cpus <= 0)
		return 0;
	values = calloc((size_t)n_cpus, sizeof(*values));
	if (!values || bpf_map_lookup_elem(l->fds[BPFMAP_MAP_COUNTERS], &counter, values))
		return 0;
	for (int i = 0; i < n_cpus; i++)
		sum += values[i];
	return sum;
}

/* Entries for connections that are older than the program. Best effort: without, they are unbound. */
static void seed(struct loading *l)
{
	cleanup(bpfmap_object) struct bpfmap_object object = {0};
	uint64_t before = read_counter(l, BPFMAP_COUNT_FLOWS_SEEDED);

	if (!l->load->n_ports || load_one(l, "identityd_seed", &object) ||
		bpfmap_attach_walk(&object))
		return;
	l->loaded.n_seeded = (unsigned)(read_counter(l, BPFMAP_COUNT_FLOWS_SEEDED) - before);
}

static int load_all(struct loading *l)
{
	cleanup(bpfmap_object) struct bpfmap_object first = {0};
	int err = 0;

	for (int i = 0; i < BPFMAP_MAPS && !err; i++)
		err = find_pinned(l, i);
	if (!err)
		err = load_first(l, &first);
	if (!err)
		err = write_settings(l);
	if (!err)
		err = write_control(l);
	for (int i = 0; i < BPFMAP_MAPS && !err; i++)
		err = pin_map(l, i);
	if (!err)
		err = attach_first(l, &first);
	for (int i = 0; i < BPFMAP_PROGRAMS && !err; i++) {
		if (i != BPFMAP_PROGRAM_SOCK_OPS)
			err = attach_other(l, i);
	}
	if (!err)
		seed(l);
	return err;
}

int bpfmap_load(
	const struct bpfmap_load *load, struct bpfmap_loaded *ret_loaded, char why[BPFMAP_WHY])
{
	struct loading l = {
		.load = load,
		.at = {.dir = load->dir,
			.cgroup = load->cgroup,
			.group = load->group,
			.cgroup_fd = -1,
			.why = why},
		.loaded = {.max_flows = load->max_flows},
		.why = why,
	};
	int err;

	if (load->n_ports > BPFMAP_PORTS_MAX || !load->max_flows || !load->max_identities ||
		!load->max_endpoints || !load->max_policy)
		return bpfmap_why(why, -EINVAL, "at most %d ports, and room for at least one",
			BPFMAP_PORTS_MAX);
	libbpf_set_print(load->verbose ? print_all : print_nothing);
	for (int i = 0; i < BPFMAP_MAPS; i++)
		l.fds[i] = -1;
	err = load_all(&l);
	for (int i = 0; i < BPFMAP_MAPS; i++)
		cleanup_fn_fd(&l.fds[i]);
	cleanup_fn_fd(&l.at.cgroup_fd);
	if (err)
		return err;
	*ret_loaded = l.loaded;
	return 0;
}
