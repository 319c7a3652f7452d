/* The etcd that agents share. */
#include "base/mem.h"
#include "conf/check_place.h"
#include "conf/text.h"
#include "conf/url.h"

#include <string.h>

#define CLUSTERS_255    0
#define ALLOCATED_MIN   256 /* those below have fixed meanings in Cilium */
#define CLUSTER_NAME    32  /* cilium pkg/clustermesh/types: at most so many bytes */
#define DEFAULT_CLUSTER "default"

static const struct base_doc *item(const struct base_doc *list, size_t i)
{
	return list->kind == BASE_DOC_LIST && i < list->n_entries ? list->entries[i].value : list;
}

static void check_endpoint(const struct check *c, const struct base_doc *place, const char *url)
{
	const char *why = conf_url_problem(url, c->conf->etcd.allow_http, true);
	const char *host = strstr(url, "://");

	if (why)
		COMPLAIN(c, place, "endpoint %s %s", conf_text_show(url).text, why);
	else if (host && strchr(host + 3, '/'))
		COMPLAIN(c, place, "endpoint %s has a path; write https://HOST:PORT",
			conf_text_show(url).text);
}

/* In a mesh a cluster has a number and a name of its own (cilium pkg/clustermesh/types). */
static void check_mesh(const struct check *c, const struct base_doc *doc)
{
	const char *name = c->conf->identity.cluster;

	if (c->conf->etcd.mode != CONF_ETCD_CLUSTERMESH)
		return;
	if (!c->conf->etcd.cluster_id)
		COMPLAIN(c, where(doc, "mode"), "clustermesh needs a 'cluster_id' above 0");
	if (name && (!strcmp(name, DEFAULT_CLUSTER) || strlen(name) > CLUSTER_NAME))
		COMPLAIN(c, where(doc, "mode"),
			"clustermesh needs 'identity.cluster' to be a name of at most %d "
			"characters, and not \"default\"",
			CLUSTER_NAME);
}

/* The numbers of the cluster: cilium.md 1.1. */
static int64_t range_of(const struct check *c, int64_t *ret_last)
{
	unsigned bits = c->conf->bpf.clusters == CLUSTERS_255 ? 16 : 15;
	int64_t first = c->conf->etcd.cluster_id << bits;

	*ret_last = first + (INT64_C(1) << bits) - 1;
	return first;
}

/* A fixed number must be one that etcd gives nobody: it does not know of ours. */
static void check_fixed(const struct check *c)
{
	int64_t last, first = range_of(c, &last) + ALLOCATED_MIN;

	for (size_t i = 0; i < c->conf->n_roles; i++) {
		const struct conf_role *role = &c->conf->roles[i];

		if (role->number_from == CONF_NUMBER_FIXED && role->number >= first &&
			role->number <= last)
			COMPLAIN(c, where(entry(c->doc, "roles", i), "number"),
				"with 'etcd.endpoints' a fixed number must be none of the "
				"cluster's, %lld to %lld",
				(long long)first, (long long)last);
	}
}

/* A local number must be nobody's in etcd. */
static void check_local(const struct check *c, const struct base_doc *doc)
{
	int64_t last, first = range_of(c, &last);

	if (c->conf->etcd.when_away == CONF_ETCD_LOCAL && c->conf->identity.local_min <= last &&
		c->conf->identity.local_max >= first)
		COMPLAIN(c, where(doc, "when_away"),
			"local numbers (identity.local_min to local_max) must be none of the "
			"cluster's, %lld to %lld",
			(long long)first, (long long)last);
}

/* What has no default and would mean nothing. */
static void check_alone(const struct check *c, const struct base_doc *doc)
{
	static const char *const KEYS[] = {
		"node", "ca_file", "cert_file", "key_file", "user", "password_file"};

	for (size_t i = 0; i < ARRAY_SIZE(KEYS); i++)
		if (base_doc_get(doc, KEYS[i]))
			COMPLAIN(c, where(doc, KEYS[i]), "'%s' needs 'endpoints'", KEYS[i]);
}

void conf_check_etcd(const struct check *c)
{
	const struct base_doc *doc = base_doc_get(c->doc, "etcd");
	const struct conf_strings *endpoints = &c->conf->etcd.endpoints;

	if (!doc)
		return;
	if (!endpoints->n)
		check_alone(c, doc);
	for (size_t i = 0; i < endpoints->n; i++)
		check_endpoint(c, item(where(doc, "endpoints"), i), endpoints->items[i]);
	if (c->conf->etcd.cluster_id > 255 && c->conf->bpf.clusters == CLUSTERS_255)
		COMPLAIN(c, where(doc, "cluster_id"),
			"a 'cluster_id' above 255 needs 'bpf.clusters' to be 511");
	if (c->conf->etcd.node && strchr(c->conf->etcd.node, '/'))
		COMPLAIN(c, where(doc, "node"), "'node' must not hold a slash");
	if (c->conf->etcd.prefix && strchr(c->conf->etcd.prefix, ' '))
		COMPLAIN(c, where(doc, "prefix"), "'prefix' must not hold a blank");
	if (endpoints->n)
		check_fixed(c);
	check_mesh(c, doc);
	check_local(c, doc);
}
