#include "spoa/metrics.h"

#include "base/mem.h"
#include "spoa/decide.h"

#include <stdbool.h>
#include <string.h>

static const struct {
	const char *metric, *label, *help;
} COUNTERS[] = {
#define X(suffix, metric, label, help) {metric, label, help},
	SPOA_COUNTERS(X)
#undef X
};
_Static_assert(ARRAY_SIZE(COUNTERS) == SPOA_COUNTERS_N, "a row for each counter");

static const struct {
	const char *metric, *type, *help;
} FAMILIES[] = {
#define X(suffix, type, metric, help) {metric, type, help},
	SPOA_FAMILIES(X)
#undef X
};
_Static_assert(ARRAY_SIZE(FAMILIES) == SPOA_FAMILIES_N, "a row for each family");

static uint64_t load(const atomic_uint_fast64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

uint64_t spoa_metrics_sum(struct spoa_metrics *const *sets, size_t n, enum spoa_counter c)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += load(&sets[i]->counters[c]);
	return sum;
}

static uint64_t decisions_of(
	struct spoa_metrics *const *sets, size_t n, unsigned slot, enum base_reason r)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += load(&sets[i]->decisions[slot][r]);
	return sum;
}

uint64_t spoa_metrics_decisions(struct spoa_metrics *const *sets, size_t n, enum base_reason r)
{
	uint64_t sum = 0;

	for (unsigned slot = 0; slot < SPOA_SLOTS; slot++)
		sum += decisions_of(sets, n, slot, r);
	return sum;
}

void spoa_metrics_spop_error(struct spoa_metrics *m, bool by_peer, unsigned status)
{
	if (status >= SPOA_SPOP_ERRORS)
		status = SPOA_SPOP_ERRORS - 1;
	if (status != SPOP_STATUS_NORMAL)
		spoa_histogram_raise(&m->spop_errors[by_peer][status], 1);
}

static void write_head(FILE *to, const char *metric, const char *type, const char *help)
{
	fprintf(to, "# HELP %s %s\n# TYPE %s %s\n", metric, help, metric, type);
}

void spoa_metrics_head(FILE *to, enum spoa_family f)
{
	write_head(to, FAMILIES[f].metric, FAMILIES[f].type, FAMILIES[f].help);
}

void spoa_metrics_value(FILE *to, enum spoa_family f, const char *labels, double value)
{
	/* Most are whole numbers, for which %.17g is ten times as slow. */
	bool whole = value >= -1e15 && value <= 1e15 && value == (double)(int64_t)value;

	fputs(FAMILIES[f].metric, to);
	if (labels) {
		fputc('{', to);
		fputs(labels, to);
		fputc('}', to);
	}
	if (whole)
		fprintf(to, " %lld\n", (long long)value);
	else
		fprintf(to, " %.17g\n", value);
}

void spoa_metrics_one(FILE *to, enum spoa_family f, double value)
{
	spoa_metrics_head(to, f);
	spoa_metrics_value(to, f, NULL, value);
}

/* A reason that no request had yet is there only under "": that bounds the series. */
static void write_slot(
	FILE *to, struct spoa_metrics *const *sets, size_t n, unsigned slot, const char *provider)
{
	for (unsigned r = 0; r < BASE_REASON_COUNT; r++) {
		struct spoa_decision d = spoa_decision_of((enum base_reason)r);
		uint64_t count = decisions_of(sets, n, slot, d.reason);

		if (!count && *provider && r != BASE_REASON_OK)
			continue;
		fprintf(to, "%s{verdict=\"%s\",reason=\"%s\",provider=\"%s\"} %llu\n",
			FAMILIES[SPOA_FAMILY_DECISIONS].metric, spoa_verdict_name(d.verdict),
			base_reason_word(d.reason), provider, (unsigned long long)count);
	}
}

