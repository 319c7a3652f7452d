/*
 * What is the caller to HAProxy and to the kernel? Its role's identity and
 * route, and the binding of its connection.
 *
 * What spoa_match says; or SPOA_NEEDS: a number for a label set that has none
 * yet. IDENTITY_LIMIT when it may not have one; IDENTITY_UNAVAILABLE when it
 * was asked for and could not be had.
 */
#include "spoa/stages.h"

#include <string.h>

/* The two clocks' difference in steps of 17 ms: reading them twice gives the same. */
#define STEP_NS (INT64_C(1) << 24)

#define USED_STEP_S 16

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
	if (c->snapshot->config->asks_workloads)
		request.workload = spoa_workload_of(c)->labels;
	if (c->snapshot->config->takes_certs && c->request->cert.n &&
		spoa_cert_judge(c->state->certs, c->snapshot->config, c->request,
			base_clock_wall_s(c->now), &cert) == BASE_REASON_OK)
		request.cert = cert->claims.claims;
	return request;
}

/* May there be one more that these roles made? */
static bool may_appear(const struct spoa_case *c, const struct spoa_match *match)
{
	const struct spoa_config *config = c->snapshot->config;
	const struct spoa_identities *all = c->snapshot->identities;
	struct span rest = match->names, name;

	if (match->single)
		return true; /* the role's own */
	if (all->n_dynamic >= (size_t)config->conf->identity.max)
		return false;
	while (span_next(&rest, ',', &name)) {
		size_t i = spoa_config_role(config, name);

		if (i < config->conf->n_roles && config->roles[i].template &&
			all->of_each[i] >= (uint64_t)config->conf->roles[i].max_identities)
			return false;
	}
	return true;
}

/* There is no number for these labels: whoever gives them out is asked. */
static enum spoa_step ask_for_number(struct spoa_case *c, const struct spoa_match *match)
{
	if (c->snapshot->identities->failed_at > c->received_at)
		return spoa_refuse(c, BASE_REASON_IDENTITY_UNAVAILABLE);
	if (!may_appear(c, match))
		return spoa_refuse(c, BASE_REASON_IDENTITY_LIMIT);
	c->need.identity.labels = match->labels;
	c->need.identity.roles = match->single ? (struct span){0} : match->names;
	return SPOA_NEEDS;
}

static struct spoa_identity *find(const struct spoa_case *c, const struct spoa_match *match)
{
	const struct spoa_identities *all = c->snapshot->identities;

	if (match->single)
		return all->of_role[match->role - c->snapshot->config->roles];
	return spoa_identities_find(all, spoa_identity_hash(match->labels), match->labels);
}

/* That it is still of use; not each time, as other workers read it, too. */
static void touch(struct spoa_identity *identity, int64_t now_s)
{
	int64_t used = atomic_load_explicit(&identity->used, memory_order_relaxed);

	if (now_s - used >= USED_STEP_S)
		atomic_store_explicit(&identity->used, now_s, memory_order_relaxed);
}

static const char *route_of(const struct spoa_match *match, const struct spoa_identity *identity)
{
	return match->route ? match->route : identity->route;
}

enum spoa_step spoa_stage_identity(struct spoa_case *c)
{
	const struct spoa_config *config = c->snapshot->config;
	const struct spoa_caller *caller = c->caller;
	const struct ident_request request = request_of(c);
	struct spoa_identity *identity;
	struct spoa_match match;
	enum base_reason reason = spoa_match(caller, config, &request, c->state->match, &match);
	const char *route;

	/* Who is known by the address alone may still come with a token. */
	if (reason == BASE_REASON_NO_ROLE && caller->workload)
		return spoa_refuse(c, BASE_REASON_NO_TOKEN);
	c->decision.valid = true;
	if (reason != BASE_REASON_OK)
		return spoa_refuse(c, reason);
	identity = find(c, &match);
	if (!identity)
		return ask_for_number(c, &match);
	if (identity->role < 0)
		touch(identity, base_clock_wall_s(c->now));
	route = route_of(&match, identity);
	c->decision.role = match.role;
	c->decision.asserts = match.asserts;
	c->decision.sends = match.sends;
	c->decision.identity = identity;
	c->decision.names = match.names;
	c->decision.require_binding = match.require_binding;
	c->decision.route = route ? span_of(route) : c->request->service;
	c->decision.binding = (struct bpfmap_binding){
		.identity = identity->number.id,
		.subject = caller->subject,
		.issued = caller->iat,
		.expires = expires_at(&config->rules[caller->provider], caller->exp, c->now),
		.kill = match.kill_on_expiry || c->request->tunnel,
	};
	memcpy(c->decision.binding.token, caller->token, sizeof(caller->token));
	return SPOA_NEXT;
}
