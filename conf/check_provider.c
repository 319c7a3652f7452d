#include "conf/check_place.h"

#include "base/cidr.h"
#include "conf/provider.h"
#include "conf/text.h"
#include "conf/url.h"

#include <stdio.h>
#include <string.h>

/* The URL with its placeholder as if it were filled; false without a URL or placeholder. */
static bool fill(const char *url, const char *placeholder, char *filled, size_t size)
{
	const char *at = url ? strstr(url, placeholder) : NULL;

	if (!at)
		return false;
	snprintf(filled, size, "%.*sx%s", (int)(at - url), url, at + strlen(placeholder));
	return true;
}

static void check_url(const struct check *c, const struct base_doc *doc, const char *key,
	const char *url, bool allow_http)
{
	const char *why = url ? conf_url_problem(url, allow_http, !strcmp(key, "issuer")) : NULL;

	if (why)
		COMPLAIN(c, where(doc, key), "'%s' %s", key, why);
}

/* Tokens that say something to us, and are never a caller's credential (RFC 8725 3.11). */
static void check_types(
	const struct check *c, const struct base_doc *doc, const struct conf_strings *types)
{
	for (size_t i = 0; i < types->n; i++)
		if (!strcasecmp(types->items[i], "logout+jwt") ||
			!strcasecmp(types->items[i], "dpop+jwt"))
			COMPLAIN(c, where(doc, "types"), "'%s' is never a credential",
				types->items[i]);
}

/* Neither written, in which case something has been said about it already, nor preset. */
static bool is_missing(const struct base_doc *doc, const char *key, const void *value)
{
	return !value && doc->kind == BASE_DOC_MAP && !base_doc_get(doc, key);
}

static void check_issuer(
	const struct check *c, const struct base_doc *doc, const struct conf_provider *p)
{
	char filled[1024];
	bool template = fill(p->issuer, CONF_TENANT, filled, sizeof(filled));

	if (is_missing(doc, "issuer", p->issuer) && !p->trust_domain && !p->trust_bundle)
		COMPLAIN(c, doc,
			"'issuer' is missing; it takes a text, for example "
			"https://idp.example.com");
	if (!conf_provider_is_spiffe(p) && conf_provider_has_tokens(p))
		check_url(c, doc, "issuer", template ? filled : p->issuer, p->allow_http);
	if (template && !p->jwks_uri && !p->jwks_file)
		COMPLAIN(c, where(doc, "issuer"),
			"an issuer with " CONF_TENANT " needs 'jwks_uri' or 'jwks_file'");
	if (!template && p->tenants.n)
		COMPLAIN(c, where(doc, "tenants"), "'tenants' needs an issuer with " CONF_TENANT);
}

/* One key, one algorithm: a secret is for exactly one HS*, and HS* for a secret only. */
static void check_secret(
	const struct check *c, const struct base_doc *doc, const struct conf_provider *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->algorithms.n; i++)
		n += !strncmp(p->algorithms.items[i], "HS", 2);
	if (p->secret_file && (n != 1 || p->algorithms.n != 1))
		COMPLAIN(c, where(doc, "algorithms"),
			"a provider with 'secret_file' has exactly one algorithm: HS256, HS384 or "
			"HS512");
	if (!p->secret_file && n)
		COMPLAIN(c, where(doc, "algorithms"), "HS256, HS384 and HS512 need 'secret_file'");
}

static void check_keys(
	const struct check *c, const struct base_doc *doc, const struct conf_provider *p)
{
	static const char *const FROM[] = {"secret_file", "jwks_file", "jwks_uri", "pem_uri"};
	const char *first = NULL;

	check_url(c, doc, "jwks_uri", p->jwks_uri, p->allow_http);
	check_url(c, doc, "pem_uri", p->pem_uri, p->allow_http);
	for (size_t i = 0; i < ARRAY_SIZE(FROM); i++) {
		if (first && base_doc_get(doc, FROM[i]))
			COMPLAIN(c, base_doc_get(doc, FROM[i]), "'%s' and '%s' exclude each other",
				first, FROM[i]);
		if (base_doc_get(doc, FROM[i]))
			first = FROM[i];
	}
	check_secret(c, doc, p);
	if (is_missing(doc, "audiences", p->audiences.n ? p : NULL) && conf_provider_has_tokens(p))
		COMPLAIN(c, doc,
			"'audiences' is missing; it takes a list of texts, for example [api]");
}

