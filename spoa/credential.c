/*
 * Is there a credential of a kind that we know?
 *
 * NO_TOKEN, WORKLOAD_UNAVAILABLE, SCHEME_UNSUPPORTED, or TOKEN_MALFORMED.
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

/* Nothing at all: who is known by the address, if some role is for such callers. */
static enum base_reason find_workload(struct spoa_case *c)
{
	const struct spoa_workload *workload;

	if (!c->snapshot->config->takes_workloads)
		return BASE_REASON_NO_TOKEN;
	workload = spoa_workload_of(c);
	if (workload->where == SPOA_WHERE_UNAVAILABLE)
		return BASE_REASON_WORKLOAD_UNAVAILABLE;
	c->by_address = workload->where == SPOA_WHERE_KNOWN;
	if (!c->by_address && workload->where != SPOA_WHERE_OUTSIDE)
		c->decision.why = spoa_where_name(workload->where);
	return c->by_address ? BASE_REASON_OK : BASE_REASON_NO_TOKEN;
}

enum spoa_step spoa_stage_credential(struct spoa_case *c)
{
	if (!is_known(c->request->scheme))
		return spoa_refuse(c, BASE_REASON_SCHEME_UNSUPPORTED);
	/* A header that we do not understand is the caller's word: the application may read it. */
	if (!c->request->token.n && c->request->scheme.n)
		return spoa_refuse(c, BASE_REASON_TOKEN_MALFORMED);
	if (!c->request->token.n)
		return spoa_unless_ok(c, may_be_certificate(c) ? BASE_REASON_OK : find_workload(c));
	c->decision.dpop = is_dpop(c->request->scheme);
	return SPOA_NEXT;
}
