/*
 * HTTP rules against a request: all of a rule's parts must fit, one rule is
 * enough (cilium pkg/envoy/policy; cilium/proxy cilium/network_policy.cc).
 */
#include "policy/model.h"

#include <string.h>
#include <strings.h>

static bool is_named(const struct policy_header_field *field, const struct policy_header *header)
{
	size_t n = strlen(header->name);

	return field->name.n == n && !strncasecmp(field->name.p, header->name, n);
}

/* Eats the front of *left if it is this text. */
static bool eat(struct span *left, struct span front)
{
	if (left->n < front.n || (front.n && memcmp(left->p, front.p, front.n)))
		return false;
	left->p += front.n;
	left->n -= front.n;
	return true;
}

/* Several fields of a name are one, joined with commas (RFC 9110 5.3). */
static bool header_holds(const struct policy_header *header, const struct policy_request *request)
{
	struct span left = {header->value, header->n_value};
	bool found = false, same = true;

	for (size_t i = 0; i < request->n_headers && same; i++) {
		if (!is_named(&request->headers[i], header))
			continue;
		if (!header->value)
			return true;
		same = (!found || eat(&left, SPAN(","))) && eat(&left, request->headers[i].value);
		found = true;
	}
	return found && same && !left.n;
}

static int fits(const struct policy_set *set, uint32_t pattern, struct span input,
	struct policy_scratch *scratch)
{
	return pattern == POLICY_NONE
		       ? 1
		       : policy_pattern_match(&set->patterns[pattern], input, scratch);
}

static int rule_holds(const struct policy_set *set, const struct policy_http *http,
	const struct policy_request *request, struct policy_scratch *scratch)
{
	int holds = fits(set, http->method, request->method, scratch);

	for (size_t i = 0; holds > 0 && i < http->n_headers; i++)
		holds = http->headers[i].log_only || header_holds(&http->headers[i], request);
	if (holds > 0)
		holds = fits(set, http->host, request->host, scratch);
	if (holds > 0)
		holds = fits(set, http->path, request->path, scratch);
	return holds;
}

const char *policy_match_fault(const struct policy_set *set, const struct policy_http *http,
	const struct policy_request *request, struct policy_scratch *scratch, const char **ret_of)
{
	const struct {
		const char *name;
		uint32_t pattern;
		struct span input;
	} PARTS[] = {
		{"method", http->method, request->method},
		{"host", http->host, request->host},
		{"path", http->path, request->path},
	};

	for (size_t i = 0; i < ARRAY_SIZE(PARTS); i++)
		if (fits(set, PARTS[i].pattern, PARTS[i].input, scratch) <= 0) {
			*ret_of = set->patterns[PARTS[i].pattern].source;
			return PARTS[i].name;
		}
	for (size_t i = 0; i < http->n_headers; i++)
		if (!http->headers[i].log_only && !header_holds(&http->headers[i], request)) {
			*ret_of = http->headers[i].name;
			return "header";
		}
	return NULL;
}

int policy_match_group(const struct policy_set *set, const struct policy_group *group,
	const struct policy_request *request, struct policy_scratch *scratch, uint32_t *ret_http)
{
	int worst = 0;

	for (size_t i = 0; i < group->n_http; i++) {
		int holds = rule_holds(set, &group->http[i], request, scratch);

		if (holds > 0) {
			*ret_http = (uint32_t)i;
			return 1;
		}
		if (holds < 0)
			worst = -1;
	}
	return worst;
}
