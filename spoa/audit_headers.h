/*
 * The headers of a request that the audit log is to have, out of what HAProxy
 * sends of them (req.hdrs_bin).
 */
#ifndef SPOA_AUDIT_HEADERS_H
#define SPOA_AUDIT_HEADERS_H

#include "base/mem.h"
#include "base/span.h"
#include "conf/conf.h"

#include <stddef.h>

/*
 * Writes those with a name in wanted (whatever the case) to buf as AUDIT_TEXT_HEADERS
 * wants them: the value of one that is in redacted as AUDIT_REDACTED, a NUL
 * within a value as '?'. One that does not fit whole is left out. Returns the
 * bytes; what is no list of headers ends where it stops to be one.
 */
size_t spoa_audit_headers(struct span headers, const struct conf_strings *wanted,
	const struct conf_strings *redacted, char *buf, size_t room);

#endif
