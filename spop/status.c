#include "spop/status.h"

#include "base/mem.h"

static const char unknown[] = "unknown error";

static const char *const texts[] = {
	[SPOP_STATUS_NORMAL] = "normal",
	[SPOP_STATUS_IO] = "I/O error",
	[SPOP_STATUS_TIMEOUT] = "a timeout occurred",
	[SPOP_STATUS_TOO_BIG] = "frame is too big",
	[SPOP_STATUS_INVALID] = "invalid frame received",
	[SPOP_STATUS_NO_VERSION] = "version value not found",
	[SPOP_STATUS_NO_FRAME_SIZE] = "max-frame-size value not found",
	[SPOP_STATUS_NO_CAPABILITIES] = "capabilities value not found",
	[SPOP_STATUS_BAD_VERSION] = "unsupported version",
	[SPOP_STATUS_BAD_FRAME_SIZE] = "max-frame-size too big or too small",
	[SPOP_STATUS_FRAGMENTED] = "payload fragmentation is not supported",
	[SPOP_STATUS_INTERLACED] = "invalid interlaced frames",
	[SPOP_STATUS_NO_FRAME_ID] = "frame-id not found",
	[SPOP_STATUS_RESOURCES] = "resource allocation error",
	[SPOP_STATUS_UNKNOWN] = unknown,
};

const char *spop_status_text(unsigned status)
{
	if (status >= ARRAY_SIZE(texts) || !texts[status])
		return unknown;
	return texts[status];
}
