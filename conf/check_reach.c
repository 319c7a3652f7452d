/* How a role's identity reaches Cilium: a confirmed number, addresses of its own. */
#include "base/cidr.h"
#include "conf/check_place.h"
#include "conf/text.h"

#include <string.h>

#define MARK_MIN 256 /* the least that may be a packet mark: cilium.md, bpfmap/mark.h */

static bool is_v4(const struct base_cidr *address)
{
	static const uint8_t V4[12] = {[10] = 0xff, [11] = 0xff};

	return !memcmp(address->bytes, V4, sizeof(V4));
}

/* Everything, or a group: no socket can be bound to it alone. */
static bool is_nobodys(const struct base_cidr *address)
{
	static const char *const RANGES[] = {
		"0.0.0.0/8", "224.0.0.0/4", "255.255.255.255", "::", "ff00::/8"};
	struct base_cidr range;

	for (size_t i = 0; i < sizeof(RANGES) / sizeof(RANGES[0]); i++)
		if (base_cidr_parse(RANGES[i], &range) == 0 &&
			base_cidr_has(&range, address->bytes))
			return true;
	return false;
}

static const struct base_doc *item(const struct base_doc *doc, size_t i)
{
	const struct base_doc *list = where(doc, "srcaddr");

	return list->kind == BASE_DOC_LIST && i < list->n_entries ? list->entries[i].value : list;
}

static bool parse(const struct conf_strings *list, size_t i, struct base_cidr *ret)
{
	return !base_cidr_parse(list->items[i], ret) && ret->bits == 128;
}

/* Another identity with this address could not be told from this one. */
static void check_others(const struct check *c, size_t i, const struct base_doc *place,
	const struct base_cidr *address)
{
	const struct conf_role *role = &c->conf->roles[i];

	for (size_t k = 0; k < i; k++) {
		const struct conf_role *earlier = &c->conf->roles[k];

		for (size_t j = 0; j < earlier->srcaddr.n; j++) {
			struct base_cidr other;

			if (parse(&earlier->srcaddr, j, &other) &&
				!memcmp(other.bytes, address->bytes, sizeof(other.bytes)) &&
				!conf_check_same_labels(role, earlier))
				COMPLAIN(c, place, "role '%s' on line %u has this address",
					earlier->name ? earlier->name : "", earlier->pos.line);
		}
	}
}

static void check_addresses(const struct check *c, size_t i, const struct base_doc *doc)
{
	const struct conf_strings *list = &c->conf->roles[i].srcaddr;
	bool seen[2] = {false, false};

	for (size_t k = 0; k < list->n; k++) {
		const struct base_doc *place = item(doc, k);
		struct base_cidr address;

		if (!parse(list, k, &address) || strchr(list->items[k], '/') ||
			is_nobodys(&address)) {
			COMPLAIN(c, place, "%s is no address to send from",
				conf_text_show(list->items[k]).text);
			continue;
		}
		if (seen[is_v4(&address)])
			COMPLAIN(c, place, "'srcaddr' takes one address of each family");
		seen[is_v4(&address)] = true;
		check_others(c, i, place, &address);
	}
}

void conf_check_reach(const struct check *c, size_t i)
{
	const struct conf_role *role = &c->conf->roles[i];
	const struct base_doc *doc = entry(c->doc, "roles", i);

	if (role->number_from != CONF_NUMBER_FIXED && role->number && role->number < MARK_MIN)
		COMPLAIN(c, where(doc, "number"),
			"Cilium's own store has no number below %d; 'number_from' must be fixed",
			MARK_MIN);
	if (role->number_from != CONF_NUMBER_FIXED && !role->number)
		COMPLAIN(c, where(doc, "number_from"), "'number_from' needs 'number'");
	check_addresses(c, i, doc);
}
