/*
 * The fields that rows of the key table lead to, after they were filled.
 */
#ifndef CONF_FIELD_H
#define CONF_FIELD_H

#include "conf/keys.h"

/* Frees what the field of this row owns and zeroes it. Not for SECTION and SECTIONS. */
void conf_field_clear(const struct conf_key *key, void *base);

/* Do both structs hold the same value? Not for SECTION and SECTIONS. */
bool conf_field_same(const struct conf_key *key, const void *a, const void *b);

#endif
