#include "spoa/explain_answer.h"

#include "spoa/explain_workload.h"
#include "spoa/match.h"
#include "spoa/objection.h"

#include <stdio.h>
#include <string.h>

static struct ident_caller caller_of(const struct spoa_asked *a)
{
	return (struct ident_caller){
		.provider = a->snapshot->config->rules[a->claims.issuer].name,
		.claims = a->claims.claims,
		.actor = a->claims.act,
		.scope = a->claims.scope,
	};
}

static const char *const ANSWERS[] = {
	[IDENT_FAILS] = "fails", [IDENT_HOLDS] = "holds", [IDENT_UNSAID] = "unknown"};

/* Why the labels cannot be made (malloc): the label as written, what is there, what is wrong. */
static char *misfit_text(const struct ident_misfit *misfit)
{
	char *text = NULL;

	if (asprintf(&text, "label %s: %s", misfit->label, misfit->fault) < 0)
		return NULL;
	return text;
}

static const enum ident_answer ANSWER_OF[] = {
	[IDENT_FIT] = IDENT_HOLDS,
	[IDENT_FIT_ABSENT] = IDENT_FAILS,
	[IDENT_FIT_UNSAID] = IDENT_UNSAID,
	[IDENT_FIT_NOT] = IDENT_FAILS,
};

/* What a role is for the caller. */
struct verdict {
	enum ident_answer answer;
	char *why;                          /* malloc; NULL: it holds */
	char labels[IDENT_LABELS_TEXT_MAX]; /* when it holds */
	size_t n_labels;
};

static void try_labels(
	const struct spoa_asked *a, const struct ident_role *role, struct verdict *to)
{
	struct wr out = wr_of(to->labels, sizeof(to->labels));
	const struct ident_caller caller = caller_of(a);
	struct ident_misfit misfit;
	enum ident_fit fit;

	if (!role->template) {
		wr_bytes(&out, role->labels, strlen(role->labels));
		to->n_labels = wr_len(&out);
		return;
	}
	fit = ident_template_render(role->template, &caller, &out, &misfit);
	to->answer = ANSWER_OF[fit];
	to->n_labels = wr_len(&out);
	if (fit != IDENT_FIT)
		to->why = misfit_text(&misfit);
}

static void try_role(const struct spoa_asked *a, const struct ident_role *role, struct verdict *to)
{
	const struct ident_caller caller = caller_of(a);
	size_t at = ident_role_objection(role, &caller, &a->request, &to->answer);

	to->why = NULL;
	to->n_labels = 0;
	if (to->answer == IDENT_HOLDS)
		try_labels(a, role, to);
	else if (at < role->n_conditions)
		to->why =
			spoa_objection(&role->conditions[at], to->answer, &a->claims, &a->request);
	else if (asprintf(&to->why, "it is for provider %s", role->provider) < 0)
		to->why = NULL;
}

static json_t *verdict_json(const struct ident_role *role, const struct verdict *one)
{
	json_t *json = json_pack("{s:s, s:s, s:s*}", "role", role->name, "answer",
		ANSWERS[one->answer], "why", one->why);

	if (one->answer == IDENT_HOLDS)
		json_object_set_new(json, "labels", json_stringn(one->labels, one->n_labels));
	return json;
}

/* What is gathered over the roles: those that count, and their labels. */
struct found {
	enum base_reason reason;
	struct spoa_union all;
	json_t *roles;
	char names[SPOA_MATCH_NAMES];
	size_t n_names;
};

static void count_role(const struct spoa_config *config, struct found *found,
	const struct ident_role *role, const struct verdict *one)
{
	bool done = found->reason != BASE_REASON_NO_ROLE && !config->match_all;
	struct wr names =
		wr_of(found->names + found->n_names, sizeof(found->names) - found->n_names);

	if (one->answer == IDENT_FAILS || done || found->reason == BASE_REASON_GROUPS_UNKNOWN)
		return;
	found->reason = one->answer == IDENT_UNSAID ? BASE_REASON_GROUPS_UNKNOWN : BASE_REASON_OK;
	if (found->n_names)
		wr_u8(&names, ',');
	wr_bytes(&names, role->name, strlen(role->name));
	if (one->answer == IDENT_HOLDS && !names.bad &&
		!spoa_union_add(&found->all, (struct span){one->labels, one->n_labels}))
		found->n_names += wr_len(&names);
	else if (one->answer == IDENT_HOLDS)
		found->reason = BASE_REASON_IDENTITY_UNAVAILABLE;
}

