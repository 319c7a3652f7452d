/*
 * HAPROXY-HELLO and AGENT-HELLO (SPOE.txt 3.2.4, 3.2.5).
 */
#ifndef SPOP_HELLO_H
#define SPOP_HELLO_H

#include "spop/data.h"
#include "spop/status.h"

#include <stdbool.h>
#include <stdint.h>

struct spop_hello {
	uint32_t max_frame_size; /* as announced */
	bool pipelining, async, fragmentation;
	bool healthcheck;
	struct span engine_id; /* borrowed; empty when absent */
};

/*
 * Reads HAProxy's payload. Unknown keys are skipped. A known one of a wrong
 * type, with a NUL in its text or there twice is SPOP_STATUS_INVALID; a missing
 * one has its own status; versions that do not include 2.x are BAD_VERSION; a
 * frame size below 256 or beyond 32 bits is BAD_FRAME_SIZE. When several are
 * wrong, INVALID goes first, then version, frame size, capabilities.
 * SPOP_STATUS_NORMAL and *ret_hello, or the status to disconnect with and
 * *ret_hello untouched.
 */
enum spop_status spop_hello_parse(struct span payload, struct spop_hello *ret_hello);

struct spop_agent_hello {
	uint32_t max_frame_size;
	bool pipelining, fragmentation;
};

/* The agent's payload: version 2.0, the frame size, and the capabilities that are true. */
void spop_hello_encode_agent(struct wr *w, const struct spop_agent_hello *hello);

/* HAProxy's side, for the load generator and tests. */
void spop_hello_encode_haproxy(struct wr *w, const struct spop_hello *hello);
/*
 * The same for the agent's payload. Only version 2.0 will do, as for HAProxy;
 * that the frame size is not above the announced one is the caller's to check.
 */
enum spop_status spop_hello_parse_agent(struct span payload, struct spop_agent_hello *ret_hello);

#endif
