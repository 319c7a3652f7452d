/* How a provider is asked about tokens (RFC 7662), and that each token has one to ask. */

#include "conf/check_place.h"

#include "conf/url.h"

#include <string.h>

static bool same_prefix(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* A token that only its provider can read must lead to one provider. */
static void check_prefix(const struct check *c, const struct base_doc *doc, size_t i)
{
	const struct conf_introspection *mine = &c->conf->providers[i].introspection;

	for (size_t k = 0; k < i; k++) {
		const struct conf_introspection *earlier = &c->conf->providers[k].introspection;

		if (earlier->url && same_prefix(earlier->prefix, mine->prefix))
			COMPLAIN(c, where(doc, mine->prefix ? "prefix" : "url"),
				"opaque tokens of provider '%s' on line %u look the same; give "
				"each its own 'prefix'",
				c->conf->providers[k].name ? c->conf->providers[k].name : "?",
				c->conf->providers[k].pos.line);
	}
}

void conf_check_introspection(const struct check *c, size_t i)
{
	const struct conf_introspection *how = &c->conf->providers[i].introspection;
	const struct base_doc *doc = where(entry(c->doc, "providers", i), "introspection");
	bool certificate = how->auth == CONF_AUTH_CERTIFICATE;
	const char *why;

	if (!how->url || doc->kind != BASE_DOC_MAP)
		return;
	why = conf_url_problem(how->url, c->conf->providers[i].allow_http, false);
	if (why)
		COMPLAIN(c, where(doc, "url"), "'url' %s", why);
	if (!how->client_id)
		COMPLAIN(c, doc, "'introspection' needs 'client_id'");
	if (!certificate && !how->client_secret_file)
		COMPLAIN(c, doc, "'introspection' needs 'client_secret_file'");
	if (!how->cert_file != !how->key_file || (certificate && !how->cert_file))
		COMPLAIN(c, doc, "'introspection' needs both 'cert_file' and 'key_file'");
	check_prefix(c, doc, i);
}
