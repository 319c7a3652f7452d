#include "spoa/config.h"

#include "ident/labels.h"
#include "spoa/condition.h"
#include "spoa/introspect.h"
#include "spoa/route.h"
#include "spoa/secrets.h"
#include "spoa/tls.h"
#include "store/shared.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every identity carries these two, so that Cilium's policies can tell it from a pod. */
#define NAMESPACE_LABEL "k8s:io.kubernetes.pod.namespace="
#define CLUSTER_LABEL   "k8s:io.cilium.k8s.policy.cluster="

/* The role's own labels and the two that every identity carries, as canonical text. */
static int role_labels(const struct conf *conf, const struct conf_role *role,
	struct base_diag *diag, struct ident_role *to)
{
	size_t n = role->labels.n;
	cleanup(free) const char **labels = calloc(n + 2, sizeof(*labels));
	char common[2][256];
	char why[160] = "";
	int rc;

	if (!labels)
		return -ENOMEM;
	snprintf(common[0], sizeof(common[0]), NAMESPACE_LABEL "%s", conf->identity.namespace);
	snprintf(common[1], sizeof(common[1]), CLUSTER_LABEL "%s", conf->identity.cluster);
	for (size_t i = 0; i < n; i++)
		labels[i] = role->labels.items[i];
	labels[n] = common[0];
	labels[n + 1] = common[1];
	if (ident_template_is(labels, n))
		rc = ident_template_new(labels, n + 2, &to->template, why);
	else
		rc = ident_labels_of(labels, n + 2, (char **)&to->labels, why);
	if (!rc && to->template && role->number) {
		base_diag_add(diag, role->number_pos.line, role->number_pos.column,
			"role %s: labels that depend on the caller cannot have a fixed number",
			role->name);
		return -EINVAL;
	}
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

static const enum ident_provenance FROM[] = {
	[CONF_NUMBER_FIXED] = IDENT_FIXED,
	[CONF_NUMBER_CRD] = IDENT_CRD,
	[CONF_NUMBER_ETCD] = IDENT_ETCD,
};

/* conf has checked them: literal addresses, one of each family. */
static void set_srcaddr(const struct conf_strings *from, struct ident_role *to)
{
	for (size_t i = 0; i < from->n; i++) {
		if (inet_pton(AF_INET, from->items[i], to->srcaddr4) == 1)
			to->has_srcaddr4 = true;
		else if (inet_pton(AF_INET6, from->items[i], to->srcaddr6) == 1)
			to->has_srcaddr6 = true;
	}
}

static int compile_role(struct spoa_config *config, size_t i, struct base_diag *diag)
{
	const struct conf_role *from = &config->conf->roles[i];
	struct ident_role *to = &config->roles[i];
	struct ident_condition *conditions = NULL;
	int rc = role_labels(config->conf, from, diag, to);

	if (!rc)
		rc = spoa_conditions_compile(from->when, from->n_when, &conditions);
	if (rc)
		return rc;
	*to = (struct ident_role){
		.name = from->name,
		.provider = from->provider,
		.conditions = conditions,
		.n_conditions = from->n_when,
		.labels = to->labels,
		.template = to->template,
		/* Who vouches for a number also says that it is known where it matters. */
		.number = {.id = from->number,
			.from = from->number ? FROM[from->number_from] : IDENT_LOCAL,
			.realised = from->number && from->number_from != CONF_NUMBER_FIXED},
		.route = from->route  ? from->route
			 : to->labels ? spoa_route_find(config->conf, to->labels)
				      : NULL,
		.require_binding = from->require_binding,
		.kill_on_expiry = from->kill_on_expiry,
	};
	set_srcaddr(&from->srcaddr, to);
	return 0;
}

static int compile_roles(struct spoa_config *config, struct base_diag *diag)
{
	const struct conf *conf = config->conf;

	config->roles = calloc(conf->n_roles + 1, sizeof(*config->roles));
	if (!config->roles)
		return -ENOMEM;
	for (size_t i = 0; i < conf->n_roles; i++) {
		const char *provider = conf->roles[i].provider;

		if (compile_role(config, i, diag) == -ENOMEM)
			return -ENOMEM;
		for (size_t k = 0; k < conf->roles[i].n_when; k++)
			config->asks_workloads |= conf->roles[i].when[k].workload.n > 0;
		config->takes_workloads |= provider && !strcmp(provider, CONF_WORKLOAD_PROVIDER);
	}
	return 0;
}

static int compile_providers(struct spoa_config *config, struct base_diag *diag)
{
	const struct conf *conf = config->conf;
	int rc = 0;

	config->rules = calloc(conf->n_providers + 1, sizeof(*config->rules));
	config->providers = calloc(conf->n_providers + 1, sizeof(*config->providers));
	config->origins = calloc(conf->n_providers + 1, sizeof(*config->origins));
	if (!config->rules || !config->providers || !config->origins)
		return -ENOMEM;
	if (conf->n_providers > SPOA_PROVIDERS_MAX)
		base_diag_add(diag, 0, 0, "providers: at most %d", SPOA_PROVIDERS_MAX);
	for (size_t i = 0; !rc && i < conf->n_providers; i++) {
		rc = spoa_provider_compile(
			&conf->providers[i], &config->rules[i], &config->providers[i], diag);
		config->takes_certs |= config->providers[i].bundle != NULL;
		config->origins[i] = spoa_introspect_origin(&conf->providers[i]);
	}
	/* Behind them, whom callers without a token are of: conf lets no provider have this name. */
	config->rules[conf->n_providers] = (struct token_provider){
		.name = CONF_WORKLOAD_PROVIDER, .issuer = CONF_WORKLOAD_PROVIDER};
	return rc ? rc : spoa_exports_compile(conf, &config->exports);
}

/* Numbers come from etcd: the one that it gave before, or none until it is asked. */
static void shared_number(struct store *store, struct ident_role *role)
{
	uint32_t id;

	if (!role->number.id && store_shared_get(store, role->labels, &id) == 0)
		role->number = (struct ident_number){.id = id, .from = IDENT_ETCD};
}

/* The roles whose numbers are fixed, or those whose are not. 0, or the first failure. */
static int number_some(
	struct spoa_config *config, struct store *store, bool fixed, struct base_diag *diag)
{
	int first = 0;

