#include "policy/selector.h"

#include "ident/labels.h"
#include "policy/model.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NEEDS_MAX        128 /* of one selector, scoping included */
#define VALUES_MAX       256 /* of one expression */
#define NAMESPACE_LABELS "io.cilium.k8s.namespace.labels"

struct draft {
	struct policy_need needs[NEEDS_MAX];
	uint32_t n;
	uint32_t n_labels; /* the first so many are from matchLabels */
	bool bad;
};

/* "source:key" of a selector; without a source any will do. */
static struct span split_source(const char *text, const char **ret_key)
{
	const char *colon = strchr(text, ':');

	*ret_key = colon ? colon + 1 : text;
	return colon ? (struct span){text, (size_t)(colon - text)} : SPAN("any");
}

/* Kubernetes' rules for keys and values are ident's. */
static bool check_label(struct policy_reader *r, const struct policy_at *at, const char *source,
	const char *key, const char *value)
{
	struct ident_label label = {source, key, value};
	cleanup(free) char *text = NULL;
	char why[160] = "out of memory";

	if (!ident_labels_canonical(&label, 1, &text, why))
		return true;
	policy_complain(r, at, "%s", why);
	return false;
}

static int add_need(struct policy_reader *r, struct draft *draft, const struct policy_at *at,
	const char *written, enum policy_op op, struct policy_need **ret_need)
{
	struct policy_need *need = &draft->needs[draft->n];
	struct policy_set *set = r->set;
	const char *key;
	struct span source = split_source(written, &key);
	char name[64];
	int err = 0;

	*ret_need = NULL;
	snprintf(name, sizeof(name), "%.*s", SPAN_ARG(source));
	if (source.n >= sizeof(name) || !check_label(r, at, name, key, "")) {
		draft->bad = true;
		return 0;
	}
	if (draft->n == NEEDS_MAX - 3) {
		draft->bad = true;
		return policy_complain(r, at, "more than %d requirements", NEEDS_MAX - 3);
	}
	*need = (struct policy_need){.op = op};
	if (!span_is(source, "any"))
		err = policy_names_add(&set->names, &set->arena, source, &need->source);
	if (!err)
		err = policy_names_add(&set->names, &set->arena, span_of(key), &need->key);
	if (err)
		return err;
	draft->n++;
	*ret_need = need;
	return 0;
}

static int set_values(
	struct policy_set *set, struct policy_need *need, const char *const *texts, uint32_t n)
{
	uint32_t *values = policy_arena_get(&set->arena, n, sizeof(*values));
	int err = values ? 0 : -ENOMEM;

	for (uint32_t i = 0; !err && i < n; i++)
		err = policy_names_add(&set->names, &set->arena, span_of(texts[i]), &values[i]);
	need->values = values;
	need->n_values = n;
	return err;
}

static int read_labels(struct policy_reader *r, const struct policy_at *at, void *out)
{
	struct draft *draft = out;
	int err = 0;

	if (at->doc->kind != BASE_DOC_MAP)
		return policy_complain(r, at, "must be a map of labels");
	for (size_t i = 0; !err && i < at->doc->n_entries; i++) {
		const struct base_doc_entry *entry = &at->doc->entries[i];
		const struct policy_at there = {at, entry->key, 0, entry->value};
		struct policy_need *need;
		const char *value = policy_text(r, &there);

		if (!value || !check_label(r, &there, "any", "key", value)) {
			draft->bad = true;
			continue;
		}
		err = add_need(r, draft, &there, entry->key, POLICY_IN, &need);
		if (!err && need)
			err = set_values(r->set, need, &value, 1);
	}
	draft->n_labels = draft->n;
	return err;
}

struct expression {
	const char *key, *op;
	const char *values[VALUES_MAX];
	uint32_t n_values;
};

static int read_key(struct policy_reader *r, const struct policy_at *at, void *out)
{
	((struct expression *)out)->key = policy_text(r, at);
	return 0;
}

