/*
 * The section workloads made ready: networks, and the workloads that the
 * operator knows. Part of the configuration, immutable.
 */
#ifndef SPOA_WORKLOAD_RULES_H
#define SPOA_WORKLOAD_RULES_H

#include "base/cidr.h"
#include "base/diag.h"
#include "base/mem.h"
#include "conf/conf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spoa_workload_entry {
	struct base_cidr network;
	const char *labels; /* canonical */
	const char *pod;    /* borrowed from conf; NULL: not known */
};

struct spoa_workload_rules {
	struct base_cidr *ranges;
	size_t n_ranges;
	struct spoa_workload_entry *entries; /* the longest network first */
	size_t n_entries;
	char **labels; /* of conf's entries, owned */
	size_t n_labels;
};

/* Mistakes in labels go to diag. 0 or -ENOMEM; either way spoa_workload_rules_done. */
int spoa_workload_rules_compile(const struct conf *conf, struct spoa_workload_rules *rules,
	struct base_diag *diag) must_check;
void spoa_workload_rules_done(struct spoa_workload_rules *rules);

bool spoa_workload_rules_in_range(
	const struct spoa_workload_rules *rules, const uint8_t address[16]);

/* The entry with the longest network that has this address, or NULL. */
const struct spoa_workload_entry *spoa_workload_rules_find(
	const struct spoa_workload_rules *rules, const uint8_t address[16]);

#endif
