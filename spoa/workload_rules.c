#include "spoa/workload_rules.h"

#include "ident/labels.h"

#include <errno.h>
#include <stdlib.h>

#define PARTS 512 /* bytes of one label, in pieces */

static int entry_labels(const struct conf_workload *from, struct base_diag *diag, char **ret_labels)
{
	cleanup(free) struct ident_label *labels = calloc(from->labels.n + 1, sizeof(*labels));
	cleanup(free) char *bufs = calloc(from->labels.n + 1, PARTS);
	const struct conf_pos *pos = &from->labels_pos;
	char why[160] = "";
	int rc;

	if (!labels || !bufs)
		return -ENOMEM;
	for (size_t i = 0; i < from->labels.n; i++) {
		const char *text = from->labels.items[i];

		if (ident_label_parse(text, bufs + i * PARTS, PARTS, &labels[i], why)) {
			base_diag_add(
				diag, pos->line, pos->column, "label \"%.80s\": %s", text, why);
			return 0;
		}
	}
	rc = ident_labels_canonical(labels, from->labels.n, ret_labels, why);
	if (rc == -ENOMEM)
		return rc;
	if (rc)
		base_diag_add(diag, pos->line, pos->column, "%s", why);
	return 0;
}

/* conf has checked the networks. */
static void add_networks(
	const struct conf_workload *from, const char *labels, struct spoa_workload_rules *rules)
{
	for (size_t i = 0; i < from->addresses.n; i++) {
		struct spoa_workload_entry *to = &rules->entries[rules->n_entries];

		if (base_cidr_parse(from->addresses.items[i], &to->network))
			continue;
		to->labels = labels;
		to->pod = from->pod;
		rules->n_entries++;
	}
}

static int by_length(const void *a, const void *b)
{
	const struct spoa_workload_entry *x = a, *y = b;

	return (int)y->network.bits - (int)x->network.bits;
}

static int add_entries(
	const struct conf *conf, struct spoa_workload_rules *rules, struct base_diag *diag)
{
	size_t n = 0;

	for (size_t i = 0; i < conf->workloads.n_entries; i++)
		n += conf->workloads.entries[i].addresses.n;
	rules->entries = calloc(n + 1, sizeof(*rules->entries));
	rules->labels = calloc(conf->workloads.n_entries + 1, sizeof(*rules->labels));
	if (!rules->entries || !rules->labels)
		return -ENOMEM;
	rules->n_labels = conf->workloads.n_entries;
	for (size_t i = 0; i < rules->n_labels; i++) {
		const struct conf_workload *from = &conf->workloads.entries[i];

		if (entry_labels(from, diag, &rules->labels[i]))
			return -ENOMEM;
		if (rules->labels[i])
			add_networks(from, rules->labels[i], rules);
	}
	qsort(rules->entries, rules->n_entries, sizeof(*rules->entries), by_length);
	return 0;
}

int spoa_workload_rules_compile(
	const struct conf *conf, struct spoa_workload_rules *rules, struct base_diag *diag)
{
	const struct conf_strings *ranges = &conf->workloads.ranges;

	*rules = (struct spoa_workload_rules){0};
	rules->ranges = calloc(ranges->n + 1, sizeof(*rules->ranges));
	if (!rules->ranges)
		return -ENOMEM;
	for (size_t i = 0; i < ranges->n; i++)
		if (!base_cidr_parse(ranges->items[i], &rules->ranges[rules->n_ranges]))
			rules->n_ranges++;
	return add_entries(conf, rules, diag);
}

void spoa_workload_rules_done(struct spoa_workload_rules *rules)
{
	for (size_t i = 0; i < rules->n_labels; i++)
		free(rules->labels[i]);
	free(rules->labels);
	free(rules->entries);
	free(rules->ranges);
	*rules = (struct spoa_workload_rules){0};
}

bool spoa_workload_rules_in_range(
	const struct spoa_workload_rules *rules, const uint8_t address[16])
{
	for (size_t i = 0; i < rules->n_ranges; i++)
		if (base_cidr_has(&rules->ranges[i], address))
			return true;
	return false;
}

const struct spoa_workload_entry *spoa_workload_rules_find(
	const struct spoa_workload_rules *rules, const uint8_t address[16])
{
	for (size_t i = 0; i < rules->n_entries; i++)
		if (base_cidr_has(&rules->entries[i].network, address))
			return &rules->entries[i];
	return NULL;
}
