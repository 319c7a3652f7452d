#include "spoa/route.h"

#include "base/span.h"
#include "ident/labels.h"

/* Is this label "source:key=value" what is wanted, where a source that is missing is any? */
static bool is_wanted(struct span label, struct span wanted)
{
	const char *colon = memchr(label.p, ':', label.n);

	if (span_eq(label, wanted))
		return true;
	return colon && !memchr(wanted.p, ':', wanted.n) &&
	       span_eq((struct span){colon + 1, label.n - (size_t)(colon + 1 - label.p)}, wanted);
}

static bool has_label(const char *labels, struct span wanted)
{
	for (const char *end; (end = strchr(labels, ';')); labels = end + 1)
		if (is_wanted((struct span){labels, (size_t)(end - labels)}, wanted))
			return true;
	return false;
}

const char *spoa_route_find(const struct conf *conf, const char *labels)
{
	for (size_t i = 0; i < conf->n_routes; i++) {
		const struct conf_route *rule = &conf->routes[i];
		bool fits = true;

		for (size_t k = 0; fits && k < rule->labels.n; k++)
			fits = has_label(labels, span_of(rule->labels.items[k]));
		if (fits)
			return rule->route;
	}
	return NULL;
}

void spoa_route_check(const struct conf *conf, struct base_diag *diag)
{
	for (size_t i = 0; i < conf->n_routes; i++) {
		const struct conf_route *rule = &conf->routes[i];

		for (size_t k = 0; k < rule->labels.n; k++) {
			struct ident_label label;
			char buf[512], why[160] = "";

			if (ident_label_parse(rule->labels.items[k], buf, sizeof(buf), &label, why))
				base_diag_add(diag, rule->labels_pos.line, rule->labels_pos.column,
					"route %.60s: label \"%.60s\": %s", rule->route,
					rule->labels.items[k], why);
		}
	}
}
