/*
 * Whose token is it? iss against what a provider may call itself (RFC 7519
 * 4.1.1, RFC 8725 3.8): exact texts, Entra's template with the tenant in it,
 * or the trust domain of a SPIFFE ID.
 */
#ifndef TOKEN_ISSUER_H
#define TOKEN_ISSUER_H

#include "base/span.h"
#include "token/verify.h"

#include <jansson.h>
#include <stdbool.h>

#define TOKEN_TENANT "{tenantid}"

/*
 * Byte for byte. With {tenantid} in the issuer, iss must have the token's own
 * tid there, a UUID in lower case, and one of rules->tenants if there are any.
 * With a trust domain, sub must be the SPIFFE ID of a workload in it; where the
 * issuer is spiffe://TRUST-DOMAIN, iss may be absent (SPIFFE JWT-SVID 3).
 */
bool token_issuer_is(
	const struct token_provider *rules, struct span iss, struct span sub, const json_t *claims);

#endif
