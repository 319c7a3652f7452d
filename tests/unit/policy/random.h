/* Policies by chance, for questions that two sides must answer alike. */
#ifndef TESTS_UNIT_POLICY_RANDOM_H
#define TESTS_UNIT_POLICY_RANDOM_H

#include "policy/index.h"

#define RANDOM_SERVICES 4
#define RANDOM_CALLERS  6

/* The same numbers in every run. */
unsigned random_next(void);

/* Four policies on that many services and callers; other ones each time. */
struct policy_index *random_index(void);

/* The canonical labels of one of its callers. */
void random_labels(uint32_t caller, char labels[200]);

#endif
