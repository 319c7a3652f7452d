/* What the kernel does, for status and metrics. */

#include "spoa/kernel_status.h"

#include <stdlib.h>
#include <string.h>

static json_t *modes(const struct bpfmap_control *control)
{
	json_t *object = json_object();

	for (int i = 0; i < BPFMAP_PARTS; i++)
		json_object_set_new(object, bpfmap_part_name(i),
			json_string(bpfmap_mode_name(control->mode[i])));
	return object;
}

/* Programs that are not there, each with what is lost. */
static json_t *missing(uint32_t programs)
{
	json_t *list = json_array();

	for (int i = 0; i < BPFMAP_PROGRAMS; i++) {
		const struct bpfmap_program_info *info = &bpfmap_programs[i];

		if (!(programs & 1U << i))
			json_array_append_new(list,
				json_pack("{s:s, s:s}", "program", info->pin, "lost", info->lost));
	}
	return list;
}

static const struct {
	enum bpfmap_counter counter;
	const char *name;
} COUNTS[] = {
	{BPFMAP_COUNT_FLOWS_OPENED, "flows_opened"},
	{BPFMAP_COUNT_FLOWS_CLOSED, "flows_closed"},
	{BPFMAP_COUNT_FLOWS_FULL, "flows_full"},
	{BPFMAP_COUNT_FLOWS_SEEDED, "flows_seeded"},
	{BPFMAP_COUNT_FLOWS_DEAD, "flows_dead"},
	{BPFMAP_COUNT_DENIED, "denied"},
	{BPFMAP_COUNT_DROPPED, "dropped"},
	{BPFMAP_COUNT_KILLED, "killed"},
	{BPFMAP_COUNT_AUDITED, "audited"},
	{BPFMAP_COUNT_EVENTS_LOST, "events_lost"},
	{BPFMAP_COUNT_STATS_FULL, "stats_full"},
};
_Static_assert(ARRAY_SIZE(COUNTS) == BPFMAP_COUNTERS, "a name for each counter");

void spoa_kernel_status(const struct spoa_kernel *kernel, json_t *object)
{
	struct bpfmap_control control;
	struct bpfmap_status status;
	struct base_now now;

	if (!kernel->maps || bpfmap_status(kernel->maps->map, &status) ||
		bpfmap_control_get(kernel->maps->map, &control))
		return;
	base_clock_now(&now);
	json_object_set_new(object, "attached", json_boolean(status.attached));
	json_object_set_new(object, "owner", json_boolean(spoa_kernel_owns(kernel)));
	json_object_set_new(object, "max_flows", json_integer(status.max_flows));
	json_object_set_new(object, "epoch", json_integer(control.epoch));
	json_object_set_new(object, "modes", modes(&control));
	json_object_set_new(object, "break_glass_s",
		json_integer(control.break_glass_until > now.boot_ns
				     ? (json_int_t)((control.break_glass_until - now.boot_ns) /
						    (uint64_t)NS_PER_S)
				     : 0));
	json_object_set_new(object, "missing", missing(status.programs));
	for (size_t i = 0; i < ARRAY_SIZE(COUNTS); i++)
		json_object_set_new(object, COUNTS[i].name,
			json_integer((json_int_t)status.counters[COUNTS[i].counter]));
}

/* Counters of the kernel are counters of Prometheus: they begin anew when the maps do. */
static const struct {
	const char *metric, *label, *help;
	enum bpfmap_counter counter;
} METRICS[] = {
	{"identityd_kernel_stops_total", "action=\"deny\"",
		"What the kernel refused, dropped and ended", BPFMAP_COUNT_DENIED},
	{"identityd_kernel_stops_total", "action=\"drop\"", NULL, BPFMAP_COUNT_DROPPED},
	{"identityd_kernel_stops_total", "action=\"kill\"", NULL, BPFMAP_COUNT_KILLED},
	{"identityd_kernel_audited_total", NULL, "What enforcing would have stopped",
		BPFMAP_COUNT_AUDITED},
	{"identityd_kernel_events_lost_total", NULL,
		"Events that were too many, or found the ring buffer full",
		BPFMAP_COUNT_EVENTS_LOST},
	{"identityd_kernel_stats_full_total", NULL,
		"Packets whose identity found no room to be counted", BPFMAP_COUNT_STATS_FULL},
	{"identityd_flows_dead_total", NULL, "Entries removed because their connection was gone",
		BPFMAP_COUNT_FLOWS_DEAD},
};

