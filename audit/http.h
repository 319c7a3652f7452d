/* The HTTP request of an entry: Hubble's l7, and the pieces of its summary. */
#ifndef AUDIT_HTTP_H
#define AUDIT_HTTP_H

#include "audit/flow.h"

/* How many bytes of a text a line takes. */
#define AUDIT_HOST_MAX  256
#define AUDIT_PATH_MAX  1024
#define AUDIT_QUERY_MAX 256
#define AUDIT_VALUE_MAX 256 /* of every other text but labels */
/* Headers of the request: as many, and so many bytes of all their names and values. */
#define AUDIT_HEADERS_MAX   16
#define AUDIT_HEADERS_BYTES 512

/* The member l7. */
void audit_http_put(struct wr *w, const struct audit_entry *entry, const struct audit_style *style);

/* Pieces of a text that has begun: "http://host/path?query", "HTTP/1.1". */
void audit_http_url(struct wr *w, const struct audit_entry *entry, const struct audit_style *style);
void audit_http_protocol(struct wr *w, const struct audit_entry *entry);

#endif
