#include "spoa/slots.h"

#include <stdlib.h>
#include <string.h>

static unsigned slot_of(struct spoa_slots *slots, const char *name)
{
	for (size_t i = 0; i < slots->n; i++)
		if (!strcmp(slots->names[i], name))
			return (unsigned)i + 1;
	if (slots->n == ARRAY_SIZE(slots->names))
		return SPOA_SLOT_OTHER;
	slots->names[slots->n] = strdup(name);
	return slots->names[slots->n] ? (unsigned)++slots->n : SPOA_SLOT_OTHER;
}

void spoa_slots_assign(struct spoa_slots *slots, struct spoa_config *config)
{
	for (size_t i = 0; i < config->conf->n_providers; i++)
		config->providers[i].slot = slot_of(slots, config->rules[i].name);
}

void spoa_slots_done(struct spoa_slots *slots)
{
	for (size_t i = 0; i < slots->n; i++)
		free(slots->names[i]);
	slots->n = 0;
}
