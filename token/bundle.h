/*
 * Trust bundles: who may vouch for a client certificate, and what a
 * certificate must be to name a caller (RFC 5280 6, SPIFFE X509-SVID 4, 5).
 */
#ifndef TOKEN_BUNDLE_H
#define TOKEN_BUNDLE_H

#include "token/cert.h"

/*
 * The certificates that may vouch for a provider's callers. Immutable and
 * reference counted; threads may share it.
 */
struct token_bundle;

#define TOKEN_BUNDLE_BYTES (1024 * 1024)
#define TOKEN_BUNDLE_CERTS 256
#define TOKEN_BUNDLE_WHY   112

/*
 * PEM certificates (RFC 7468 5), text between them is skipped. 0; -EBADMSG
 * with a sentence in why: none, too many, too large, or one cannot be read;
 * -ENOMEM.
 */
int token_bundle_parse(
	struct span pem, struct token_bundle **ret_bundle, char why[TOKEN_BUNDLE_WHY]) must_check;
struct token_bundle *token_bundle_ref(struct token_bundle *bundle);
void token_bundle_unref(struct token_bundle *bundle);

DEFINE_CLEANUP(token_bundle, struct token_bundle *, token_bundle_unref)

/*
 * Does the bundle vouch for it now? claims are token_cert_parse's; chain is what came with it: certificates
 * one after the other, taken as hints only.
 *   trust_domain NULL: a TLS client certificate that is no CA
 *   else an X.509-SVID: exactly one URI, the SPIFFE ID of a workload there;
 *   no CA; key usage is there, with digitalSignature, without keyCertSign and
 *   cRLSign
 * OK and *ret_until, when the first certificate on the way to the root ends;
 * CERT_MALFORMED, CERT_UNTRUSTED, CERT_EXPIRED, CERT_NOT_ALLOWED or INTERNAL.
 */
enum base_reason token_bundle_verify(const struct token_bundle *bundle, struct span der,
	struct span chain, const json_t *claims, const char *trust_domain, int64_t now_s,
	int64_t *ret_until);

#endif