	for (size_t i = 0; i < config->conf->n_roles; i++) {
		const struct conf_role *from = &config->conf->roles[i];
		int rc = 0;

		if (config->roles[i].labels && !from->number && config->conf->etcd.endpoints.n)
			shared_number(store, &config->roles[i]);
		else if (config->roles[i].labels && (from->number != 0) == fixed)
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

/* Who may connect to each listener, and how it encrypts. */
static int compile_listeners(struct spoa_config *config, struct base_diag *diag)
{
	const struct conf *conf = config->conf;
	int rc = 0;

	config->access = calloc(conf->n_listen + 1, sizeof(*config->access));
	config->tls = calloc(conf->n_listen + 1, sizeof(*config->tls));
	if (!config->access || !config->tls)
		return -ENOMEM;
	for (size_t i = 0; !rc && i < conf->n_listen; i++) {
		rc = spoa_access_compile(&conf->listen[i], &config->access[i], diag);
		if (!rc)
			rc = spoa_tls_new(&conf->listen[i], &config->tls[i], diag);
	}
	return rc;
}

static atomic_uint_least64_t last_serial;

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
	config->match_all = config->conf->roles_match == CONF_MATCH_ALL;
	config->serial = atomic_fetch_add_explicit(&last_serial, 1, memory_order_relaxed) + 1;
	rc = compile_providers(config, diag);
	spoa_route_check(conf, diag);
	if (!rc)
		rc = spoa_workload_rules_compile(config->conf, &config->workloads, diag);
	if (!rc)
		rc = spoa_secrets_new(config->conf, diag, &config->secrets);
	if (!rc)
		rc = compile_listeners(config, diag);
	if (!rc)
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

static void free_role(struct ident_role *role)
{
	free((char *)role->labels);
	ident_template_free(role->template);
	spoa_conditions_free((struct ident_condition *)role->conditions, role->n_conditions);
}

void spoa_config_unref(struct spoa_config *config)
{
	if (!config || atomic_fetch_sub_explicit(&config->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; config->roles && i < config->conf->n_roles; i++)
		free_role(&config->roles[i]);
	for (size_t i = 0; i < config->conf->n_listen; i++) {
		if (config->access)
			spoa_access_done(&config->access[i]);
		if (config->tls)
			spoa_tls_free(config->tls[i]);
	}
	free(config->access);
	free(config->tls);
	free(config->roles);
	for (size_t i = 0; config->providers && i < config->conf->n_providers; i++)
		spoa_provider_done(&config->providers[i]);
	free(config->providers);
	spoa_exports_done(&config->exports);
	spoa_workload_rules_done(&config->workloads);
	spoa_secrets_free(config->secrets, config->conf->n_assertions);
	free(config->rules);
	free(config->origins);
	conf_free((struct conf *)config->conf);
	free(config);
}

size_t spoa_config_role(const struct spoa_config *config, struct span name)
{
	size_t i = 0;

	while (i < config->conf->n_roles && !span_is(name, config->roles[i].name))
		i++;
	return i;
}
