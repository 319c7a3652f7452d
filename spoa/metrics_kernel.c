#include "spoa/metrics_kernel.h"

#include <stdlib.h>
#include <string.h>

/* Counters of the kernel are counters of Prometheus: they begin anew when the maps do. */
static const struct {
	enum spoa_family family;
	const char *label;
	enum bpfmap_counter counter;
} COUNTERS[] = {
	{SPOA_FAMILY_FLOWS_REFUSED, NULL, BPFMAP_COUNT_FLOWS_FULL},
	{SPOA_FAMILY_STOPS, "action=\"deny\"", BPFMAP_COUNT_DENIED},
	{SPOA_FAMILY_STOPS, "action=\"drop\"", BPFMAP_COUNT_DROPPED},
	{SPOA_FAMILY_STOPS, "action=\"kill\"", BPFMAP_COUNT_KILLED},
	{SPOA_FAMILY_AUDITED, NULL, BPFMAP_COUNT_AUDITED},
	{SPOA_FAMILY_EVENTS_LOST, NULL, BPFMAP_COUNT_EVENTS_LOST},
	{SPOA_FAMILY_STATS_FULL, NULL, BPFMAP_COUNT_STATS_FULL},
	{SPOA_FAMILY_FLOWS_DEAD, NULL, BPFMAP_COUNT_FLOWS_DEAD},
};

static void write_counters(FILE *to, const struct bpfmap_status *status)
{
	for (size_t i = 0; i < ARRAY_SIZE(COUNTERS); i++) {
		if (!i || COUNTERS[i].family != COUNTERS[i - 1].family)
			spoa_metrics_head(to, COUNTERS[i].family);
		spoa_metrics_value(to, COUNTERS[i].family, COUNTERS[i].label,
			(double)status->counters[COUNTERS[i].counter]);
	}
}

/* Counting is a pass over the map, so it is not done at every scrape. */
#define RECOUNT_NS (10 * NS_PER_S)
static const enum bpfmap_map COUNTED[] = {
	BPFMAP_MAP_STATS, BPFMAP_MAP_ENDPOINTS, BPFMAP_MAP_POLICY};
_Static_assert(ARRAY_SIZE(COUNTED) == SPOA_EXTENTS, "room for each");

static void recount(struct spoa_extents *extents, struct bpfmap *map)
{
	uint64_t now = base_clock_mono_ns();

	if (extents->counted_at && now - extents->counted_at < RECOUNT_NS)
		return;
	extents->counted_at = now;
	for (size_t i = 0; i < SPOA_EXTENTS; i++)
		if (bpfmap_extent(map, COUNTED[i], &extents->extent[i]))
			extents->extent[i] = (struct bpfmap_extent){0};
}

static void write_extents(FILE *to, struct spoa_extents *extents, struct bpfmap *map)
{
	static const enum spoa_family FAMILIES[] = {SPOA_FAMILY_MAP_ENTRIES, SPOA_FAMILY_MAP_MAX};

	recount(extents, map);
	for (size_t f = 0; f < ARRAY_SIZE(FAMILIES); f++) {
		spoa_metrics_head(to, FAMILIES[f]);
		for (size_t i = 0; i < SPOA_EXTENTS; i++) {
			char label[64];

			snprintf(label, sizeof(label), "map=\"%s\"", bpfmap_pins[COUNTED[i]].name);
			spoa_metrics_value(to, FAMILIES[f], label,
				f ? extents->extent[i].room : extents->extent[i].entries);
		}
	}
}

#define SLOTS (2 * BPFMAP_VERDICTS)

/* So many identities, nobody, and all others together: that bounds the series. */
#define IDENTITIES_MAX 1024
struct sums {
	size_t n;                          /* identities, each once */
	uint32_t *numbers;                 /* in order */
	struct bpfmap_stat (*rows)[SLOTS]; /* theirs, then nobody's, then the others' */
};

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void list_numbers(struct sums *sums, const struct spoa_identities *table)
{
	size_t n = 0, all = 0;

	for (size_t i = 0; i < table->n_slots && all < IDENTITIES_MAX; i++)
		if (table->slots[i])
			sums->numbers[all++] = table->slots[i]->number.id;
	qsort(sums->numbers, all, sizeof(*sums->numbers), compare);
	for (size_t i = 0; i < all; i++)
		if (!n || sums->numbers[i] != sums->numbers[n - 1])
			sums->numbers[n++] = sums->numbers[i];
	sums->n = n;
}

