/*
 * Which known word somebody may have meant.
 */
#ifndef CONF_NEAR_H
#define CONF_NEAR_H

#include "conf/keys.h"

/* Steps from one text to the other: insert, delete, change, swap neighbours. At most 99. */
unsigned conf_near_steps(const char *a, const char *b);

/* The nearest key of a section, when it is at most two steps away and not wholly another; or NULL. */
const char *conf_near_key(const struct conf_section *section, const char *name);

#endif
