#include "policy/object.h"

#include "policy/rule.h"
#include "policy/selector.h"

#include <errno.h>
#include <string.h>

/* What was read of a document before it becomes part of the set. */
struct draft {
	const char *kind, *name, *namespace;
	bool audit;
	bool has_rules;
};

static int read_version(struct policy_reader *r, const struct policy_at *at, void *out)
{
	const char *text = policy_text(r, at);

	(void)out;
	if (text && strcmp(text, "cilium.io/v2"))
		policy_complain(r, at, "must be cilium.io/v2");
	return 0;
}

static int read_kind(struct policy_reader *r, const struct policy_at *at, void *out)
{
	struct draft *draft = out;

	draft->kind = policy_text(r, at);
	return 0;
}

static int read_name(struct policy_reader *r, const struct policy_at *at, void *out)
{
	struct draft *draft = out;

	draft->name = policy_text(r, at);
	return 0;
}

static int read_namespace(struct policy_reader *r, const struct policy_at *at, void *out)
{
	struct draft *draft = out;

	draft->namespace = policy_text(r, at);
	return 0;
}

static int read_annotations(struct policy_reader *r, const struct policy_at *at, void *out)
{
	struct draft *draft = out;
	const struct base_doc *mode = policy_get(at, POLICY_MODE_ANNOTATION);
	const struct policy_at there = {at, POLICY_MODE_ANNOTATION, 0, mode};
	const char *text = mode ? policy_text(r, &there) : NULL;

	if (at->doc->kind != BASE_DOC_MAP)
		return policy_complain(r, at, "must be a map of texts");
	if (text && strcmp(text, "audit") && strcmp(text, "enforce"))
		policy_complain(r, &there, "must be audit or enforce");
	draft->audit = text && !strcmp(text, "audit");
	return 0;
}

/* The rest of ObjectMeta is Kubernetes' own bookkeeping. */
static const struct policy_field METADATA[] = {
	{"name", read_name, NULL},
	{"namespace", read_namespace, NULL},
	{"annotations", read_annotations, NULL},
	{"labels", NULL, NULL},
	{"uid", NULL, NULL},
	{"resourceVersion", NULL, NULL},
	{"generation", NULL, NULL},
	{"generateName", NULL, NULL},
	{"creationTimestamp", NULL, NULL},
	{"deletionTimestamp", NULL, NULL},
	{"deletionGracePeriodSeconds", NULL, NULL},
	{"finalizers", NULL, NULL},
	{"ownerReferences", NULL, NULL},
	{"managedFields", NULL, NULL},
	{"selfLink", NULL, NULL},
};

static int read_metadata(struct policy_reader *r, const struct policy_at *at, void *out)
{
	return policy_fields(r, at, METADATA, ARRAY_SIZE(METADATA), out);
}

static const struct policy_field OBJECT[] = {
	{"apiVersion", read_version, NULL},
	{"kind", read_kind, NULL},
	{"metadata", read_metadata, NULL},
	{"spec", NULL, NULL}, /* read afterwards: they need the namespace */
	{"specs", NULL, NULL},
	{"status", NULL, NULL},
};

static struct policy_spec *this_spec(const struct policy_reader *r)
{
	return &r->set->specs[r->set->n_specs];
}

static int read_subject(struct policy_reader *r, const struct policy_at *at, void *out)
{
	(void)out;
	return policy_selector_read(
		r, at, POLICY_SCOPE_SUBJECT, &this_spec(r)->subject, &r->of_init);
}

static int read_node(struct policy_reader *r, const struct policy_at *at, void *out)
{
	(void)out;
	if (r->namespace)
		return policy_complain(
			r, at, "only a CiliumClusterwideNetworkPolicy has a nodeSelector");
	r->of_node = true;
	this_spec(r)->node = true;
	return policy_selector_read(r, at, POLICY_SCOPE_NODE, &this_spec(r)->subject, NULL);
}

static int read_rules(struct policy_reader *r, const struct policy_at *at, bool deny)
{
	struct policy_set *set = r->set;
	int err = 0;

	if (!policy_is_list(r, at))
		return 0;
	for (size_t i = 0; !err && i < at->doc->n_entries; i++) {
		const struct policy_at there = policy_entry_of(at, i);

		if (set->n_rules == POLICY_RULES_MAX)
			return policy_complain(
				r, &there, "more than %d rules in all", POLICY_RULES_MAX);
		err = policy_set_room(
			&set->rules, set->n_rules, &set->room_rules, sizeof(*set->rules));
		if (err)
			return err;
		set->rules[set->n_rules] = (struct policy_rule){
			.spec = (uint32_t)set->n_specs, .entry = (uint16_t)i, .deny = deny};
		err = policy_rule_read(r, &there, &set->rules[set->n_rules]);
		set->n_rules++;
	}
	return err;
}

