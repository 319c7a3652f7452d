#include "spoa/metrics.h"

#include "base/mem.h"
#include "spoa/decide.h"

#include <string.h>

static const struct {
	const char *metric, *label, *help;
} COUNTERS[] = {
#define X(suffix, metric, label, help) {metric, label, help},
	SPOA_COUNTERS(X)
#undef X
};
_Static_assert(ARRAY_SIZE(COUNTERS) == SPOA_COUNTERS_N, "a row for each counter");

uint64_t spoa_metrics_sum(struct spoa_metrics *const *sets, size_t n, enum spoa_counter c)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += atomic_load_explicit(&sets[i]->counters[c], memory_order_relaxed);
	return sum;
}

uint64_t spoa_metrics_decisions(struct spoa_metrics *const *sets, size_t n, enum base_reason r)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += atomic_load_explicit(&sets[i]->decisions[r], memory_order_relaxed);
	return sum;
}

static void write_head(FILE *to, const char *metric, const char *type, const char *help)
{
	fprintf(to, "# HELP %s %s\n# TYPE %s %s\n", metric, help, metric, type);
}

static void write_decisions(FILE *to, struct spoa_metrics *const *sets, size_t n)
{
	write_head(to, "identityd_decisions_total", "counter",
		"Requests answered, by verdict and reason");
	for (unsigned r = 0; r < BASE_REASON_COUNT; r++) {
		struct spoa_decision d = spoa_decision_of((enum base_reason)r);

		fprintf(to, "identityd_decisions_total{verdict=\"%s\",reason=\"%s\"} %llu\n",
			spoa_verdict_name(d.verdict), base_reason_word(d.reason),
			(unsigned long long)spoa_metrics_decisions(sets, n, d.reason));
	}
}

void spoa_metrics_write(FILE *to, struct spoa_metrics *const *sets, size_t n)
{
	write_decisions(to, sets, n);
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

void spoa_metrics_gauge(FILE *to, const char *name, const char *help, double value)
{
	write_head(to, name, "gauge", help);
	fprintf(to, "%s %.17g\n", name, value);
}
