/*
 * Is there a credential of a kind that we know?
 *
 * NO_TOKEN, or SCHEME_UNSUPPORTED.
 */
#include "spoa/stages.h"

#include <strings.h>

static bool is_scheme(struct span scheme, const char *name)
{
	return scheme.n == strlen(name) && !strncasecmp(scheme.p, name, scheme.n);
}

static bool is_dpop(struct span scheme)
{
	return is_scheme(scheme, "dpop");
}

/* Absent: the token came from elsewhere than Authorization. */
static bool is_known(struct span scheme)
{
	return !scheme.n || is_scheme(scheme, "bearer") || is_dpop(scheme);
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
	if (!is_known(c->request->scheme))
		return spoa_refuse(c, BASE_REASON_SCHEME_UNSUPPORTED);
	c->decision.dpop = is_dpop(c->request->scheme);
	return SPOA_NEXT;
}
