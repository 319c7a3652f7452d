/*
 * What the head of an answer says about keeping it: ETag (RFC 9110 8.8.3),
 * Cache-Control and Age (RFC 9111 5).
 */
#ifndef NET_HEADER_H
#define NET_HEADER_H

#include "base/span.h"
#include "net/net.h"

/*
 * One line of the head, as libcurl hands it out: a status line begins anew,
 * for it may be the second head of a transfer. What is malformed says nothing.
 */
void net_header_take(struct net_answer *answer, struct span line);

#endif
