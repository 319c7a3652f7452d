/* What the tests of spop/ share. */
#ifndef TESTS_UNIT_SPOP_SUPPORT_H
#define TESTS_UNIT_SPOP_SUPPORT_H

#include "base/span.h"
#include "spop/data.h"

#include <check.h>

/*
 * A copy of the bytes that ends where the next page may not be touched: one
 * byte read too far is a crash. Lives until the next call.
 */
struct span guarded(const void *p, size_t n);

/* The bytes that hexadecimal text spells, spaces ignored. Lives until the sixteenth call after. */
struct span hex(const char *text);

bool data_equal(const struct spop_data *a, const struct spop_data *b);

/* What a writer holds. */
struct span written(const struct wr *w);

#define ck_span(a, b)                                                                              \
	do {                                                                                       \
		struct span a_ = (a), b_ = (b);                                                    \
		ck_assert_uint_eq(a_.n, b_.n);                                                     \
		ck_assert(span_eq(a_, b_));                                                        \
	} while (0)

/* X(source file): one suite each. */
#define SUITES(X)                                                                                  \
	X(status) X(data) X(kv) X(frame) X(fragment) X(hello) X(disconnect) X(notify) X(ack)

#define X(name) Suite *suite_##name(void);
SUITES(X)
#undef X

#endif
