#include "conf/check.h"

#include "base/cidr.h"
#include "conf/check_place.h"
#include "conf/text.h"

#include <errno.h>
#include <string.h>

/* Written, and not as the empty list that is its default. */
static bool is_said(const struct base_doc *doc, const char *key)
{
	const struct base_doc *value = base_doc_get(doc, key);

	return value && !(value->kind == BASE_DOC_LIST && !value->n_entries);
}

static void check_listen(
	const struct check *c, const struct conf_listen *listen, const struct base_doc *doc)
{
	static const char *const OF_UNIX[] = {"mode", "group", "users", "groups"};
	const struct base_doc *tcp = base_doc_get(doc, "tcp");
	bool unix_too = base_doc_get(doc, "unix");

	if (doc->kind != BASE_DOC_MAP)
		return;
	if (!tcp && !unix_too)
		COMPLAIN(c, doc, "an entry of 'listen' needs 'unix' or 'tcp'");
	if (tcp && unix_too)
		COMPLAIN(c, tcp, "'unix' and 'tcp' exclude each other; make two entries");
	for (size_t i = 0; tcp && !unix_too && i < ARRAY_SIZE(OF_UNIX); i++)
		if (is_said(doc, OF_UNIX[i]))
			COMPLAIN(c, where(doc, OF_UNIX[i]), "'%s' is for unix sockets only",
				OF_UNIX[i]);
	if (!tcp && unix_too && is_said(doc, "allow"))
		COMPLAIN(c, where(doc, "allow"), "'allow' is for tcp only");
	if (!tcp && unix_too && (listen->tls.cert || listen->tls.key))
		COMPLAIN(c, where(doc, "tls"), "'tls' is for tcp only");
}

static bool is_loopback(const char *host)
{
	static const char *const RANGES[] = {"127.0.0.0/8", "::1"};
	struct base_cidr address, range;

	for (size_t i = 0; i < ARRAY_SIZE(RANGES); i++)
		if (base_cidr_parse(host, &address) == 0 &&
			base_cidr_parse(RANGES[i], &range) == 0 &&
			base_cidr_has(&range, address.bytes))
			return true;
	return false;
}

/* Who may connect by TCP is always said, and in a form that can be compared. */
static void check_allow(
	const struct check *c, const struct conf_listen *listen, const struct base_doc *doc)
{
	const struct base_doc *allow = where(doc, "allow");
	struct base_cidr range;

	if (!listen->tcp_host)
		return;
	if (!listen->allow.n && !is_loopback(listen->tcp_host))
		COMPLAIN(c, where(doc, "tcp"),
			"'allow' must say who may connect to %s, which is no loopback address",
			listen->tcp_host);
	for (size_t i = 0; i < listen->allow.n; i++) {
		const struct base_doc *place = i < allow->n_entries && allow->kind == BASE_DOC_LIST
						       ? allow->entries[i].value
						       : allow;
		int rc = base_cidr_parse(listen->allow.items[i], &range);

		if (rc)
			COMPLAIN(c, place, "%s %s", conf_text_show(listen->allow.items[i]).text,
				rc == -ERANGE ? "has bits behind its length"
					      : "is no address or range of addresses");
	}
}

static void check_tls(
	const struct check *c, const struct conf_listen *listen, const struct base_doc *doc)
{
	const struct base_doc *tls = where(doc, "tls");
	bool clients = listen->tls.client_ca || listen->tls.client != CONF_CLIENT_REQUIRED ||
		       listen->tls.client_names.n;

	if (!listen->tls.cert != !listen->tls.key || (clients && !listen->tls.cert))
		COMPLAIN(c, tls, "'tls' needs 'cert' and 'key'");
	if (clients && !listen->tls.client_ca)
		COMPLAIN(c, tls, "'client' and 'client_names' need 'client_ca'");
}

/* Addresses and certificate of the public listener belong together. */
static void check_public(const struct check *c)
{
	static const char *const OF_UNIX[] = {"mode", "group"};
	const struct base_doc *doc = where(c->doc, "public");
	const struct base_doc *tcp = base_doc_get(doc, "tcp");
	const struct base_doc *cert = base_doc_get(doc, "tls_cert");
	const struct base_doc *key = base_doc_get(doc, "tls_key");
	bool unix_too = base_doc_get(doc, "unix");

	if (doc->kind != BASE_DOC_MAP)
		return;
	if (tcp && unix_too)
		COMPLAIN(c, tcp, "'unix' and 'tcp' exclude each other");
	for (size_t i = 0; !unix_too && i < ARRAY_SIZE(OF_UNIX); i++)
		if (base_doc_get(doc, OF_UNIX[i]))
			COMPLAIN(c, where(doc, OF_UNIX[i]), "'%s' is for unix sockets only",
				OF_UNIX[i]);
	if (!cert != !key)
		COMPLAIN(c, cert ? cert : key, "'tls_cert' and 'tls_key' need each other");
	else if (cert && !tcp && !unix_too)
		COMPLAIN(c, cert, "'tls_cert' needs 'tcp' or 'unix'");
}

