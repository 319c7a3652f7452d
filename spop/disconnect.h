/*
 * HAPROXY-DISCONNECT and AGENT-DISCONNECT (SPOE.txt 3.2.8, 3.2.9).
 */
#ifndef SPOP_DISCONNECT_H
#define SPOP_DISCONNECT_H

#include "base/mem.h"
#include "spop/data.h"
#include "spop/status.h"

struct spop_disconnect {
	uint32_t status;
	struct span message; /* borrowed */
};

/*
 * Any number that fits 32 bits is a status here, also one outside the table.
 * 0, or -EBADMSG: malformed, or one of the two keys is missing or there twice.
 */
int spop_disconnect_parse(struct span payload, struct spop_disconnect *ret) must_check;

/* status-code and its text from the table; a number outside it is sent as 99. */
void spop_disconnect_encode(struct wr *w, enum spop_status status);

#endif