static int read_operator(struct policy_reader *r, const struct policy_at *at, void *out)
{
	((struct expression *)out)->op = policy_text(r, at);
	return 0;
}

static int add_value(
	struct policy_reader *r, const struct policy_at *at, const char *text, void *out)
{
	struct expression *e = out;

	if (!check_label(r, at, "any", "key", text))
		return 0;
	if (e->n_values == VALUES_MAX)
		return policy_complain(r, at, "more than %d values", VALUES_MAX);
	e->values[e->n_values++] = text;
	return 0;
}

static int read_values(struct policy_reader *r, const struct policy_at *at, void *out)
{
	return policy_texts(r, at, add_value, out);
}

static const struct policy_field EXPRESSION[] = {
	{"key", read_key, NULL},
	{"operator", read_operator, NULL},
	{"values", read_values, NULL},
};

static const char *const OPERATORS[] = {
	[POLICY_IN] = "In",
	[POLICY_NOT_IN] = "NotIn",
	[POLICY_EXISTS] = "Exists",
	[POLICY_ABSENT] = "DoesNotExist",
};

static int operator_of(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(OPERATORS); i++)
		if (!strcmp(OPERATORS[i], word))
			return (int)i;
	return -1;
}

static int read_expression(struct policy_reader *r, const struct policy_at *at, struct draft *draft)
{
	struct expression e = {0};
	size_t found = r->diag->n_found;
	struct policy_need *need;
	int op, err = policy_fields(r, at, EXPRESSION, ARRAY_SIZE(EXPRESSION), &e);

	if (err)
		return err;
	draft->bad = draft->bad || r->diag->n_found != found || !e.key || !e.op;
	if (r->diag->n_found != found)
		return 0;
	if (!e.key || !e.op)
		return policy_complain(r, at, "needs 'key' and 'operator'");
	op = operator_of(e.op);
	draft->bad = draft->bad || op < 0 || (op <= POLICY_NOT_IN) != (e.n_values > 0);
	if (op < 0)
		return policy_complain(
			r, at, "the operator is one of In, NotIn, Exists, DoesNotExist");
	if ((op <= POLICY_NOT_IN) != (e.n_values > 0))
		return policy_complain(r, at, "'values' is for In and NotIn, which need it");
	err = add_need(r, draft, at, e.key, (enum policy_op)op, &need);
	return err || !need ? err : set_values(r->set, need, e.values, e.n_values);
}

static int read_expressions(struct policy_reader *r, const struct policy_at *at, void *out)
{
	int err = 0;

	if (!policy_is_list(r, at))
		return 0;
	for (size_t i = 0; !err && i < at->doc->n_entries; i++) {
		const struct policy_at there = policy_entry_of(at, i);

		err = read_expression(r, &there, out);
	}
	return err;
}

static const struct policy_field SELECTOR[] = {
	{"matchLabels", read_labels, NULL},
	{"matchExpressions", read_expressions, NULL},
};

static bool is_source(const struct policy_set *set, const struct policy_need *need, bool any_too)
{
	return need->source == set->source_k8s || (any_too && need->source == POLICY_NAME_NONE);
}

static bool mentions(const struct policy_set *set, const struct draft *draft, uint32_t key)
{
	for (uint32_t i = 0; i < draft->n; i++)
		if (draft->needs[i].key == key && is_source(set, &draft->needs[i], true))
			return true;
	return false;
}

static bool mentions_namespace_labels(const struct policy_set *set, const struct draft *draft)
{
	for (uint32_t i = 0; i < draft->n; i++)
		if (is_source(set, &draft->needs[i], true) &&
			!strncmp(policy_names_text(&set->names, draft->needs[i].key),
				NAMESPACE_LABELS, strlen(NAMESPACE_LABELS)))
			return true;
	return false;
}

