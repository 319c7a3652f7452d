/*
 * The client certificate of a request: whether a provider's bundle vouches
 * for it, whom it names, what it says (X.509-SVID, RFC 5280). What was found
 * out about a good one is remembered per worker, for as long as it holds.
 */
#ifndef SPOA_CERT_H
#define SPOA_CERT_H

#include "base/mem.h"
#include "base/reason.h"
#include "spoa/config.h"
#include "spoa/request.h"
#include "token/verify.h"

#include <stdint.h>

#define SPOA_CERTS_KEPT 256

/* One certificate that was judged good. */
struct spoa_cert {
	unsigned char hash[32];     /* SHA-256 of its DER */
	uint64_t config;            /* serial of the configuration that judged */
	struct token_claims claims; /* claims: as token_cert_parse, with iss and sub */
};

/* A worker's memory. Not shared between threads. */
struct spoa_certs;
struct spoa_certs *spoa_certs_new(void) must_check;
void spoa_certs_free(struct spoa_certs *certs);

/*
 * Judges the request's certificate. OK and *ret_cert, which lives until the
 * next call; CERT_MISSING when there is none; CERT_UNVERIFIED, CERT_MALFORMED,
 * CERT_UNTRUSTED, CERT_EXPIRED, CERT_NOT_ALLOWED, INTERNAL. Of several
 * providers the first whose bundle vouches for it counts.
 */
enum base_reason spoa_cert_judge(struct spoa_certs *certs, const struct spoa_config *config,
	const struct spoa_request *request, int64_t now_s, const struct spoa_cert **ret_cert);

#endif
