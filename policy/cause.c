#include "policy/model.h"
#include "policy/text.h"

void policy_cause_rule(struct policy_text *text, const struct policy_set *set, uint32_t number)
{
	const struct policy_rule *rule = &set->rules[number];
	const struct policy_spec *spec = &set->specs[rule->spec];
	const struct policy_object *object = &set->objects[spec->object];

	if (object->namespace)
		policy_text_add(text, "%s/", policy_names_text(&set->names, object->namespace));
	policy_text_add(text, "%s:", policy_names_text(&set->names, object->name));
	if (spec->of_list)
		policy_text_add(text, "specs[%u].", spec->index);
	policy_text_add(text, "%s[%u]", rule->deny ? "ingressDeny" : "ingress", rule->entry);
}

size_t policy_cause_text(
	const struct policy_set *set, const struct policy_answer *answer, char *buf, size_t size)
{
	const struct policy_cause *cause = &answer->cause;
	struct policy_text text = policy_text_start(buf, size);
	bool denied = answer->verdict != POLICY_ALLOW || answer->audited;

	if (cause->rule == POLICY_NONE) {
		policy_text_add(&text, "%s", denied ? "default-deny" : "default-allow");
		return text.n;
	}
	policy_cause_rule(&text, set, cause->rule);
	if (cause->group != POLICY_NONE)
		policy_text_add(&text, ".%s[%u]",
			set->rules[cause->rule].groups[cause->group].is_icmp ? "icmps" : "toPorts",
			cause->group);
	if (cause->http != POLICY_NONE)
		policy_text_add(&text, ".http[%u]", cause->http);
	return text.n;
}

void policy_cause_where(const struct policy_set *set, const struct policy_cause *cause,
	const char **ret_file, unsigned *ret_line)
{
	const struct policy_object *object =
		&set->objects[set->specs[set->rules[cause->rule].spec].object];

	*ret_file = policy_names_text(&set->names, object->file);
	*ret_line = object->line;
}
