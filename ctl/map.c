/* The pinned maps themselves, without the daemon. */
#include "bpfmap/dump.h"
#include "bpfmap/load.h"
#include "bpfmap/plan.h"
#include "ctl/args.h"
#include "ctl/commands.h"
#include "ctl/map_json.h"
#include "ctl/out.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_PATH "/run/identityd/bpf"

static const struct option OPTIONS[] = {
	{"path", required_argument, NULL, 'p'},
	{"connections", required_argument, NULL, 'c'},
	{"identities", required_argument, NULL, 'i'},
	{"endpoints", required_argument, NULL, 'e'},
	{"policy", required_argument, NULL, 'r'},
	{0},
};

struct wishes {
	const char *path;
	uint32_t numbers[BPFMAP_MAPS]; /* of the plan */
	const char *argument;          /* what is left, or NULL */
};

static bool read_number(const char *text, uint32_t *ret)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end || n < 1 || n > 100 * 1000 * 1000)
		return false;
	*ret = (uint32_t)n;
	return true;
}

static enum bpfmap_map map_of_option(int c)
{
	return c == 'c'   ? BPFMAP_MAP_FLOWS
	       : c == 'i' ? BPFMAP_MAP_STATS
	       : c == 'e' ? BPFMAP_MAP_ENDPOINTS
			  : BPFMAP_MAP_POLICY;
}

static int read_options(int argc, char **argv, const char *allowed, struct wishes *w)
{
	int c;

	*w = (struct wishes){.path = DEFAULT_PATH};
	while ((c = getopt_long(argc, argv, "p:", OPTIONS, NULL)) >= 0) {
		if (!strchr(allowed, c))
			return -EINVAL;
		if (c == 'p')
			w->path = optarg;
		else if (!read_number(optarg, &w->numbers[map_of_option(c)]))
			return -EINVAL;
	}
	if (optind < argc)
		w->argument = argv[optind++];
	return optind == argc ? 0 : -EINVAL;
}

static struct bpfmap *open_maps(const char *name, const char *path)
{
	char why[BPFMAP_WHY] = "";
	struct bpfmap *map = NULL;

	if (bpfmap_open(path, &map, why))
		ctl_args_complain(name, "%s", why);
	return map;
}

static void cell_number(struct ctl_out_table *table, uint64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, n);
	ctl_out_cell(table, text);
}

enum ctl_exit ctl_map_list(int argc, char **argv)
{
	static const char *const HEADERS[] = {"MAP", "ROOM", "ENTRIES", "BYTES"};
	cleanup(ctl_out_table) struct ctl_out_table table = {
		.headers = HEADERS, .n_columns = ARRAY_SIZE(HEADERS)};
	cleanup(bpfmap) struct bpfmap *map = NULL;
	struct wishes w;

	if (read_options(argc, argv, "p", &w) || w.argument)
		return ctl_args_usage(argv[0], "wanted: at most --path");
	map = open_maps(argv[0], w.path);
	if (!map)
		return CTL_FAILED;
	for (int i = 0; i < BPFMAP_MAPS; i++) {
		struct bpfmap_extent extent;
		int err = bpfmap_extent(map, i, &extent);

		if (err) {
			ctl_args_complain(argv[0], "%s: %s", bpfmap_pins[i].name, strerror(-err));
			return CTL_FAILED;
		}
		ctl_out_cell(&table, bpfmap_pins[i].name);
		cell_number(&table, extent.room);
		cell_number(&table, extent.entries);
		cell_number(&table, extent.bytes);
	}
	ctl_out_table_print(&table, stdout);
	return CTL_OK;
}

static int find_map(const char *name)
{
	int i = 0;

	while (i < BPFMAP_MAPS && strcmp(name, bpfmap_pins[i].name))
		i++;
	return i;
}

enum ctl_exit ctl_map_export(int argc, char **argv)
{
	cleanup(bpfmap) struct bpfmap *map = NULL;
	struct wishes w;
	int only, err = 0;

	if (read_options(argc, argv, "p", &w))
		return ctl_args_usage(argv[0], "wanted: at most --path and the name of a map");
	only = w.argument ? find_map(w.argument) : -1;
	if (w.argument && (only == BPFMAP_MAPS || !ctl_map_json_knows(only)))
		return ctl_args_usage(argv[0], "no such map, or not one that can be exported");
	map = open_maps(argv[0], w.path);
	if (!map)
		return CTL_FAILED;
	for (int i = 0; i < BPFMAP_MAPS && !err; i++) {
		if (ctl_map_json_knows(i) && (only < 0 || only == i))
			err = ctl_map_json(map, i, stdout);
	}
	if (err)
		ctl_args_complain(argv[0], "%s", strerror(-err));
	return err ? CTL_FAILED : CTL_OK;
}

enum ctl_exit ctl_map_get(int argc, char **argv)
{
	cleanup(bpfmap) struct bpfmap *map = NULL;
	struct wishes w;
	unsigned n = 0;
	int err;

	if (read_options(argc, argv, "p", &w) || !w.argument)
		return ctl_args_usage(argv[0], "wanted: a client as ADDRESS:PORT");
	map = open_maps(argv[0], w.path);
	if (!map)
		return CTL_FAILED;
	err = ctl_map_json_client(map, w.argument, stdout, &n);
	if (err)
		ctl_args_complain(argv[0], "%s", strerror(-err));
	else if (!n)
		ctl_args_complain(argv[0], "there is no connection from %s", w.argument);
	return err || !n ? CTL_FAILED : CTL_OK;
}

enum ctl_exit ctl_map_plan(int argc, char **argv)
{
	struct bpfmap_plan plan;
	struct wishes w;

	if (read_options(argc, argv, "cier", &w) || w.argument || !w.numbers[BPFMAP_MAP_FLOWS] ||
		!w.numbers[BPFMAP_MAP_STATS])
		return ctl_args_usage(argv[0], "wanted: --connections N and --identities M");
	if (!w.numbers[BPFMAP_MAP_ENDPOINTS])
		w.numbers[BPFMAP_MAP_ENDPOINTS] = 16384;
	if (!w.numbers[BPFMAP_MAP_POLICY])
		w.numbers[BPFMAP_MAP_POLICY] = 65536;
	printf("bpf.max_flows: %u\nbpf.max_identities: %u\n", w.numbers[BPFMAP_MAP_FLOWS],
		w.numbers[BPFMAP_MAP_STATS]);
	w.numbers[BPFMAP_MAP_STATS] *= BPFMAP_STATS_PER_IDENTITY;
	bpfmap_plan(w.numbers, (unsigned)sysconf(_SC_NPROCESSORS_CONF), &plan);
	for (int i = 0; i < BPFMAP_MAPS; i++)
		printf("%-10s %12" PRIu64 " bytes%s\n", bpfmap_pins[i].name, plan.bytes[i],
			i == BPFMAP_MAP_ENDPOINTS || i == BPFMAP_MAP_POLICY ? " when full" : "");
	printf("%-10s %12" PRIu64 " bytes, %.1f MiB\n", "in all", plan.total,
		(double)plan.total / 1048576.);
	return CTL_OK;
}
