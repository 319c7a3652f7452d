/* Policies of the size that docs/POLICY.md speaks of: 10,000 rules, for benchmarks. */
#ifndef TESTS_BENCH_MANY_H
#define TESTS_BENCH_MANY_H

#include "policy/index.h"

#define MANY_SERVICES   200
#define MANY_IDENTITIES 5000
#define MANY_LABELS     300

/* Reads 10,000 rules for these services and identities; how long that took. */
struct policy_index *many_index(double *ret_s);

/* Identity number i, which may be beyond MANY_IDENTITIES: its canonical labels; into the index. */
void many_labels(unsigned i, char labels[MANY_LABELS]);
void many_add(struct policy_index *index, unsigned i);

unsigned many_random(void);
double many_now(void); /* seconds */
void many_die(const char *what);

#endif
