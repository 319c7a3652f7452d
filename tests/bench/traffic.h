/*
 * The frames of the load generator: NOTIFYs made once, one for each token,
 * with the arguments that examples/spoe-identity.cfg sends; and the check of
 * what comes back.
 */
#ifndef BENCH_TRAFFIC_H
#define BENCH_TRAFFIC_H

#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ids are chosen so that they are three bytes each, always at the same place. */
#define BENCH_ID_MIN 2288
#define BENCH_ID_MAX 264431

struct bench_traffic {
	unsigned char *bytes; /* all frames, one behind the other */
	size_t *starts;       /* n + 1: where each begins */
	size_t n;
	size_t longest;
	size_t room; /* for bytes */
};

/* One NOTIFY more; pad (may be empty) is an argument that nobody knows. */
void bench_traffic_add(struct bench_traffic *traffic, struct span token, struct span pad);

/* One NOTIFY for each line of a file; pad adds an argument of so many bytes that nobody knows. */
void bench_traffic_load(struct bench_traffic *traffic, const char *path, size_t pad);
void bench_traffic_done(struct bench_traffic *traffic);

/* What stands behind the ids of frame i. */
struct span bench_traffic_payload(const struct bench_traffic *traffic, size_t i);

/* Copies frame i and gives it these ids; returns its length. */
size_t bench_traffic_copy(const struct bench_traffic *traffic, size_t i, uint32_t stream_id,
	uint32_t frame_id, unsigned char *to);

/* Does the payload of an ACK end with this verdict? */
bool bench_ack_says(struct span payload, const char *verdict);

/* Actions in the payload of an ACK; -1 when they cannot all be read. */
int bench_ack_count(struct span payload);

#endif