static int read_ingress(struct policy_reader *r, const struct policy_at *at, void *out)
{
	(void)out;
	return read_rules(r, at, false);
}

static int read_ingress_deny(struct policy_reader *r, const struct policy_at *at, void *out)
{
	(void)out;
	return read_rules(r, at, true);
}

static int read_egress(struct policy_reader *r, const struct policy_at *at, void *out)
{
	(void)out;
	if (policy_is_list(r, at))
		policy_note(
			r, at, "%zu egress rules, which are not enforced here", at->doc->n_entries);
	return 0;
}

static int read_default_ingress(struct policy_reader *r, const struct policy_at *at, void *out)
{
	bool value;

	if (policy_bool(r, at, &value))
		*(int *)out = value;
	return 0;
}

static int read_default_egress(struct policy_reader *r, const struct policy_at *at, void *out)
{
	bool value;

	(void)out;
	(void)policy_bool(r, at, &value);
	return 0;
}

static const struct policy_field DEFAULT_DENY[] = {
	{"ingress", read_default_ingress, NULL},
	{"egress", read_default_egress, NULL},
};

/* Read last: unless it is said, an ingress section of any kind refuses the rest. */
static int read_default_deny(struct policy_reader *r, const struct policy_at *at, void *out)
{
	(void)out;
	int said = -1;
	int err = policy_fields(r, at, DEFAULT_DENY, ARRAY_SIZE(DEFAULT_DENY), &said);

	if (said >= 0)
		this_spec(r)->default_deny = said;
	return err;
}

static int read_log(struct policy_reader *r, const struct policy_at *at, void *out);

static const struct policy_field SPEC[] = {
	{"endpointSelector", read_subject, NULL}, {"nodeSelector", read_node, NULL},
	{"ingress", read_ingress, NULL}, {"ingressDeny", read_ingress_deny, NULL},
	{"egress", read_egress, NULL}, {"egressDeny", read_egress, NULL}, {"log", read_log, NULL},
	{"labels", NULL, NULL}, {"description", NULL, NULL},
	{"enableDefaultDeny", NULL, NULL}, /* read afterwards */
};

static int read_log_value(struct policy_reader *r, const struct policy_at *at, void *out)
{
	const char *text = policy_text(r, at);

	(void)out;
	if (text && strlen(text) > 32)
		policy_complain(r, at, "longer than 32 bytes");
	return 0;
}

static const struct policy_field LOG[] = {
	{"value", read_log_value, NULL},
};

static int read_log(struct policy_reader *r, const struct policy_at *at, void *out)
{
	return policy_fields(r, at, LOG, ARRAY_SIZE(LOG), out);
}

static int read_spec(
	struct policy_reader *r, const struct policy_at *at, uint16_t index, bool of_list)
{
	struct policy_set *set = r->set;
	const struct policy_at deny = {
		at, "enableDefaultDeny", 0, policy_get(at, "enableDefaultDeny")};
	struct policy_spec *spec;
	int err = policy_set_room(&set->specs, set->n_specs, &set->room_specs, sizeof(*spec));

	if (err)
		return err;
	spec = this_spec(r);
	*spec = (struct policy_spec){
		.object = (uint32_t)set->n_objects,
		.index = index,
		.of_list = of_list,
		.first_rule = (uint32_t)set->n_rules,
	};
	r->of_init = r->of_node = false;
	err = policy_fields(r, at, SPEC, ARRAY_SIZE(SPEC), NULL);
	if (err || at->doc->kind != BASE_DOC_MAP)
		return err;
	if (!policy_get(at, "endpointSelector") == !policy_get(at, "nodeSelector"))
		policy_complain(r, at, "needs either 'endpointSelector' or 'nodeSelector'");
	spec->n_rules = (uint32_t)set->n_rules - spec->first_rule;
	spec->default_deny = spec->n_rules > 0;
	err = deny.doc ? read_default_deny(r, &deny, NULL) : 0;
	set->n_specs++;
	return err;
}

