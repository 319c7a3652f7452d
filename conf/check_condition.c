#include "conf/check_place.h"

#include "base/cidr.h"
#include "conf/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The last of these keys that is written here, and how many are. */
static const struct base_doc *last_of(
	const struct base_doc *doc, const char *const *names, size_t n_names, size_t *ret_n)
{
	const struct base_doc *last = NULL;

	*ret_n = 0;
	for (size_t i = 0; i < n_names; i++) {
		const struct base_doc *value = base_doc_get(doc, names[i]);

		*ret_n += value != NULL;
		if (value && (!last || value->line > last->line ||
				     (value->line == last->line && value->column > last->column)))
			last = value;
	}
	return last;
}

/* A JSON number, so that it can be compared with one. */
static bool is_number(const char *text)
{
	char *end;

	if (text[0] == '+' || strspn(text, "0123456789.-+eE") != strlen(text))
		return false;
	errno = 0;
	strtod(text, &end);
	return end != text && !*end && !errno;
}

static void check_number(
	const struct check *c, const struct base_doc *doc, const char *key, const char *text)
{
	if (text && !is_number(text))
		COMPLAIN(c, where(doc, key), "'%s' is %s; it takes a number", key,
			conf_text_show(text).text);
}

static void check_networks(
	const struct check *c, const struct base_doc *doc, const struct conf_strings *source)
{
	for (size_t i = 0; i < source->n; i++) {
		struct base_cidr ignored;
		int err = base_cidr_parse(source->items[i], &ignored);

		if (err)
			COMPLAIN(c, where(doc, "source"), "%s is no network%s",
				conf_text_show(source->items[i]).text,
				err == -ERANGE ? ": bits behind its length are set" : "");
	}
}

static const char *const ABOUT[] = {"claim", "actor", "cert", "scope", "source", "workload"};
static const char *const TESTS[] = {
	"equals", "any", "all", "exists", "prefix", "glob", "at_least", "at_most"};

static void check_tests(const struct check *c, const struct base_doc *doc, bool alone)
{
	size_t n;
	const struct base_doc *last = last_of(doc, TESTS, ARRAY_SIZE(TESTS), &n);

	if (alone && n)
		COMPLAIN(c, last, "'scope', 'source' and 'workload' stand alone, without a test");
	if (!alone && n != 1)
		COMPLAIN(c, n ? last : doc,
			"a condition needs exactly one of 'equals', 'any', 'all', 'prefix', "
			"'glob', "
			"'at_least', 'at_most' and 'exists'");
}

void conf_check_condition(const struct check *c, const struct base_doc *doc,
	const struct conf_condition *condition, bool credential)
{
	size_t n;
	const struct base_doc *last = last_of(doc, ABOUT, ARRAY_SIZE(ABOUT), &n);
	const struct base_doc *source = base_doc_get(doc, "source");
	const struct base_doc *workload = base_doc_get(doc, "workload");
	bool alone = base_doc_get(doc, "scope") || source || workload;

	if (doc->kind != BASE_DOC_MAP)
		return;
	if (n != 1)
		COMPLAIN(c, n ? last : doc,
			"a condition looks at exactly one of 'claim', 'actor', 'cert', 'scope', "
			"'source' and 'workload'");
	else
		check_tests(c, doc, alone);
	if (base_doc_get(doc, "proxied") && !source)
		COMPLAIN(c, base_doc_get(doc, "proxied"), "'proxied' goes with 'source' only");
	for (size_t i = 0; i < condition->workload.n; i++)
		if (!strchr(condition->workload.items[i], '='))
			COMPLAIN(c, workload, "%s is no label: source:key=value",
				conf_text_show(condition->workload.items[i]).text);
	if (workload && !c->conf->workloads.ranges.n)
		COMPLAIN(c, workload, "'workload' needs 'ranges' in 'workloads'");
	if (credential && (source || workload || base_doc_get(doc, "cert")))
		COMPLAIN(c, last, "'require' looks at 'claim', 'actor' and 'scope' only");
	check_number(c, doc, "at_least", condition->at_least);
	check_number(c, doc, "at_most", condition->at_most);
	check_networks(c, doc, &condition->source);
}