static void check_times(const struct check *c)
{
	const struct base_doc *spop = where(c->doc, "spop");

	if (c->conf->spop.hello_timeout && c->conf->spop.deadline >= c->conf->spop.hello_timeout)
		COMPLAIN(c, where(spop, "deadline"), "'deadline' must be below 'hello_timeout'");
	if (c->conf->spop.idle_timeout && c->conf->spop.idle_timeout <= 60 * 1000)
		COMPLAIN(c, where(spop, "idle_timeout"), "'idle_timeout' must be 0 or above 60s");
}

/* A namespace or cluster is a label's value, which starts and ends with a letter or digit. */
static void check_identity(const struct check *c)
{
	const struct base_doc *doc = where(c->doc, "identity");
	const char *const names[] = {"namespace", "cluster"};
	const char *const values[] = {c->conf->identity.namespace, c->conf->identity.cluster};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (values[i] && (values[i][0] == '-' || values[i][strlen(values[i]) - 1] == '-'))
			COMPLAIN(c, where(doc, names[i]),
				"'%s' must start and end with a letter or a digit", names[i]);
	if (c->conf->identity.local_max &&
		c->conf->identity.local_min > c->conf->identity.local_max)
		COMPLAIN(c, where(doc, "local_min"), "'local_min' is larger than 'local_max'");
}

/* HAProxy's names of variables; "txn.ident.claim_NAME" fits its 63 bytes. */
void conf_check_variable(const struct check *c, const struct base_doc *place, const char *name)
{
	static const char CHARS[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.";

	if (strlen(name) > 40 || name[strspn(name, CHARS)])
		COMPLAIN(c, place,
			"%s cannot name a variable: at most 40 letters, digits, '_' and '.'",
			conf_text_show(name).text);
}

static void check_exports(const struct check *c)
{
	const struct base_doc *doc = where(c->doc, "exports");
	const struct conf_strings *exports = &c->conf->exports;

	for (size_t i = 0; i < exports->n; i++) {
		/* Without mistakes so far, item i is entry i. */
		const struct base_doc *place = i < doc->n_entries && doc->kind == BASE_DOC_LIST
						       ? doc->entries[i].value
						       : doc;

		conf_check_variable(c, place, exports->items[i]);
		for (size_t k = 0; k < i; k++)
			if (!strcmp(exports->items[k], exports->items[i]))
				COMPLAIN(c, place, "%s is exported twice",
					conf_text_show(exports->items[i]).text);
	}
}

/* RFC 9728 5.1: an https URL, in quotes in a header; RFC 6749 3.3 for the scope. */
static void check_resource(
	const struct check *c, const struct base_doc *doc, const struct conf_resource *resource)
{
	if (resource->metadata && (strncmp(resource->metadata, "https://", 8) ||
					  strpbrk(resource->metadata, "\"\\ ")))
		COMPLAIN(c, where(doc, "metadata"),
			"'metadata' must be an https URL without quotes, '\\' or spaces");
	if (resource->scope && strpbrk(resource->scope, "\"\\"))
		COMPLAIN(c, where(doc, "scope"), "'scope' cannot hold '\"' or '\\'");
	if (!resource->host && !resource->service && doc->kind == BASE_DOC_MAP)
		COMPLAIN(c, doc, "a resource needs 'host' or 'service'");
}

/* A realm stands in quotes in a header (RFC 9110 5.6.4); these two would need escapes there. */
static void check_challenge(const struct check *c)
{
	const struct base_doc *doc = where(c->doc, "challenge");

	if (c->conf->challenge.realm && strpbrk(c->conf->challenge.realm, "\"\\"))
		COMPLAIN(c, where(doc, "realm"), "'realm' cannot hold '\"' or '\\'");
	for (size_t i = 0; i < c->conf->challenge.n_resources; i++)
		check_resource(c, entry(doc, "resources", i), &c->conf->challenge.resources[i]);
}

static bool has_provider(const struct conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->n_providers; i++)
		/* One whose name was a mistake may be the one that is meant. */
		if (!conf->providers[i].name || !strcmp(conf->providers[i].name, name))
			return true;
	return conf->n_providers == 0;
}

/* k8s is the source when none is given, and a key without '=' has an empty value. */
static bool same_label(const char *a, const char *b)
{
	size_t n, m;

	a += strncmp(a, "k8s:", 4) ? 0 : 4;
	b += strncmp(b, "k8s:", 4) ? 0 : 4;
	n = strlen(a);
	m = strlen(b);
	n -= n && strchr(a, '=') == a + n - 1;
	m -= m && strchr(b, '=') == b + m - 1;
	return n == m && !memcmp(a, b, n);
}

static bool has_labels(const struct conf_strings *all, const struct conf_strings *some)
{
	for (size_t i = 0; i < some->n; i++) {
		bool found = false;

		for (size_t k = 0; !found && k < all->n; k++)
			found = same_label(all->items[k], some->items[i]);
		if (!found)
			return false;
	}
	return true;
}