static bool has_source(const struct draft *draft, uint32_t source, uint32_t key)
{
	for (uint32_t i = 0; i < draft->n; i++)
		if (draft->needs[i].source == source && (!key || draft->needs[i].key == key))
			return true;
	return false;
}

static int demand(struct policy_set *set, struct draft *draft, uint32_t source, uint32_t key,
	enum policy_op op, const char *value)
{
	struct policy_need *need = &draft->needs[draft->n++];

	*need = (struct policy_need){.source = source, .key = key, .op = op};
	return value ? set_values(set, need, &value, 1) : 0;
}

/* The policy's own namespace replaces one that matchLabels gives (cilium ParseToCiliumRule). */
static int scope_subject(struct policy_reader *r, struct draft *draft)
{
	struct policy_set *set = r->set;
	uint32_t kept = 0;

	if (!r->namespace)
		return 0;
	for (uint32_t i = 0; i < draft->n; i++) {
		const struct policy_need need = draft->needs[i];

		if (i < draft->n_labels && need.source == set->source_k8s &&
			need.key == set->key_namespace)
			continue;
		draft->needs[kept++] = need;
	}
	draft->n = kept;
	return demand(set, draft, set->source_k8s, set->key_namespace, POLICY_IN, r->namespace);
}

static int scope_cluster(struct policy_reader *r, struct draft *draft)
{
	struct policy_set *set = r->set;

	if (mentions(set, draft, set->key_cluster))
		return 0;
	return demand(
		set, draft, set->source_k8s, set->key_cluster, POLICY_IN, set->options.cluster);
}

static int scope_peer(struct policy_reader *r, struct draft *draft)
{
	struct policy_set *set = r->set;
	int err = 0;

	if (has_source(draft, set->source_reserved, 0))
		return 0;
	if (!mentions(set, draft, set->key_namespace)) {
		if (!r->namespace && !r->of_init)
			err = demand(set, draft, set->source_k8s, set->key_namespace, POLICY_EXISTS,
				NULL);
		else if (r->namespace && !mentions_namespace_labels(set, draft))
			err = demand(set, draft, set->source_k8s, set->key_namespace, POLICY_IN,
				r->namespace);
	}
	return err ? err : scope_cluster(r, draft);
}

static int scope_from_node(struct policy_reader *r, struct draft *draft)
{
	struct policy_set *set = r->set;
	int err = demand(set, draft, set->source_reserved, set->reserved[POLICY_ENTITY_REMOTE_NODE],
		POLICY_EXISTS, NULL);

	return err ? err : scope_cluster(r, draft);
}

static int scope_nothing(struct policy_reader *r, struct draft *draft)
{
	(void)r;
	(void)draft;
	return 0;
}

static int (*const SCOPES[])(struct policy_reader *, struct draft *) = {
	[POLICY_SCOPE_SUBJECT] = scope_subject,
	[POLICY_SCOPE_PEER] = scope_peer,
	[POLICY_SCOPE_NODE] = scope_nothing,
	[POLICY_SCOPE_FROM_NODE] = scope_from_node,
};

int policy_selector_read(struct policy_reader *r, const struct policy_at *at,
	enum policy_scope scope, uint32_t *ret_selector, bool *ret_init)
{
	struct policy_set *set = r->set;
	struct draft draft = {.n = 0};
	int err = policy_fields(r, at, SELECTOR, ARRAY_SIZE(SELECTOR), &draft);

	if (err || draft.bad)
		return err;
	if (ret_init)
		*ret_init =
			has_source(&draft, set->source_reserved, set->reserved[POLICY_ENTITY_INIT]);
	err = SCOPES[scope](r, &draft);
	if (err)
		return err;
	if (set->n_selectors >= POLICY_SELECTORS_MAX)
		return policy_complain(
			r, at, "more than %d different selectors", POLICY_SELECTORS_MAX);
	return policy_set_selector(set, draft.needs, draft.n, ret_selector);
}
