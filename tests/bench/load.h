/*
 * Keeps a number of connections busy, each with a number of NOTIFYs in
 * flight, and checks every ACK: it must name a frame that is open on its
 * connection, by both ids, once, and end with the expected verdict.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "tests/bench/histogram.h"
#include "tests/bench/traffic.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define BENCH_DEPTH_MAX 1024

struct bench_load {
	const char *where; /* see bench_connect */
	size_t n_conns;
	size_t depth;                        /* NOTIFYs in flight on each */
	const struct bench_traffic *traffic; /* sent in turn, over all connections; or NULL: */
	size_t raw_bytes;                    /* this many bytes there and back instead */
	const char *verdict;                 /* that every ACK must end with */
	size_t actions;                      /* that every hundredth ACK must have; 0: any number */
	double warm_s, measure_s;
	uint64_t count; /* or: stop after so many, all measured; 0: by time */
	pid_t server;   /* whose CPU time is measured; 0: nobody's */
};

struct bench_result {
	uint64_t messages;
	double seconds;
	double server_us;               /* CPU time of the server for each message */
	double generator_busy;          /* share of its core that the load generator used */
	double ack_bytes;               /* mean length of an ACK */
	struct bench_histogram latency; /* ns */
};

/* Ends the program with a sentence when anything is not as it must be. */
void bench_load_run(const struct bench_load *load, struct bench_result *ret_result);

#endif
