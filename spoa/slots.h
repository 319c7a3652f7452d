/*
 * Which row of the metrics a provider has. A name keeps its row while the
 * process runs, so that no counter ever goes back; once all are taken, whoever
 * is new shares SPOA_SLOT_OTHER. Main thread only.
 */
#ifndef SPOA_SLOTS_H
#define SPOA_SLOTS_H

#include "spoa/config.h"
#include "spoa/metrics.h"

struct spoa_slots {
	char *names[SPOA_SLOTS - 2];
	size_t n;
};

/* Gives each provider of a configuration that nobody decides with yet its row. */
void spoa_slots_assign(struct spoa_slots *slots, struct spoa_config *config);
void spoa_slots_done(struct spoa_slots *slots);

#endif
