/*
 * The message `identify` of the SPOE contract (docs/DESIGN.md): what HAProxy
 * says about one request. Everything in it is a stranger's text, even though
 * HAProxy sends it.
 */
#ifndef SPOA_REQUEST_H
#define SPOA_REQUEST_H

#include "base/mem.h"
#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

struct spoa_address {
	uint8_t bytes[16]; /* network order */
	uint8_t len;       /* 4 or 16; 0: absent */
};

/* Absent arguments are empty, 0 or false. Texts are borrowed from the payload. */
struct spoa_request {
	struct span token, scheme;
	struct spoa_address src, dst; /* the connection as the kernel has it */
	uint16_t sport, dport;
	struct spoa_address client;
	bool proxied;
	struct span method, host, path, query, proto;
	bool https;
	struct span service;
	bool tunnel;
	struct span reqid, traceparent;
	int64_t sent;        /* when HAProxy asked, by its clock: microseconds since 1970 */
	struct span headers; /* as req.hdrs_bin writes them */
	struct span cert;    /* the client's certificate, DER; a stranger's unless cert_verified */
	bool cert_verified;  /* HAProxy said cert_verify = 0: it has checked cert */
	struct span cert_chain; /* what the client sent with it: DER, one after the other */
	struct span dpop;       /* DPoP proof (RFC 9449) */
	/* Not said in the message: the one who sent it is known, so that addresses can be believed. */
	bool vouched;
};

/*
 * Reads the payload of a NOTIFY. Unknown arguments and arguments without a
 * name are skipped, NULL is absent.
 *   0         *ret_request is filled
 *   -EBADMSG  not a list of messages: the connection is to be closed, status 4
 *   -EINVAL   good SPOP, but not one message `identify`, or an argument of a
 *             wrong type, or one that is there twice
 */
int spoa_request_parse(struct span payload, struct spoa_request *ret_request) must_check;

#endif