static void write_counters(FILE *to, const struct bpfmap_status *status)
{
	for (size_t i = 0; i < ARRAY_SIZE(METRICS); i++) {
		const char *label = METRICS[i].label;

		if (METRICS[i].help)
			fprintf(to, "# HELP %s %s\n# TYPE %s counter\n", METRICS[i].metric,
				METRICS[i].help, METRICS[i].metric);
		fprintf(to, "%s%s%s%s %llu\n", METRICS[i].metric, label ? "{" : "",
			label ? label : "", label ? "}" : "",
			(unsigned long long)status->counters[METRICS[i].counter]);
	}
}

#define SLOTS (2 * BPFMAP_VERDICTS)

/* Identities of the configuration, nobody, and all others together: that bounds the series. */
struct sums {
	const struct spoa_config *config;
	struct bpfmap_stat (*rows)[SLOTS]; /* one for each role, then nobody, then the others */
};

static size_t row_of(const struct sums *sums, uint32_t identity)
{
	size_t n = sums->config->conf->n_roles;

	if (!identity)
		return n;
	for (size_t i = 0; i < n; i++)
		if (sums->config->roles[i].number.id == identity)
			return i;
	return n + 1;
}

static void add(const struct sums *sums, const struct bpfmap_traffic *traffic)
{
	const struct bpfmap_stat_key *key = &traffic->key;
	struct bpfmap_stat *slot;

	if (key->verdict >= BPFMAP_VERDICTS || key->direction > BPFMAP_EGRESS)
		return;
	slot = &sums->rows[row_of(sums, key->identity)]
			  [key->direction * BPFMAP_VERDICTS + key->verdict];
	slot->packets += traffic->sum.packets;
	slot->bytes += traffic->sum.bytes;
}

static void write_series(FILE *to, const char *metric, const char *identity,
	const struct bpfmap_stat row[SLOTS], bool bytes)
{
	static const char *const verdicts[] = {"passed", "audited", "stopped"};

	_Static_assert(ARRAY_SIZE(verdicts) == BPFMAP_VERDICTS, "a word for each");
	for (size_t i = 0; i < SLOTS; i++) {
		if (!row[i].packets)
			continue;
		fprintf(to, "%s{identity=\"%s\",verdict=\"%s\",direction=\"%s\"} %llu\n", metric,
			identity, verdicts[i % BPFMAP_VERDICTS],
			i < BPFMAP_VERDICTS ? "ingress" : "egress",
			(unsigned long long)(bytes ? row[i].bytes : row[i].packets));
	}
}

/* Two roles may share a number: its row is the first one's, and the other's stays empty. */
static void write_metric(
	FILE *to, const struct sums *sums, const char *metric, const char *help, bool bytes)
{
	size_t n = sums->config->conf->n_roles;
	char number[16];

	fprintf(to, "# HELP %s %s\n# TYPE %s counter\n", metric, help, metric);
	for (size_t i = 0; i < n; i++) {
		snprintf(number, sizeof(number), "%u", sums->config->roles[i].number.id);
		write_series(to, metric, number, sums->rows[i], bytes);
	}
	write_series(to, metric, "0", sums->rows[n], bytes);
	write_series(to, metric, "other", sums->rows[n + 1], bytes);
}

static void write_traffic(FILE *to, const struct spoa_kernel *kernel)
{
	const size_t n_rows = kernel->config->conf->n_roles + 2;
	cleanup(free) struct bpfmap_stat(*rows)[SLOTS] = calloc(n_rows, sizeof(*rows));
	cleanup(free) struct bpfmap_traffic *traffic = NULL;
	const struct sums sums = {kernel->config, rows};
	size_t n = 0;

	if (!rows || bpfmap_traffic(kernel->maps->map, &traffic, &n))
		return;
	for (size_t i = 0; i < n; i++)
		add(&sums, &traffic[i]);
	write_metric(to, &sums, "identityd_kernel_packets_total",
		"Packets of client connections and of marked sockets, by identity", false);
	write_metric(to, &sums, "identityd_kernel_bytes_total", "Bytes of those packets", true);
}

void spoa_kernel_metrics(const struct spoa_kernel *kernel, FILE *to)
{
	struct bpfmap_status status;

	if (!kernel->maps || bpfmap_status(kernel->maps->map, &status))
		return;
	write_counters(to, &status);
	write_traffic(to, kernel);
}
