/*
 * Base64 as JSON mappings of protocol buffers write bytes: RFC 4648 4, with
 * padding, in one line.
 */
#ifndef ETCD_BASE64_H
#define ETCD_BASE64_H

#include "base/mem.h"
#include "base/span.h"

#include <stddef.h>

/* Bytes of the text for n bytes, without a NUL. */
#define ETCD_BASE64_SIZE(n) (((n) + 2) / 3 * 4)

/* Writes ETCD_BASE64_SIZE(bytes.n) characters and a NUL. */
void etcd_base64_encode(struct span bytes, char *to);

/*
 * Writes the bytes, at most text.n / 4 * 3, and their number. 0, or -EINVAL for
 * a foreign character, wrong padding or bits that stand for nothing.
 */
int etcd_base64_decode(struct span text, char *to, size_t *ret_n) must_check;

#endif
