/*
 * What is the caller to HAProxy and to the kernel? Its role's identity and
 * route, and the binding of its connection.
 *
 * NO_ROLE, GROUPS_UNKNOWN, or IDENTITY_UNAVAILABLE while the role has no number.
 */
#include "spoa/stages.h"

#include <string.h>

/* The two clocks' difference in steps of 17 ms: reading them twice gives the same. */
#define STEP_NS (INT64_C(1) << 24)

/*
 * The token's exp on the clock that the kernel expires by, up to a step late,
 * so that one token has one expiry however often it is seen, and the flow is
 * not written anew each time. An exp in the year 9999 is more nanoseconds than
 * there are numbers: it ends with the last one.
 */
static uint64_t expires_at(
	const struct token_provider *rules, int64_t exp, const struct base_now *now)
{
	int64_t booted = (now->wall_ns - (int64_t)now->boot_ns) / STEP_NS * STEP_NS;
	int64_t at, ns;

	if (__builtin_mul_overflow(exp + rules->leeway_s, NS_PER_S, &ns) ||
		__builtin_sub_overflow(ns, booted, &at))
		return UINT64_MAX;
	return at <= 0 ? 1 : (uint64_t)at;
}

/* What only the request says, as far as a role looks at it. */
static struct ident_request request_of(struct spoa_case *c)
{
	const struct spoa_address *client = &c->request->client;
	struct ident_request request = {.proxied = c->request->proxied};
	const struct spoa_cert *cert;

	if (!spoa_caller_asks_request(c->caller, c->snapshot->config))
		return request;
	request.has_address = client->len != 0;
	if (request.has_address)
		base_cidr_address(client->bytes, client->len, request.address);
	if (c->snapshot->config->takes_certs && c->request->cert.n &&
		spoa_cert_judge(c->state->certs, c->snapshot->config, c->request,
			base_clock_wall_s(c->now), &cert) == BASE_REASON_OK)
		request.cert = cert->claims.claims;
	return request;
}

enum spoa_step spoa_stage_identity(struct spoa_case *c)
{
	const struct spoa_config *config = c->snapshot->config;
	const struct spoa_caller *caller = c->caller;
	const struct ident_role *role = NULL;
	const struct ident_request request = request_of(c);
	enum base_reason reason = spoa_caller_role(caller, config, &request, &role);

	c->decision.valid = true;
	if (reason != BASE_REASON_OK)
		return spoa_refuse(c, reason);
	if (!role->number.id)
		return spoa_refuse(c, BASE_REASON_IDENTITY_UNAVAILABLE);
	c->decision.role = role;
	c->decision.route = role->route ? span_of(role->route) : c->request->service;
	c->decision.binding = (struct bpfmap_binding){
		.identity = role->number.id,
		.subject = caller->subject,
		.issued = caller->iat,
		.expires = expires_at(&config->rules[caller->provider], caller->exp, c->now),
		.kill = role->kill_on_expiry || c->request->tunnel,
	};
	memcpy(c->decision.binding.token, caller->token, sizeof(caller->token));
	return SPOA_NEXT;
}