static int read_specs(struct policy_reader *r, const struct policy_at *root)
{
	const struct policy_at one = {root, "spec", 0, policy_get(root, "spec")};
	const struct policy_at many = {root, "specs", 0, policy_get(root, "specs")};
	int err = one.doc ? read_spec(r, &one, 0, false) : 0;

	if (!one.doc && !many.doc && policy_get(root, "kind"))
		policy_complain(r, root, "needs 'spec' or 'specs'");
	if (err || !many.doc || !policy_is_list(r, &many))
		return err;
	for (size_t i = 0; !err && i < many.doc->n_entries; i++) {
		const struct policy_at there = policy_entry_of(&many, i);

		err = read_spec(r, &there, (uint16_t)i, true);
	}
	return err;
}

/* Which kind it is, and whether its namespace fits. */
static void check_head(struct policy_reader *r, const struct policy_at *root, struct draft *draft)
{
	bool spaced = draft->kind && !strcmp(draft->kind, "CiliumNetworkPolicy");
	bool wide = draft->kind && !strcmp(draft->kind, "CiliumClusterwideNetworkPolicy");
	const struct policy_at kind = {root, "kind", 0, policy_get(root, "kind")};

	if (!policy_get(root, "apiVersion") || !kind.doc || !policy_get(root, "metadata"))
		policy_complain(r, root, "needs 'apiVersion', 'kind' and 'metadata'");
	else if (!spaced && !wide)
		policy_complain(r, &kind,
			"must be CiliumNetworkPolicy or "
			"CiliumClusterwideNetworkPolicy");
	else if (!draft->name || !draft->name[0])
		policy_complain(r, root, "needs 'metadata.name'");
	if (wide && draft->namespace && draft->namespace[0])
		policy_complain(
			r, root, "a CiliumClusterwideNetworkPolicy has no metadata.namespace");
	if (spaced && (!draft->namespace || !draft->namespace[0]))
		draft->namespace = "default";
	if (wide)
		draft->namespace = NULL;
}

static int name_object(struct policy_set *set, const char *file, const struct draft *draft,
	struct policy_object *object)
{
	struct policy_names *names = &set->names;
	int err = policy_names_add(names, &set->arena, span_of(draft->name), &object->name);

	if (!err)
		err = policy_names_add(names, &set->arena, span_of(file), &object->file);
	if (!err && draft->namespace)
		err = policy_names_add(
			names, &set->arena, span_of(draft->namespace), &object->namespace);
	return err;
}

/* Kubernetes has one object of a name; two here would be a copy that somebody forgot. */
static bool is_twice(
	struct policy_reader *r, const struct policy_at *root, const struct policy_object *object)
{
	const struct policy_set *set = r->set;

	for (size_t i = 0; !set->options.judge_only && i < set->n_objects; i++)
		if (set->objects[i].name == object->name &&
			set->objects[i].namespace == object->namespace) {
			policy_complain(r, root, "this policy is given twice, first in %.100s:%u",
				policy_names_text(&set->names, set->objects[i].file),
				set->objects[i].line);
			return true;
		}
	return false;
}

static int add_object(struct policy_reader *r, const struct policy_at *root, const char *file,
	const struct draft *draft)
{
	struct policy_set *set = r->set;
	struct policy_object object = {
		.line = root->doc->line, .audit = draft->audit || set->options.audit};
	int err = policy_set_room(
		&set->objects, set->n_objects, &set->room_objects, sizeof(*set->objects));

	if (!err)
		err = name_object(set, file, draft, &object);
	if (err || is_twice(r, root, &object))
		return err;
	set->objects[set->n_objects++] = object;
	set->has_audit = set->has_audit || object.audit;
	return 0;
}

int policy_set_add(struct policy_set *set, const char *file, const struct base_doc *doc,
	struct base_diag *diag, struct base_diag *notes)
{
	const struct policy_at root = {NULL, NULL, 0, doc};
	struct policy_reader r = {.set = set, .diag = diag, .notes = notes};
	struct draft draft = {0};
	size_t found = diag->n_found, n_specs = set->n_specs, n_rules = set->n_rules;
	int err = policy_fields(&r, &root, OBJECT, ARRAY_SIZE(OBJECT), &draft);

	if (!err && doc->kind == BASE_DOC_MAP) {
		check_head(&r, &root, &draft);
		r.namespace = draft.namespace;
		err = read_specs(&r, &root);
	}
	if (!err && diag->n_found == found)
		err = add_object(&r, &root, file, &draft);
	if (err || diag->n_found != found) {
		set->n_specs = n_specs;
		set->n_rules = n_rules;
		return err ? err : -EINVAL;
	}
	return 0;
}
