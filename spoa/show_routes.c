#include "spoa/routes.h"

#include "bpfmap/sweep.h"
#include "spoa/daemon.h"
#include "spoa/policy_work.h"
#include "spoa/stages.h"
#include "spoa/status.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define FLOWS_MAX     10000
#define FLOWS         1000
#define DECISIONS_MAX 1024
#define DECISIONS     100

void spoa_route_providers(
	void *arg, const struct spoa_http_request *request, struct spoa_http_answer *answer)
{
	struct spoa_daemon *daemon = arg;

	(void)request;
	spoa_route_say(
		answer, 200, json_pack("{s:o}", "providers", spoa_keys_status(daemon->keys)));
}

void spoa_route_identities(
	void *arg, const struct spoa_http_request *request, struct spoa_http_answer *answer)
{
	struct spoa_daemon *daemon = arg;

	(void)request;
	spoa_route_say(
		answer, 200, json_pack("{s:o}", "identities", spoa_status_identities(daemon)));
}

/* A list of flows on its way. */
struct listing {
	json_t *list;
	uint64_t identity; /* 0: every one */
	uint64_t limit;
	uint64_t matched;
	uint64_t boot_ns;
};

static json_t *endpoint(uint8_t family, const uint8_t *addr, uint16_t port)
{
	char host[INET6_ADDRSTRLEN] = "", text[INET6_ADDRSTRLEN + 16];
	bool v4 = family == BPFMAP_FAMILY_IPV4;

	inet_ntop(v4 ? AF_INET : AF_INET6, addr, host, sizeof(host));
	snprintf(text, sizeof(text), v4 ? "%s:%u" : "[%s]:%u", host, port);
	return json_string(text);
}

static int list_flow(void *arg, const struct bpfmap_flow_key *key, const struct bpfmap_flow *flow)
{
	struct listing *l = arg;
	json_t *left = json_null();

	if (l->identity && flow->identity != l->identity)
		return 0;
	if (l->matched++ >= l->limit)
		return 0;
	if (flow->expires)
		left = json_integer(
			((json_int_t)flow->expires - (json_int_t)l->boot_ns) / NS_PER_S);
	json_array_append_new(
		l->list, json_pack("{s:o, s:o, s:I, s:o, s:b, s:b}", "client",
				 endpoint(key->family, key->remote_addr, key->remote_port), "local",
				 endpoint(key->family, key->local_addr, key->local_port),
				 "identity", (json_int_t)flow->identity, "expires_in_s", left,
				 "shared", (flow->flags & BPFMAP_FLOW_SHARED) != 0, "revoked",
				 (flow->flags & BPFMAP_FLOW_REVOKED) != 0));
	return 0;
}

void spoa_route_flows(
	void *arg, const struct spoa_http_request *request, struct spoa_http_answer *answer)
{
	const struct spoa_daemon *daemon = arg;
	struct listing l = {0};
	struct base_now now;
	int err;

	if (!spoa_route_number(request, "identity", 0, &l.identity) ||
		!spoa_route_number(request, "limit", FLOWS, &l.limit) || l.limit > FLOWS_MAX) {
		spoa_route_refuse(answer, 400, "identity and limit (at most 10000) are numbers");
		return;
	}
	if (!daemon->kernel.maps) {
		spoa_route_refuse(answer, 503, "nothing is enforced: there are no maps");
		return;
	}
	base_clock_now(&now);
	l.boot_ns = now.boot_ns;
	l.list = json_array();
	err = bpfmap_flows_each(daemon->kernel.maps->map, list_flow, &l);
	if (err) {
		json_decref(l.list);
		spoa_route_refuse(answer, 503, strerror(-err));
		return;
	}
	spoa_route_say(answer, 200,
		json_pack("{s:I, s:o}", "matched", (json_int_t)l.matched, "flows", l.list));
}

void spoa_route_decisions(
	void *arg, const struct spoa_http_request *request, struct spoa_http_answer *answer)
{
	struct spoa_daemon *daemon = arg;
	uint64_t after, limit;
	char *text = NULL;
	size_t size;
	FILE *to;

	if (!spoa_route_number(request, "after", 0, &after) ||
		!spoa_route_number(request, "limit", DECISIONS, &limit) || limit > DECISIONS_MAX) {
		spoa_route_refuse(answer, 400, "after and limit (at most 1024) are numbers");
		return;
	}
	if (!daemon->audit.recent) {
		spoa_route_refuse(answer, 503, "not yet");
		return;
	}
	to = open_memstream(&text, &size);
	if (!to)
		return;
	spoa_recent_write(daemon->audit.recent, after, limit, to);
	if (fclose(to))
		free(text);
	else
		answer->body = text;
}

static struct span text_of(const json_t *body, const char *name)
{
	const json_t *value = json_object_get(body, name);

	return (struct span){.p = json_is_string(value) ? json_string_value(value) : "",
		.n = json_string_length(value)};
}

/* By the number, or by a role whose labels are fixed; NULL: there is none. Borrowed. */
static const struct spoa_identity *find_identity(
	const struct spoa_snapshot *snapshot, const json_t *body)
{
	const struct spoa_identities *table = snapshot->identities;
	const struct span name = text_of(body, "role");
	int64_t number = 0;

	for (size_t i = 0; name.n && i < table->n_roles; i++)
		if (span_is(name, snapshot->config->roles[i].name))
			return table->of_role[i];
	if (!spoa_route_integer(body, "identity", 1, UINT32_MAX, &number))
		return NULL;
	for (size_t i = 0; i < table->n_slots; i++)
		if (table->slots[i] && table->slots[i]->number.id == number)
			return table->slots[i];
	return NULL;
}

/* By the stage that judges requests, so that the answer is the one that they would get. */
static json_t *judge(const struct spoa_snapshot *snapshot, const struct spoa_identity *identity,
	const json_t *body, struct spoa_policy_work *work)
{
	const struct spoa_request request = {
		.method = text_of(body, "method"),
		.host = text_of(body, "host"),
		.path = text_of(body, "path"),
		.query = text_of(body, "query"),
		.service = text_of(body, "service"),
	};
	struct spoa_state state = {.policy = work};
	struct spoa_case c = {
		.snapshot = snapshot,
		.state = &state,
		.request = &request,
		.decision = spoa_decision_of(BASE_REASON_OK),
	};

	c.decision.identity = identity;
	c.decision.route = request.service;
	if (spoa_stage_policy(&c) == SPOA_NEXT)
		spoa_decision_settle(&c.decision, BASE_REASON_OK);
	return json_pack("{s:s, s:s, s:b, s:s%, s:s}", "verdict",
		spoa_verdict_name(c.decision.verdict), "reason",
		base_reason_word(c.decision.reason), "audited", c.decision.audited, "policy",
		c.decision.policy.n ? c.decision.policy.p : "", c.decision.policy.n, "labels",
		identity->labels);
}

void spoa_route_explain_policy(
	void *arg, const struct spoa_http_request *request, struct spoa_http_answer *answer)
{
	const struct spoa_daemon *daemon = arg;
	json_t *body = spoa_route_body(request);
	const struct spoa_identity *identity = find_identity(daemon->snapshot, body);
	struct spoa_policy_work *work = spoa_policy_work_new();

	if (!work)
		answer->body = NULL;
	else if (!identity || !text_of(body, "service").n)
		spoa_route_refuse(answer, 400,
			"wanted: identity, or a role with fixed labels, and service; then method, "
			"path, query and host");
	else
		spoa_route_say(answer, 200, judge(daemon->snapshot, identity, body, work));
	spoa_policy_work_free(work);
	json_decref(body);
}
