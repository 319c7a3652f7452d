/*
 * Client certificates as credentials: X.509-SVID (SPIFFE X509-SVID 4, 5) and
 * plain TLS client certificates (RFC 5280). OpenSSL alone reads the DER.
 */
#ifndef TOKEN_CERT_H
#define TOKEN_CERT_H

#include "base/mem.h"
#include "base/reason.h"
#include "base/span.h"

#include <jansson.h>
#include <stdint.h>

#define TOKEN_CERT_MAX       (16 * 1024) /* bytes of one certificate */
#define TOKEN_CERT_CHAIN_MAX 8           /* certificates between leaf and root */
#define TOKEN_CERT_NAMES_MAX 64          /* subject alternative names of all kinds */
#define TOKEN_CERT_TEXT_MAX  1024        /* bytes of the subject, of one name */

/*
 * What a certificate says, as claims: "subject" and "issuer" (RFC 2253),
 * "serial" and "fingerprint" (SHA-256 of the DER) in lower case hexadecimal,
 * "uri", "dns", "email" and "ip" as arrays, "nbf" and "exp".
 * OK and one reference, the caller's; CERT_MALFORMED: not exactly one
 * certificate, over a cap, or a name holds control or non-ASCII bytes;
 * INTERNAL. It is a stranger's until token_bundle_verify said OK.
 */
enum base_reason token_cert_parse(struct span der, json_t **ret_claims);

#endif
