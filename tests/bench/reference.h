/* The parts of a verification by OpenSSL and jansson alone: what ours is compared with. */
#ifndef BENCH_REFERENCE_H
#define BENCH_REFERENCE_H

#include "base/span.h"
#include "tests/unit/token/keys.h"

/* CPU time of one, in us, over so many. */

/* Digest and EVP_PKEY_verify with a context that is used again and again. */
double bench_reference_verify(const struct test_key *key, struct span token, size_t times);

/* Three segments cut and decoded, header and payload made into jansson's trees. */
double bench_reference_parse(struct span token, size_t times);

/* SHA-256 of the whole token. */
double bench_reference_hash(struct span token, size_t times);

#endif