/* Networks, proxy and lifetimes: how the provider is reached. */
static void check_reach(
	const struct check *c, const struct base_doc *doc, const struct conf_provider *provider)
{
	struct base_cidr range;

	for (size_t i = 0; i < provider->networks.n; i++)
		if (base_cidr_parse(provider->networks.items[i], &range))
			COMPLAIN(c, where(doc, "networks"),
				"%s is no network; write 10.0.0.0/8 or fd00::/8, without bits "
				"behind the length",
				conf_text_show(provider->networks.items[i]).text);
	if (provider->proxy && (strncmp(provider->proxy, "http://", 7) ||
				       conf_url_problem(provider->proxy, true, true) ||
				       strchr(provider->proxy + 7, '/')))
		COMPLAIN(c, where(doc, "proxy"), "'proxy' must be http://HOST:PORT");
	if (provider->refresh_min > provider->refresh_max)
		COMPLAIN(c, where(doc, "refresh_min"), "'refresh_min' is above 'refresh_max'");
	if (provider->keep && provider->keep < provider->refresh)
		COMPLAIN(c, where(doc, "keep"), "'keep' is below 'refresh'");
}

/* SPIFFE JWT-SVID 3.1, SPIFFE-ID 2.1 */
static void check_spiffe(
	const struct check *c, const struct base_doc *doc, const struct conf_provider *p)
{
	static const char CHARS[] = "abcdefghijklmnopqrstuvwxyz0123456789.-_";

	if (!p->trust_domain)
		return;
	if (p->trust_domain[strspn(p->trust_domain, CHARS)])
		COMPLAIN(c, where(doc, "trust_domain"),
			"'trust_domain' is small letters, digits, '.', '-' and '_'");
	for (size_t i = 0; i < p->algorithms.n; i++)
		if (!strchr("RPE", p->algorithms.items[i][0]) || p->algorithms.items[i][1] != 'S')
			COMPLAIN(c, where(doc, "algorithms"), "a JWT-SVID cannot be signed with %s",
				p->algorithms.items[i]);
	if (conf_provider_is_spiffe(p) && !p->trust_bundle && !p->jwks_file && !p->jwks_uri)
		COMPLAIN(c, doc, "'trust_domain' needs 'trust_bundle', 'jwks_file' or 'jwks_uri'");
}

/*
 * The keys of all load balancers of a region lie side by side: only the
 * signer tells whose balancer it was.
 */
static void check_signer(
	const struct check *c, const struct base_doc *doc, const struct conf_provider *p)
{
	if (!p->padding)
		return;
	for (size_t i = 0; i < p->n_require; i++) {
		const struct conf_condition *condition = &p->require[i];
		const struct conf_strings *claim = &condition->claim;

		if (claim->n == 1 && !strcmp(claim->items[0], "signer") &&
			(condition->equals.n || condition->any.n))
			return;
	}
	COMPLAIN(c, doc,
		"a provider with 'padding' needs a condition in 'require': the claim signer "
		"equals the load balancer's ARN");
}

static void check_exports(
	const struct check *c, const struct base_doc *doc, const struct conf_provider *p)
{
	for (size_t i = 0; i < p->n_exports; i++) {
		const struct base_doc *place = where(entry(doc, "exports", i), "name");

		if (!p->exports[i].name)
			continue;
		conf_check_variable(c, place, p->exports[i].name);
		for (size_t k = 0; k < i; k++)
			if (p->exports[k].name && !strcmp(p->exports[k].name, p->exports[i].name))
				COMPLAIN(c, place, "%s is exported twice",
					conf_text_show(p->exports[i].name).text);
	}
}

void conf_check_provider(const struct check *c, size_t i)
{
	const struct conf_provider *provider = &c->conf->providers[i];
	const struct base_doc *doc = entry(c->doc, "providers", i);

	for (size_t k = 0; provider->name && k < i; k++)
		if (c->conf->providers[k].name &&
			!strcmp(c->conf->providers[k].name, provider->name))
			COMPLAIN(c, where(doc, "name"),
				"provider '%s' is given twice, first on line %u", provider->name,
				c->conf->providers[k].pos.line);
	check_issuer(c, doc, provider);
	check_keys(c, doc, provider);
	check_types(c, doc, &provider->types);
	check_reach(c, doc, provider);
	conf_check_introspection(c, i);
	check_spiffe(c, doc, provider);
	check_signer(c, doc, provider);
	check_exports(c, doc, provider);
	for (size_t k = 0; k < provider->n_require; k++)
		if (base_doc_get(doc, "require"))
			conf_check_condition(
				c, entry(doc, "require", k), &provider->require[k], true);
}