static size_t row_of(const struct sums *sums, uint32_t identity)
{
	const uint32_t *found = NULL;

	if (!identity)
		return sums->n;
	found = bsearch(&identity, sums->numbers, sums->n, sizeof(identity), compare);
	return found ? (size_t)(found - sums->numbers) : sums->n + 1;
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

static void write_series(FILE *to, enum spoa_family family, const char *identity,
	const struct bpfmap_stat row[SLOTS])
{
	static const char *const verdicts[] = {"passed", "audited", "stopped"};

	_Static_assert(ARRAY_SIZE(verdicts) == BPFMAP_VERDICTS, "a word for each");
	for (size_t i = 0; i < SLOTS; i++) {
		char labels[128];

		if (!row[i].packets)
			continue;
		snprintf(labels, sizeof(labels), "identity=\"%s\",verdict=\"%s\",direction=\"%s\"",
			identity, verdicts[i % BPFMAP_VERDICTS],
			i < BPFMAP_VERDICTS ? "ingress" : "egress");
		spoa_metrics_value(to, family, labels,
			(double)(family == SPOA_FAMILY_BYTES ? row[i].bytes : row[i].packets));
	}
}

static void write_family(FILE *to, const struct sums *sums, enum spoa_family family)
{
	char number[16];

	spoa_metrics_head(to, family);
	for (size_t i = 0; i < sums->n; i++) {
		snprintf(number, sizeof(number), "%u", sums->numbers[i]);
		write_series(to, family, number, sums->rows[i]);
	}
	write_series(to, family, "0", sums->rows[sums->n]);
	write_series(to, family, "other", sums->rows[sums->n + 1]);
}

static void write_traffic(
	FILE *to, const struct spoa_kernel *kernel, const struct spoa_identities *table)
{
	const size_t n_rows = IDENTITIES_MAX + 2;
	cleanup(free) struct bpfmap_stat(*rows)[SLOTS] = calloc(n_rows, sizeof(*rows));
	cleanup(free) uint32_t *numbers = calloc(n_rows, sizeof(*numbers));
	cleanup(free) struct bpfmap_traffic *traffic = NULL;
	struct sums sums = {.numbers = numbers, .rows = rows};
	size_t n = 0;

	if (!rows || !numbers || bpfmap_traffic(kernel->maps->map, &traffic, &n))
		return;
	list_numbers(&sums, table);
	for (size_t i = 0; i < n; i++)
		add(&sums, &traffic[i]);
	write_family(to, &sums, SPOA_FAMILY_PACKETS);
	write_family(to, &sums, SPOA_FAMILY_BYTES);
}

void spoa_metrics_kernel(FILE *to, const struct spoa_kernel *kernel,
	const struct spoa_identities *table, struct spoa_extents *extents)
{
	struct bpfmap_status status;
	struct bpfmap_control control;
	struct base_now now;

	if (!kernel->maps || bpfmap_status(kernel->maps->map, &status))
		return;
	spoa_metrics_one(to, SPOA_FAMILY_FLOWS, (double)(int64_t)bpfmap_status_flows(&status));
	spoa_metrics_one(to, SPOA_FAMILY_FLOWS_MAX, status.max_flows);
	write_counters(to, &status);
	base_clock_now(&now);
	if (!bpfmap_control_get(kernel->maps->map, &control))
		spoa_metrics_one(to, SPOA_FAMILY_GLASS,
			control.break_glass_until > now.boot_ns
				? (double)(control.break_glass_until - now.boot_ns) / 1e9
				: 0);
	write_extents(to, extents, kernel->maps->map);
	write_traffic(to, kernel, table);
}
