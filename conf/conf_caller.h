/*
 * Of the configuration, what is about callers: conditions, providers, roles, and
 * what is said to and about them. Included by conf/conf.h.
 */
#ifndef CONF_CONF_CALLER_H
#define CONF_CONF_CALLER_H

#include "conf/conf_text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum conf_dpop {
	CONF_DPOP_OFF,
	CONF_DPOP_OPTIONAL,
	CONF_DPOP_REQUIRED,
};

/* What a condition looks at; for each a field of its name. */
enum conf_about {
	CONF_ABOUT_CLAIM,
	CONF_ABOUT_ACTOR,
	CONF_ABOUT_CERT,
	CONF_ABOUT_SCOPE,
	CONF_ABOUT_SOURCE,
	CONF_ABOUT_WORKLOAD,
};

enum conf_test {
	CONF_TEST_EQUALS,
	CONF_TEST_ANY,
	CONF_TEST_ALL,
	CONF_TEST_EXISTS,
	CONF_TEST_PREFIX,
	CONF_TEST_GLOB,
	CONF_TEST_AT_LEAST,
	CONF_TEST_AT_MOST,
};

/* As it is written: exactly one of the first six; of the others see conf_condition_test. */
struct conf_condition {
	struct conf_pos pos;
	struct conf_strings claim, actor, cert; /* path: one segment or several */
	struct conf_strings scope;              /* all of them, no test */
	struct conf_strings source;             /* networks, no test */
	struct conf_strings workload;           /* labels, all of them, no test */
	bool proxied;
	struct conf_strings equals, any, all, prefix, glob;
	char *at_least, *at_most; /* numbers */
	bool exists;
};

enum conf_about conf_condition_about(const struct conf_condition *condition);

/* The one test of a condition that passed the check; its texts, where it has some. */
enum conf_test conf_condition_test(
	const struct conf_condition *condition, const struct conf_strings **ret_values);

/* claim_NAME for HAProxy, and the claim that it is. */
struct conf_export {
	struct conf_pos pos;
	char *name;
	struct conf_strings claim;
};

/* Which tokens a provider is asked about (RFC 7662). */
enum conf_introspect {
	CONF_INTROSPECT_OPAQUE, /* those that only it can read */
	CONF_INTROSPECT_ALWAYS, /* these, and signed ones besides */
};

/* How we say who we are. */
enum conf_auth {
	CONF_AUTH_BASIC,
	CONF_AUTH_POST,
	CONF_AUTH_CERTIFICATE,
};

struct conf_introspection {
	char *url;    /* NULL: it is not asked */
	int use;      /* enum conf_introspect */
	char *prefix; /* what its opaque tokens begin with; NULL: anything */
	int auth;     /* enum conf_auth */
	char *client_id;
	char *client_secret_file;
	char *cert_file;
	char *key_file;
	int64_t ttl;
	int64_t negative_ttl;
	bool audience_required;
};

struct conf_provider {
	struct conf_pos pos;
	char *name;  /* unique, [a-z0-9-]+ */
	int profile; /* place in CONF_PROFILES; what it presets is in the other fields */
	char *issuer; /* never NULL after loading: spiffe://DOMAIN or x509:NAME where there is none */
	struct conf_strings issuer_aliases;
	struct conf_strings tenants;    /* of {tenantid} in issuer; empty: any */
	struct conf_strings audiences;  /* empty only without tokens */
	struct conf_strings algorithms; /* RS256 ... HS512 */
	struct conf_strings types;      /* lower case; empty: any */
	bool type_required;
	int64_t leeway;
	int64_t max_lifetime;           /* 0: no limit */
	int64_t max_token_size;         /* bytes */
	struct conf_condition *require; /* about claims, actors and scopes only */
	size_t n_require;
	struct conf_strings subject_claim, audience_claim, client_id_claim, scope_claim;
	struct conf_export *exports;
	size_t n_exports;
	bool padding;
	struct conf_strings header_claims;
	char *trust_domain; /* SPIFFE; NULL: none */
	char *trust_bundle; /* of client certificates; NULL: they are no credential */
	/* Where the keys come from: secret_file, jwks_file, jwks_uri, else discovery of the issuer. */
	char *secret_file;
	char *jwks_file;
	char *jwks_uri;
	bool allow_http;
	char *pem_uri; /* one PEM file for each key id behind it, instead of a set */
	char *jwks_token_file;
	char *ca_file;
	struct conf_strings networks; /* where its servers may be besides public addresses */
	char *proxy;
	int64_t refresh;                  /* fetch the keys again after this long */
	int64_t refresh_min, refresh_max; /* bounds of what the provider says instead */
	int64_t keep;                     /* keys end when it cannot be reached for so long */
	struct conf_introspection introspection;
	int dpop; /* enum conf_dpop */
	int64_t dpop_max_age;
	bool dpop_nonce;
	bool certificate_required;
	bool id_tokens;
	bool logout_subject;
	struct conf_strings logout_audiences; /* empty: no back-channel logout */
};

enum conf_assertion_alg {
	CONF_ASSERTION_ES256,
	CONF_ASSERTION_EDDSA,
	CONF_ASSERTION_HS256,
};

/* What we sign for one backend about a caller. */
struct conf_assertion {
	struct conf_pos pos;
	char *name; /* unique */
	char *audience;
	int64_t ttl;
	int algorithm;              /* enum conf_assertion_alg */
	char *secret_file;          /* with HS256 and only then */
	struct conf_strings claims; /* some of exports */
	struct conf_strings services;
};

/* What callers of one host or service are told (RFC 9728). */
struct conf_resource {
	struct conf_pos pos;
	char *host;    /* NULL: any */
	char *service; /* NULL: any */
	char *metadata;
	char *scope; /* NULL: none */
};

/* Does it have tokens, so that keys are needed? Otherwise only client certificates. */
bool conf_provider_has_tokens(const struct conf_provider *provider);

/* Are its keys a set that has to be read or fetched, and not a secret or none? */
bool conf_provider_has_key_set(const struct conf_provider *provider);

/* Who vouches for a number that is written in the file. */
enum conf_number_from {
	CONF_NUMBER_FIXED, /* nobody: it is ours alone */
	CONF_NUMBER_CRD,   /* the operator: a CiliumIdentity has it, with these labels */
	CONF_NUMBER_ETCD,  /* the operator: Cilium's kvstore has it, with these labels */
};

struct conf_role {
	struct conf_pos pos;
	char *name;     /* unique */
	char *provider; /* NULL: any; else a provider's name */
	struct conf_condition *when;
	size_t n_when;
	struct conf_strings labels; /* source:key=value */
	struct conf_pos labels_pos;
	uint32_t number; /* 0: allocated */
	struct conf_pos number_pos;
	int number_from;             /* enum conf_number_from */
	struct conf_strings srcaddr; /* literal addresses, at most one of each family */
	int64_t max_identities;      /* where labels depend on the caller */
	char *route;                 /* NULL: none */
	char *assertion;             /* NULL: by the service */
	bool require_binding;
	bool kill_on_expiry;
};

enum conf_roles_match {
	CONF_MATCH_FIRST,
	CONF_MATCH_ALL,
};

#endif
