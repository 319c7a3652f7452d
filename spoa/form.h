/*
 * One field of an HTML form (application/x-www-form-urlencoded, WHATWG URL 5.1)
 * from a stranger.
 */
#ifndef SPOA_FORM_H
#define SPOA_FORM_H

#include "base/mem.h"
#include "base/span.h"

/*
 * The decoded value of the field with this name (ASCII, not encoded in the
 * body), in buf.
 *   0; -ENOENT it is not there; -EBADMSG it is there twice, or its encoding is
 *   broken; -EMSGSIZE it does not fit
 */
int spoa_form_get(struct span body, const char *name, char *buf, size_t size,
	struct span *ret_value) must_check;

#endif
