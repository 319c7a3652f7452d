/*
 * Is there a credential of a kind that we know?
 *
 * NO_TOKEN, or SCHEME_UNSUPPORTED.
 */
#include "spoa/stages.h"

#include <strings.h>

static bool scheme_is_bearer(struct span scheme)
{
	/* RFC 9110 11.1: schemes compare without case. Absent: the token came from elsewhere. */
	return scheme.n == 0 || (scheme.n == 6 && !strncasecmp(scheme.p, "bearer", 6));
}

/* Without a token, a certificate names the caller, if some provider takes them. */
static bool may_be_certificate(const struct spoa_case *c)
{
	return c->snapshot->config->takes_certs && c->request->cert.n;
}

enum spoa_step spoa_stage_credential(struct spoa_case *c)
{
	if (!c->request->token.n)
		return spoa_unless_ok(
			c, may_be_certificate(c) ? BASE_REASON_OK : BASE_REASON_NO_TOKEN);
	if (!scheme_is_bearer(c->request->scheme))
		return spoa_refuse(c, BASE_REASON_SCHEME_UNSUPPORTED);
	return SPOA_NEXT;
}