static void write_decisions(
	FILE *to, struct spoa_metrics *const *sets, size_t n, char *const *names, size_t n_names)
{
	spoa_metrics_head(to, SPOA_FAMILY_DECISIONS);
	write_slot(to, sets, n, 0, "");
	for (size_t i = 0; i < n_names; i++)
		write_slot(to, sets, n, (unsigned)i + 1, names[i]);
	if (n_names == SPOA_SLOTS - 2)
		write_slot(to, sets, n, SPOA_SLOT_OTHER, "(others)");
}

static void write_histogram(
	FILE *to, struct spoa_metrics *const *sets, size_t n, enum spoa_family f, size_t at)
{
	const char *metric = FAMILIES[f].metric;
	uint64_t sum_ns = 0, count = 0;

	spoa_metrics_head(to, f);
	for (unsigned b = 0; b < SPOA_HISTOGRAM_BUCKETS; b++) {
		uint64_t bound = spoa_histogram_bound(b);

		for (size_t i = 0; i < n; i++) {
			const struct spoa_histogram *h = (const void *)((const char *)sets[i] + at);

			count += load(&h->buckets[b]);
			if (!b)
				sum_ns += load(&h->sum_ns);
		}
		if (bound)
			fprintf(to, "%s_bucket{le=\"%.9g\"} %llu\n", metric, (double)bound / 1e9,
				(unsigned long long)count);
	}
	fprintf(to, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %.9f\n%s_count %llu\n", metric,
		(unsigned long long)count, metric, (double)sum_ns / 1e9, metric,
		(unsigned long long)count);
}

static void write_spop_errors(FILE *to, struct spoa_metrics *const *sets, size_t n)
{
	spoa_metrics_head(to, SPOA_FAMILY_SPOP_ERRORS);
	for (unsigned peer = 0; peer < 2; peer++)
		for (unsigned s = 1; s < SPOA_SPOP_ERRORS; s++) {
			uint64_t sum = 0;
			char labels[128];

			for (size_t i = 0; i < n; i++)
				sum += load(&sets[i]->spop_errors[peer][s]);
			snprintf(labels, sizeof(labels), "by=\"%s\",status=\"%s\"",
				peer ? "peer" : "agent", spop_status_text(s));
			if (sum)
				spoa_metrics_value(
					to, SPOA_FAMILY_SPOP_ERRORS, labels, (double)sum);
		}
}

void spoa_metrics_write(
	FILE *to, struct spoa_metrics *const *sets, size_t n, char *const *names, size_t n_names)
{
	write_decisions(to, sets, n, names, n_names);
	write_histogram(to, sets, n, SPOA_FAMILY_DECIDE, offsetof(struct spoa_metrics, decide));
	write_histogram(to, sets, n, SPOA_FAMILY_FRAME, offsetof(struct spoa_metrics, frame));
	write_spop_errors(to, sets, n);
	for (unsigned c = 0; c < SPOA_COUNTERS_N; c++) {
		uint64_t sum = spoa_metrics_sum(sets, n, (enum spoa_counter)c);

		if (!c || strcmp(COUNTERS[c].metric, COUNTERS[c - 1].metric))
			write_head(to, COUNTERS[c].metric, "counter", COUNTERS[c].help);
		if (*COUNTERS[c].label)
			fprintf(to, "%s{%s} %llu\n", COUNTERS[c].metric, COUNTERS[c].label,
				(unsigned long long)sum);
		else
			fprintf(to, "%s %llu\n", COUNTERS[c].metric, (unsigned long long)sum);
	}
}

void spoa_metrics_table(FILE *to)
{
	for (unsigned f = 0; f < SPOA_FAMILIES_N; f++)
		fprintf(to, "%s\t%s\t%s\n", FAMILIES[f].metric, FAMILIES[f].type, FAMILIES[f].help);
	for (unsigned c = 0; c < SPOA_COUNTERS_N; c++)
		if (!c || strcmp(COUNTERS[c].metric, COUNTERS[c - 1].metric))
			fprintf(to, "%s\tcounter\t%s\n", COUNTERS[c].metric, COUNTERS[c].help);
}
