#include "spoa/routes.h"

#include "spoa/daemon.h"
#include "spoa/explain.h"
#include "spoa/kernel_routes.h"
#include "spoa/role_test.h"
#include "spoa/status.h"
#include "token/json.h"

#include <stdlib.h>

void spoa_route_say(struct spoa_http_answer *answer, unsigned status, json_t *json)
{
	answer->status = status;
	answer->body = json ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
}

void spoa_route_refuse(struct spoa_http_answer *answer, unsigned status, const char *why)
{
	json_t *text = spoa_status_text(why);

	spoa_route_say(answer, status, json_pack("{s:o}", "error", text));
}

json_t *spoa_route_body(const struct spoa_http_request *request)
{
	static const struct token_json_caps CAPS = {.depth = 2, .elements = 32};

	return token_json_parse(request->body, CAPS);
}

bool spoa_route_integer(const json_t *body, const char *name, int64_t lo, int64_t hi, int64_t *ret)
{
	const json_t *value = json_object_get(body, name);

	if (!json_is_integer(value) || json_integer_value(value) < lo ||
		json_integer_value(value) > hi)
		return false;
	*ret = json_integer_value(value);
	return true;
}

bool spoa_route_number(const struct spoa_http_request *request, const char *name,
	uint64_t otherwise, uint64_t *ret)
{
	const char *text = spoa_http_query(request, name);
	char *end;

	*ret = otherwise;
	if (!text)
		return true;
	if (*text < '0' || *text > '9')
		return false;
	*ret = strtoull(text, &end, 10);
	return !*end;
}

#define JSON "application/json"

/* Everything that the admin interface serves. */
const struct spoa_http_route spoa_admin_routes[] = {
	{"GET", "/healthz", "text/plain; charset=utf-8", spoa_status_health, 0, true},
	{"GET", "/readyz", JSON, spoa_status_ready, 0, true},
	{"GET", "/metrics", "text/plain; version=0.0.4; charset=utf-8", spoa_status_metrics, 0,
		true},
	{"GET", "/api/v1/status", JSON, spoa_status_whole, 0, false},
	{"GET", "/api/v1/providers", JSON, spoa_route_providers, 0, false},
	{"GET", "/api/v1/identities", JSON, spoa_route_identities, 0, false},
	{"GET", "/api/v1/flows", JSON, spoa_route_flows, 0, false},
	{"GET", "/api/v1/decisions", JSON, spoa_route_decisions, 0, false},
	{"GET", "/api/v1/assertion/jwks", JSON, spoa_route_jwks, 0, false},
	{"GET", "/api/v1/revocations", JSON, spoa_route_revocations, 0, false},
	{"POST", "/api/v1/role-test", JSON, spoa_role_test, SPOA_EXPLAIN_BYTES, false},
	{"POST", "/api/v1/policy/explain", JSON, spoa_route_explain_policy, SPOA_ORDER_BODY, false},
	{"POST", "/api/v1/revocations", JSON, spoa_route_revoke, SPOA_REVOKE_BODY, false},
	{"POST", "/api/v1/revocations/remove", JSON, spoa_route_unrevoke, SPOA_REVOKE_BODY, false},
	{"POST", "/api/v1/kernel/kill", JSON, spoa_kernel_route_kill, SPOA_KERNEL_BODY, false},
	{"POST", "/api/v1/kernel/break-glass", JSON, spoa_kernel_route_break_glass,
		SPOA_KERNEL_BODY, false},
	{"POST", "/api/v1/drain", JSON, spoa_route_drain, SPOA_ORDER_BODY, false},
	{"POST", "/api/v1/reload", JSON, spoa_route_reload, SPOA_ORDER_BODY, false},
	{"POST", "/api/v1/log-level", JSON, spoa_route_log_level, SPOA_ORDER_BODY, false},
	{"POST", "/api/v1/observe", JSON, spoa_route_observe, SPOA_ORDER_BODY, false},
};
const size_t spoa_admin_n_routes = ARRAY_SIZE(spoa_admin_routes);
