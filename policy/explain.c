#include "policy/explain.h"

#include "policy/model.h"
#include "policy/text.h"

#include <errno.h>

#define DETAIL 400

static const char *const FITS[] = {
	[POLICY_FIT_SUBJECT] = "other destination",
	[POLICY_FIT_PEER] = "other caller",
	[POLICY_FIT_PORT] = "other port",
	[POLICY_FIT_HTTP] = "other request",
	[POLICY_FIT_LIMIT] = "limit",
	[POLICY_FIT_ALL] = "fits",
};
_Static_assert(ARRAY_SIZE(FITS) == POLICY_FITS, "a word for each");

const char *policy_fit_name(enum policy_fit fit)
{
	return FITS[fit];
}

/* One question, and the selectors that both sides match. */
struct question {
	const struct policy_set *set;
	const struct policy_endpoint *endpoint;
	const struct policy_party *party;
	enum policy_proto proto;
	uint16_t port;
	const struct policy_request *request;
	struct policy_scratch *scratch;
	const uint64_t *of_endpoint, *of_party;
};

static void add_need(
	struct policy_text *text, const struct policy_set *set, const struct policy_need *need)
{
	static const char *const WORDS[] = {"in", "not in", "exists", "does not exist"};

	policy_text_add(text, "%s%s%s %s", policy_names_text(&set->names, need->source),
		need->source ? ":" : "", policy_names_text(&set->names, need->key),
		WORDS[need->op]);
	for (uint32_t i = 0; i < need->n_values; i++)
		policy_text_add(text, "%s%s", i ? "," : " (",
			policy_names_text(&set->names, need->values[i]));
	policy_text_add(text, "%s", need->n_values ? ")" : "");
}

static void add_selector_fault(struct policy_text *text, const struct policy_set *set,
	uint32_t selector, const struct policy_party *party)
{
	const struct policy_need *need = policy_selector_fault(&set->selectors[selector], party);

	policy_text_add(text, "%s", text->n ? "; " : "");
	if (need)
		add_need(text, set, need);
}

static void add_entities(struct policy_text *text, uint32_t bits)
{
	for (unsigned i = 0; i < POLICY_ENTITIES; i++)
		if (bits >> i & 1)
			policy_text_add(text, "%sentity %s", text->n ? "; " : "",
				policy_entity_name((enum policy_entity)i));
}

/* What the peers of the rule would have been. */
static void say_peers(
	struct policy_text *text, const struct question *q, const struct policy_rule *rule)
{
	if (!rule->n_peers)
		policy_text_add(text, "the rule names nobody");
	for (size_t i = 0; i < rule->n_peers; i++) {
		const struct policy_peer *peer = &rule->peers[i];

		if (peer->kind == POLICY_PEER_LABELS)
			add_selector_fault(text, q->set, peer->selector, q->party);
		else if (peer->kind == POLICY_PEER_ENTITY)
			add_entities(text, peer->entities);
		else
			policy_text_add(text, "%saddress range", text->n ? "; " : "");
	}
}

static bool has_port(const struct question *q, const struct policy_group *group)
{
	for (size_t i = 0; i < group->n_ports; i++) {
		struct policy_entry entry;

		if (policy_port_resolve(q->set, q->endpoint, &group->ports[i], &entry) &&
			(entry.proto == POLICY_PROTO_ANY || entry.proto == q->proto) &&
			entry.first <= q->port && q->port <= entry.last)
			return true;
	}
	return false;
}

static void say_http(struct policy_text *text, const struct question *q,
	const struct policy_group *group, size_t number)
{
	for (size_t i = 0; i < group->n_http; i++) {
		const char *of = "";
		const char *fault =
			policy_match_fault(q->set, &group->http[i], q->request, q->scratch, &of);

		policy_text_add(text, "%stoPorts[%zu].http[%zu]: %s %.60s", text->n ? "; " : "",
			number, i, fault ? fault : "", of);
	}
}

static enum policy_fit fit_ports(
	struct policy_text *text, const struct question *q, const struct policy_rule *rule)
{
	enum policy_fit fit = rule->any_port ? POLICY_FIT_ALL : POLICY_FIT_PORT;

	for (size_t i = 0; fit != POLICY_FIT_ALL && i < rule->n_groups; i++) {
		const struct policy_group *group = &rule->groups[i];
		uint32_t http;
		int holds;

		if (!has_port(q, group))
			continue;
		holds = group->n_http && q->request
				? policy_match_group(q->set, group, q->request, q->scratch, &http)
				: 1;
		if (holds <= 0)
			say_http(text, q, group, i);
		fit = holds > 0 ? POLICY_FIT_ALL : holds < 0 ? POLICY_FIT_LIMIT : POLICY_FIT_HTTP;
	}
	return fit;
}

static enum policy_fit fit_rule(
	struct policy_text *text, const struct question *q, const struct policy_rule *rule)
{
	const struct policy_spec *spec = &q->set->specs[rule->spec];

	if (!policy_spec_concerns(spec, q->endpoint->party, q->of_endpoint)) {
		add_selector_fault(text, q->set, spec->subject, q->endpoint->party);
		return POLICY_FIT_SUBJECT;
	}
	if (!policy_rule_chooses(rule, q->party, q->of_party)) {
		say_peers(text, q, rule);
		return POLICY_FIT_PEER;
	}
	return fit_ports(text, q, rule);
}

static void explain_rule(
	const struct question *q, uint32_t number, policy_explain_each *each, void *arg)
{
	const struct policy_rule *rule = &q->set->rules[number];
	const struct policy_object *object = &q->set->objects[q->set->specs[rule->spec].object];
	char name[300], detail[DETAIL];
	struct policy_text text = policy_text_start(name, sizeof(name));
	struct policy_text why = policy_text_start(detail, sizeof(detail));
	struct policy_explained explained = {
		.rule = name,
		.file = policy_names_text(&q->set->names, object->file),
		.line = object->line,
		.deny = rule->deny,
		.audit = object->audit,
		.detail = detail,
	};

	policy_cause_rule(&text, q->set, number);
	explained.fit = fit_rule(&why, q, rule);
	each(arg, &explained);
}

int policy_explain(const struct policy_set *set, const struct policy_endpoint *endpoint,
	const struct policy_party *party, enum policy_proto proto, uint16_t port,
	const struct policy_request *request, struct policy_scratch *scratch,
	policy_explain_each *each, void *arg)
{
	size_t words = policy_hit_words(set) + 1;
	cleanup(free) uint64_t *hits = calloc(words * 2, sizeof(*hits));
	const struct question q = {set, endpoint, party, proto, port, request, scratch, hits,
		hits ? hits + words : NULL};

	if (!hits)
		return -ENOMEM;
	policy_lookup_find(set, endpoint->party, hits);
	policy_lookup_find(set, party, hits + words);
	for (uint32_t i = 0; i < set->n_rules; i++)
		explain_rule(&q, i, each, arg);
	return 0;
}
