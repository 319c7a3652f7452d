#include "spoa/config.h"

#include "ident/labels.h"
#include "spoa/route.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every identity carries these two, so that Cilium's policies can tell it from a pod. */
#define NAMESPACE_LABEL "k8s:io.kubernetes.pod.namespace="
#define CLUSTER_LABEL   "k8s:io.cilium.k8s.policy.cluster="

_Static_assert((int)CONF_TEST_EQUALS == (int)IDENT_EQUALS, "same order");
_Static_assert((int)CONF_TEST_ANY == (int)IDENT_ANY, "same order");
_Static_assert((int)CONF_TEST_ALL == (int)IDENT_ALL, "same order");
_Static_assert((int)CONF_TEST_EXISTS == (int)IDENT_EXISTS, "same order");

static void compile_provider(
	const struct conf_provider *from, struct token_provider *to, struct base_diag *diag)
{
	*to = (struct token_provider){
		.name = from->name,
		.issuer = from->issuer,
		.audiences = (const char *const *)from->audiences.items,
		.n_audiences = from->audiences.n,
		.types = (const char *const *)from->types.items,
		.n_types = from->types.n,
		.type_required = from->type_required,
		.leeway_s = from->leeway / 1000,
		.max_lifetime_s = from->max_lifetime / 1000,
		.max_bytes = (size_t)from->max_token_size,
	};
	for (size_t i = 0; i < from->algorithms.n; i++) {
		int alg = token_alg_find(span_of(from->algorithms.items[i]));

		if (alg < 0)
			base_diag_add(diag, from->pos.line, from->pos.column,
				"provider %s: algorithm %s is not known", from->name,
				from->algorithms.items[i]);
		else
			to->algs |= TOKEN_ALG_BIT(alg);
	}
}

static void compile_conditions(const struct conf_role *from, struct ident_condition *to)
{
	for (size_t i = 0; i < from->n_when; i++) {
		const struct conf_condition *when = &from->when[i];
		const char *last = when->claim.items[when->claim.n - 1];

		to[i] = (struct ident_condition){
			.path = (const char *const *)when->claim.items,
			.n_path = when->claim.n,
			/* RFC 8693 4.2, and Entra's and Okta's name for it. */
			.space_separated = !strcmp(last, "scope") || !strcmp(last, "scp"),
			.test = (enum ident_test)when->test,
			.values = (const char *const *)when->values.items,
			.n_values = when->values.n,
		};
	}
}

/* The role's own labels and the two that every identity carries, as canonical text. */
static int role_labels(const struct conf *conf, const struct conf_role *role,
	struct base_diag *diag, char **ret_text)
{
	size_t n = role->labels.n;
	cleanup(free) struct ident_label *labels = calloc(n + 2, sizeof(*labels));
	cleanup(free) char *bufs = calloc(n + 2, 512);
	char common[2][256];
	char why[160] = "";

	if (!labels || !bufs)
		return -ENOMEM;
	snprintf(common[0], sizeof(common[0]), NAMESPACE_LABEL "%s", conf->identity.namespace);
	snprintf(common[1], sizeof(common[1]), CLUSTER_LABEL "%s", conf->identity.cluster);
	for (size_t i = 0; i < n + 2; i++) {
		const char *text = i < n ? role->labels.items[i] : common[i - n];
		int rc = ident_label_parse(text, bufs + i * 512, 512, &labels[i], why);

		if (rc) {
			base_diag_add(diag, role->labels_pos.line, role->labels_pos.column,
				"role %s: label \"%.80s\": %s", role->name, text, why);
			return -EINVAL;
		}
	}

	int rc = ident_labels_canonical(labels, n + 2, ret_text, why);

	if (rc && rc != -ENOMEM)
		base_diag_add(diag, role->labels_pos.line, role->labels_pos.column, "role %s: %s",
			role->name, why);
	return rc;
}

static int role_number(const struct conf *conf, const struct conf_role *from, struct store *store,
	struct ident_role *to, struct base_diag *diag)
{
	char why[STORE_WHY] = "";
	int rc;

	if (from->number)
		rc = store_identity_fix(store, to->labels, from->number, why);
	else
		rc = store_identity(store, to->labels, (uint32_t)conf->identity.local_min,
			(uint32_t)conf->identity.local_max, &to->number.id, why);
	if (rc)
		base_diag_add(diag, from->number_pos.line, from->number_pos.column, "role %s: %s",
			from->name, why);
	return rc;
}

