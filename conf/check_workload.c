/* Callers that are known by their addresses. */
#include "base/cidr.h"
#include "conf/check_place.h"
#include "conf/text.h"

#include <errno.h>
#include <string.h>

static const struct base_doc *item(const struct base_doc *list, size_t i)
{
	return list->kind == BASE_DOC_LIST && i < list->n_entries ? list->entries[i].value : list;
}

static bool check_network(const struct check *c, const struct base_doc *place, const char *text,
	struct base_cidr *ret)
{
	int err = base_cidr_parse(text, ret);

	if (err)
		COMPLAIN(c, place, "%s is no network%s", conf_text_show(text).text,
			err == -ERANGE ? ": bits behind its length are set" : "");
	return !err;
}

static bool is_within(const struct conf *conf, const struct base_cidr *network)
{
	struct base_cidr range;

	for (size_t i = 0; i < conf->workloads.ranges.n; i++)
		if (!base_cidr_parse(conf->workloads.ranges.items[i], &range) &&
			range.bits <= network->bits && base_cidr_has(&range, network->bytes))
			return true;
	return false;
}

static void check_entry(const struct check *c, const struct base_doc *doc, size_t i)
{
	const struct conf_strings *addresses = &c->conf->workloads.entries[i].addresses;
	const struct base_doc *list = where(doc, "addresses");

	for (size_t k = 0; k < addresses->n; k++) {
		struct base_cidr network;

		if (check_network(c, item(list, k), addresses->items[k], &network) &&
			!is_within(c->conf, &network))
			COMPLAIN(c, item(list, k), "%s is not within 'ranges'",
				conf_text_show(addresses->items[k]).text);
	}
}

/* Everything would be a workload's address, so that nobody were a stranger. */
static void check_ranges(const struct check *c, const struct base_doc *doc)
{
	const struct conf_strings *ranges = &c->conf->workloads.ranges;
	const struct base_doc *list = where(doc, "ranges");

	for (size_t i = 0; i < ranges->n; i++) {
		struct base_cidr range;

		if (check_network(c, item(list, i), ranges->items[i], &range) &&
			(range.bits == 0 || (range.bits == 96 && strchr(ranges->items[i], '.'))))
			COMPLAIN(c, item(list, i), "%s is every address",
				conf_text_show(ranges->items[i]).text);
	}
}

static void check_needs(const struct check *c, const struct base_doc *doc)
{
	static const char *const KEYS[] = {"ipcache", "labels_file", "entries"};

	if (c->conf->workloads.ranges.n || doc->kind != BASE_DOC_MAP)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(KEYS); i++)
		if (base_doc_get(doc, KEYS[i]))
			COMPLAIN(c, where(doc, KEYS[i]), "'%s' needs 'ranges'", KEYS[i]);
}

/* A role for callers without a token can ask for nothing that a token says. */
static void check_role(const struct check *c, size_t i)
{
	static const char *const OF_TOKENS[] = {"claim", "actor", "cert", "scope"};
	const struct conf_role *role = &c->conf->roles[i];
	const struct base_doc *doc = entry(c->doc, "roles", i);

	if (!role->provider || strcmp(role->provider, CONF_WORKLOAD_PROVIDER))
		return;
	if (!c->conf->workloads.ranges.n)
		COMPLAIN(c, where(doc, "provider"),
			"callers without a token need 'ranges' in 'workloads'");
	for (size_t k = 0; k < role->n_when; k++)
		for (size_t j = 0; j < ARRAY_SIZE(OF_TOKENS); j++) {
			const struct base_doc *at =
				base_doc_get(entry(doc, "when", k), OF_TOKENS[j]);

			if (at)
				COMPLAIN(c, at, "a caller without a token has no '%s'",
					OF_TOKENS[j]);
		}
}

void conf_check_workloads(const struct check *c)
{
	const struct base_doc *doc = where(c->doc, "workloads");

	if (doc != c->doc) {
		check_ranges(c, doc);
		check_needs(c, doc);
	}
	for (size_t i = 0; i < c->conf->workloads.n_entries; i++)
		check_entry(c, entry(doc, "entries", i), i);
	for (size_t i = 0; i < c->conf->n_roles; i++)
		check_role(c, i);
	for (size_t i = 0; i < c->conf->n_providers; i++)
		if (c->conf->providers[i].name &&
			!strcmp(c->conf->providers[i].name, CONF_WORKLOAD_PROVIDER))
			COMPLAIN(c, where(entry(c->doc, "providers", i), "name"),
				"'" CONF_WORKLOAD_PROVIDER
				"' stands for callers without a token; no provider can have it");
}
