/*
 * SPOP status codes (SPOE.txt 3.5). Only these numbers are ever sent: HAProxy
 * indexes a table with what it receives.
 */
#ifndef SPOP_STATUS_H
#define SPOP_STATUS_H

enum spop_status {
	SPOP_STATUS_NORMAL = 0,
	SPOP_STATUS_IO = 1,
	SPOP_STATUS_TIMEOUT = 2,
	SPOP_STATUS_TOO_BIG = 3,
	SPOP_STATUS_INVALID = 4,
	SPOP_STATUS_NO_VERSION = 5,
	SPOP_STATUS_NO_FRAME_SIZE = 6,
	SPOP_STATUS_NO_CAPABILITIES = 7,
	SPOP_STATUS_BAD_VERSION = 8,
	SPOP_STATUS_BAD_FRAME_SIZE = 9,
	SPOP_STATUS_FRAGMENTED = 10,
	SPOP_STATUS_INTERLACED = 11,
	SPOP_STATUS_NO_FRAME_ID = 12,
	SPOP_STATUS_RESOURCES = 13,
	SPOP_STATUS_UNKNOWN = 99,
};

/* The text that goes with the code; "unknown error" for a number that is not in the list. */
const char *spop_status_text(unsigned status);

#endif