static int compile_role(struct spoa_config *config, size_t i, struct ident_condition *conditions,
	struct base_diag *diag)
{
	const struct conf_role *from = &config->conf->roles[i];
	struct ident_role *to = &config->roles[i];
	char *labels = NULL;
	int rc = role_labels(config->conf, from, diag, &labels);

	if (rc)
		return rc;
	compile_conditions(from, conditions);
	*to = (struct ident_role){
		.name = from->name,
		.provider = from->provider,
		.conditions = conditions,
		.n_conditions = from->n_when,
		.labels = labels,
		.number = {.id = from->number, .from = from->number ? IDENT_FIXED : IDENT_LOCAL},
		.route = from->route ? from->route : spoa_route_find(config->conf, labels),
		.require_binding = from->require_binding,
		.kill_on_expiry = from->kill_on_expiry,
	};
	return 0;
}

static int compile_roles(struct spoa_config *config, struct base_diag *diag)
{
	const struct conf *conf = config->conf;
	struct ident_condition *conditions;
	size_t n = 0;

	for (size_t i = 0; i < conf->n_roles; i++)
		n += conf->roles[i].n_when;
	config->roles = calloc(conf->n_roles + 1, sizeof(*config->roles));
	config->conditions = calloc(n + 1, sizeof(*config->conditions));
	if (!config->roles || !config->conditions)
		return -ENOMEM;
	conditions = config->conditions;
	for (size_t i = 0; i < conf->n_roles; i++) {
		if (compile_role(config, i, conditions, diag) == -ENOMEM)
			return -ENOMEM;
		conditions += conf->roles[i].n_when;
	}
	return 0;
}

/* The roles whose numbers are fixed, or those whose are not. 0, or the first failure. */
static int number_some(
	struct spoa_config *config, struct store *store, bool fixed, struct base_diag *diag)
{
	int first = 0;

	for (size_t i = 0; i < config->conf->n_roles; i++) {
		const struct conf_role *from = &config->conf->roles[i];
		int rc = 0;

		if ((from->number != 0) == fixed)
			rc = role_number(config->conf, from, store, &config->roles[i], diag);
		if (!first)
			first = rc;
	}
	return first;
}

/*
 * Numbers for all roles, or, when one cannot have its, for none. Fixed ones
 * first: otherwise another role could be given one of them.
 */
static int number_roles(struct spoa_config *config, struct store *store, struct base_diag *diag)
{
	char why[STORE_WHY] = "";
	int rc = store_begin(store, why);
	int first = rc;

	if (!first)
		first = number_some(config, store, true, diag);
	if (!first)
		first = number_some(config, store, false, diag);
	if (!rc)
		rc = store_end(store, !first, why);
	if (rc)
		base_diag_add(diag, 0, 0, "%s", why);
	return rc ? rc : first;
}

int spoa_config_new(
	struct conf *conf, struct store *store, struct base_diag *diag, struct spoa_config **ret)
{
	cleanup(conf) struct conf *owned = conf;
	cleanup(spoa_config) struct spoa_config *config = calloc(1, sizeof(*config));
	int rc;

	if (!config)
		return -ENOMEM;
	atomic_init(&config->refs, 1);
	config->conf = TAKE_PTR(owned);
	config->rules = calloc(conf->n_providers + 1, sizeof(*config->rules));
	if (!config->rules)
		return -ENOMEM;
	if (conf->n_providers > SPOA_PROVIDERS_MAX)
		base_diag_add(diag, 0, 0, "providers: at most %d", SPOA_PROVIDERS_MAX);
	for (size_t i = 0; i < conf->n_providers; i++)
		compile_provider(&conf->providers[i], &config->rules[i], diag);
	spoa_route_check(conf, diag);
	rc = compile_roles(config, diag);
	if (rc)
		return rc;
	/* Numbers are given out only to a configuration that is right so far. */
	if (store && !diag->n_found)
		rc = number_roles(config, store, diag);
	if (rc)
		return rc;
	if (diag->n_found)
		return -EINVAL;
	*ret = TAKE_PTR(config);
	return 0;
}

struct spoa_config *spoa_config_ref(struct spoa_config *config)
{
	atomic_fetch_add_explicit(&config->refs, 1, memory_order_relaxed);
	return config;
}

void spoa_config_unref(struct spoa_config *config)
{
	if (!config || atomic_fetch_sub_explicit(&config->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; config->roles && i < config->conf->n_roles; i++)
		free((char *)config->roles[i].labels);
	free(config->roles);
	free(config->conditions);
	free(config->rules);
	conf_free((struct conf *)config->conf);
	free(config);
}