bool conf_check_same_labels(const struct conf_role *a, const struct conf_role *b)
{
	return has_labels(&a->labels, &b->labels) && has_labels(&b->labels, &a->labels);
}

/* One number means one label set, and one label set has one number. */
static void check_number(
	const struct check *c, const struct conf_role *role, const struct conf_role *earlier)
{
	const struct conf_pos *pos = &role->number_pos;

	if (!role->number || !earlier->number || !role->labels.n || !earlier->labels.n)
		return;
	if ((role->number == earlier->number) == conf_check_same_labels(role, earlier))
		return;
	if (role->number == earlier->number)
		COMPLAIN(c, pos, "number %u has other labels on line %u", role->number,
			earlier->labels_pos.line);
	else
		COMPLAIN(c, pos, "these labels have number %u on line %u", earlier->number,
			earlier->number_pos.line);
}

static bool has_text(const struct conf_strings *all, const char *text)
{
	for (size_t i = 0; i < all->n; i++)
		if (!strcmp(all->items[i], text))
			return true;
	return false;
}

static void check_assertion(const struct check *c, size_t i)
{
	const struct conf_assertion *assertion = &c->conf->assertions[i];
	const struct base_doc *doc = entry(c->doc, "assertions", i);
	bool hmac = assertion->algorithm == CONF_ASSERTION_HS256;

	for (size_t k = 0; assertion->name && k < i; k++)
		if (c->conf->assertions[k].name &&
			!strcmp(c->conf->assertions[k].name, assertion->name))
			COMPLAIN(c, where(doc, "name"), "assertion '%s' is given twice",
				assertion->name);
	if (!c->conf->assertion.issuer)
		COMPLAIN(c, doc, "assertions need 'issuer' in 'assertion'");
	if (hmac != (assertion->secret_file != NULL))
		COMPLAIN(c, where(doc, "secret_file"),
			"'secret_file' goes with the algorithm HS256, and only with it");
	for (size_t k = 0; k < assertion->claims.n; k++)
		if (!has_text(&c->conf->exports, assertion->claims.items[k]))
			COMPLAIN(c, where(doc, "claims"), "%s is not one of 'exports'",
				conf_text_show(assertion->claims.items[k]).text);
}

static bool has_assertion(const struct conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->n_assertions; i++)
		/* One whose name was a mistake may be the one that is meant. */
		if (!conf->assertions[i].name || !strcmp(conf->assertions[i].name, name))
			return true;
	return false;
}

static void check_role(const struct check *c, size_t i)
{
	const struct conf_role *role = &c->conf->roles[i];
	const struct base_doc *doc = entry(c->doc, "roles", i);

	for (size_t k = 0; k < i; k++) {
		const struct conf_role *earlier = &c->conf->roles[k];

		if (role->name && earlier->name && !strcmp(earlier->name, role->name))
			COMPLAIN(c, where(doc, "name"),
				"role '%s' is given twice, first on line %u", role->name,
				earlier->pos.line);
		check_number(c, role, earlier);
	}
	if (role->provider && strcmp(role->provider, CONF_WORKLOAD_PROVIDER) &&
		!has_provider(c->conf, role->provider))
		COMPLAIN(c, where(doc, "provider"), "there is no provider '%s'", role->provider);
	if (role->assertion && !has_assertion(c->conf, role->assertion))
		COMPLAIN(c, where(doc, "assertion"), "there is no assertion '%s'", role->assertion);
	for (size_t k = 0; k < role->n_when; k++)
		conf_check_condition(c, entry(doc, "when", k), &role->when[k], false);
	conf_check_reach(c, i);
}

static void check_service(const struct check *c, size_t i)
{
	const struct conf_service *service = &c->conf->services[i];

	for (size_t k = 0; service->name && k < i; k++)
		if (c->conf->services[k].name && !strcmp(c->conf->services[k].name, service->name))
			COMPLAIN(c, where(entry(c->doc, "services", i), "name"),
				"service '%.40s' is given twice, first on line %u", service->name,
				c->conf->services[k].pos.line);
}

void conf_check(const struct conf *conf, const struct base_doc *doc, struct base_diag *diag)
{
	const struct check c = {conf, doc, diag};

	for (size_t i = 0; i < conf->n_listen; i++) {
		check_listen(&c, &conf->listen[i], entry(doc, "listen", i));
		check_allow(&c, &conf->listen[i], entry(doc, "listen", i));
		check_tls(&c, &conf->listen[i], entry(doc, "listen", i));
	}
	check_public(&c);
	conf_check_admin(&c);
	check_times(&c);
	check_identity(&c);
	check_exports(&c);
	check_challenge(&c);
	conf_check_workloads(&c);
	conf_check_etcd(&c);
	for (size_t i = 0; i < conf->n_providers; i++)
		conf_check_provider(&c, i);
	for (size_t i = 0; i < conf->n_assertions; i++)
		check_assertion(&c, i);
	for (size_t i = 0; i < conf->n_roles; i++)
		check_role(&c, i);
	for (size_t i = 0; i < conf->n_services; i++)
		check_service(&c, i);
}