/* The number of these labels, or why there is none. */
static void tell_identity(const struct spoa_asked *a, struct span labels, json_t *answer)
{
	const struct spoa_identities *all = a->snapshot->identities;
	const struct spoa_identity *identity =
		spoa_identities_find(all, spoa_identity_hash(labels), labels);
	bool full = all->n_dynamic >= (size_t)a->snapshot->config->conf->identity.max;

	json_object_set_new(answer, "labels", json_stringn(labels.p, labels.n));
	if (identity) {
		json_object_set_new(
			answer, "identity", json_integer((json_int_t)identity->number.id));
		json_object_set_new(answer, "provenance",
			json_string(ident_provenance_name(identity->number.from)));
	} else {
		json_object_set_new(answer, "identity_why",
			json_string(full ? "there are identity.max of them already"
					 : "none yet: the first request gets a new number"));
	}
}

/* All roles; the first that holds counts, or all; one of which that is not known decides all. */
static enum base_reason explain_roles(const struct spoa_asked *a, json_t *answer)
{
	const struct spoa_config *config = a->snapshot->config;
	cleanup(free) struct found *found = calloc(1, sizeof(*found));
	cleanup(free) struct verdict *one = calloc(1, sizeof(*one));
	json_t *list = json_array();

	json_object_set_new(answer, "roles", list);
	if (!found || !one)
		return BASE_REASON_INTERNAL;
	found->reason = BASE_REASON_NO_ROLE;
	for (size_t i = 0; i < config->conf->n_roles; i++) {
		try_role(a, &config->roles[i], one);
		json_array_append_new(list, verdict_json(&config->roles[i], one));
		count_role(config, found, &config->roles[i], one);
		free(one->why);
	}
	if (found->reason != BASE_REASON_OK)
		return found->reason;
	json_object_set_new(answer, "role", json_stringn(found->names, found->n_names));
	tell_identity(a, found->all.labels, answer);
	return BASE_REASON_OK;
}

/* No credential at all: known by the address. */
static bool is_of_workload(const struct spoa_asked *a)
{
	return a->claims.issuer == a->snapshot->config->conf->n_providers;
}

static enum base_reason check_requirements(const struct spoa_asked *a, json_t *answer)
{
	const struct spoa_provider *provider = &a->snapshot->config->providers[a->claims.issuer];
	const struct ident_caller caller = caller_of(a);

	for (size_t i = 0; i < provider->n_require; i++) {
		enum ident_answer one = ident_condition_of_caller(&provider->require[i], &caller);
		cleanup(free) char *why = NULL;

		if (one == IDENT_HOLDS)
			continue;
		why = spoa_objection(&provider->require[i], one, &a->claims, &a->request);
		json_object_set_new(answer, "required", json_string(why ? why : ""));
		return BASE_REASON_CLAIM_REQUIRED;
	}
	return BASE_REASON_OK;
}

static void describe_caller(const struct spoa_asked *a, json_t *answer)
{
	json_object_set_new(answer, "caller",
		json_pack("{s:s, s:s%, s:s%, s:s%, s:s%}", "provider",
			a->snapshot->config->rules[a->claims.issuer].name, "sub",
			a->claims.sub.n ? a->claims.sub.p : "", a->claims.sub.n, "client_id",
			a->claims.client_id.n ? a->claims.client_id.p : "", a->claims.client_id.n,
			"scope", a->claims.scope.n ? a->claims.scope.p : "", a->claims.scope.n,
			"actor", a->claims.actor.n ? a->claims.actor.p : "", a->claims.actor.n));
}

json_t *spoa_explain_answer(const struct spoa_asked *a, enum base_reason reason)
{
	json_t *answer = json_object();
	enum base_reason bound;

	if (reason == BASE_REASON_OK)
		reason = is_of_workload(a) ? reason : check_requirements(a, answer);
	if (a->known)
		describe_caller(a, answer);
	bound = spoa_explain_bound(a->snapshot->config, &a->workload, &a->claims, answer);
	if (reason == BASE_REASON_OK)
		reason = bound;
	if (reason == BASE_REASON_OK)
		reason = explain_roles(a, answer);
	if (reason == BASE_REASON_NO_ROLE && is_of_workload(a))
		reason = BASE_REASON_NO_TOKEN;
	json_object_set_new(answer, "reason", json_string(base_reason_word(reason)));
	json_object_set_new(answer, "help", json_string(base_reason_help(reason)));
	return answer;
}
