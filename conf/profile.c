#include "conf/profile.h"

#include "base/doc.h"

#include <stdio.h>
#include <string.h>

#define ISSUER "{issuer}" /* in a preset: the issuer, as written or preset */

#define ASYMMETRIC "[RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512]"

/*
 * Sources: each provider's own documentation of its tokens and keys; measured
 * or read facts behind them are in docs/PROVIDERS.md.
 */
static const struct preset {
	const char *profile, *key, *value;
} PRESETS[] = {
	{"okta", "algorithms", "[RS256]"},
	{"okta", "client_id_claim", "[cid]"},
	{"okta", "scope_claim", "[scp]"},

	{"entra", "algorithms", "[RS256]"},
	{"entra", "issuer", "https://login.microsoftonline.com/{tenantid}/v2.0"},
	{"entra", "jwks_uri", "https://login.microsoftonline.com/common/discovery/v2.0/keys"},
	{"entra", "scope_claim", "[scp]"},

	{"auth0", "algorithms", "[RS256]"},
	{"auth0", "client_id_claim", "[azp]"},

	{"keycloak", "algorithms", "[RS256, PS256, ES256]"},
	/* The type of a token is in its payload: an ID token says ID, a refresh token Refresh. */
	{"keycloak", "require", "[{claim: typ, any: [Bearer, DPoP]}]"},

	{"google", "issuer", "https://accounts.google.com"},
	{"google", "issuer_aliases", "[accounts.google.com]"},
	{"google", "jwks_uri", "https://www.googleapis.com/oauth2/v3/certs"},
	{"google", "algorithms", "[RS256]"},
	{"google", "max_lifetime", "2h"},
	{"google", "id_tokens", "true"},

	{"google-iap", "issuer", "https://cloud.google.com/iap"},
	{"google-iap", "jwks_uri", "https://www.gstatic.com/iap/verify/public_key-jwk"},
	{"google-iap", "algorithms", "[ES256]"},
	{"google-iap", "max_lifetime", "1h"},

	{"cloudflare-access", "jwks_uri", ISSUER "/cdn-cgi/access/certs"},
	{"cloudflare-access", "algorithms", "[RS256]"},
	{"cloudflare-access", "client_id_claim", "[common_name]"},
	{"cloudflare-access", "require", "[{claim: type, equals: app}]"},
	{"cloudflare-access", "max_lifetime", "31d"},

	{"aws-alb", "algorithms", "[ES256]"},
	{"aws-alb", "padding", "true"},
	{"aws-alb", "header_claims", "[iss, exp, client, signer]"},
	{"aws-alb", "audience_claim", "[client]"},
	{"aws-alb", "client_id_claim", "[client]"},
	{"aws-alb", "max_lifetime", "0"},
	{"aws-alb", "max_token_size", "16KiB"},

	{"aws-sts", "algorithms", "[RS256, ES384]"},
	{"aws-sts", "max_lifetime", "1h"},
	{"aws-sts", "require",
		"[{claim: ['https://sts.amazonaws.com/', aws_account], exists: true}]"},

	{"eks", "algorithms", "[RS256]"},
	{"eks", "require", "[{claim: [kubernetes.io, serviceaccount, name], exists: true}]"},

	{"kubernetes", "issuer", "https://kubernetes.default.svc.cluster.local"},
	{"kubernetes", "jwks_uri", "https://kubernetes.default.svc/openid/v1/jwks"},
	{"kubernetes", "ca_file", "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"},
	{"kubernetes", "jwks_token_file", "/var/run/secrets/kubernetes.io/serviceaccount/token"},
	{"kubernetes", "algorithms", "[RS256]"},
	{"kubernetes", "require", "[{claim: [kubernetes.io, serviceaccount, name], exists: true}]"},

	{"github-actions", "issuer", "https://token.actions.githubusercontent.com"},
	{"github-actions", "jwks_uri",
		"https://token.actions.githubusercontent.com/.well-known/jwks"},
	{"github-actions", "algorithms", "[RS256]"},
	{"github-actions", "max_lifetime", "1h"},
	{"github-actions", "require", "[{claim: repository_id, exists: true}]"},

	{"spiffe", "algorithms", ASYMMETRIC},
	{"spiffe", "types", "[jwt, jose]"},
};

static const char *find(const char *profile, const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(PRESETS); i++)
		if (!strcmp(PRESETS[i].profile, profile) && !strcmp(PRESETS[i].key, key))
			return PRESETS[i].value;
	return NULL;
}

static const char *text_of(const struct base_doc *map, const char *key)
{
	const struct base_doc *value = base_doc_get(map, key);

	return value && value->kind == BASE_DOC_SCALAR ? value->text : NULL;
}

/* A key of which only one can be, and another one is written. */
static bool is_displaced(const struct base_doc *map, const char *key)
{
	static const char *const OTHERS[] = {"secret_file", "jwks_file", "pem_uri"};

	for (size_t i = 0; !strcmp(key, "jwks_uri") && i < ARRAY_SIZE(OTHERS); i++)
		if (base_doc_get(map, OTHERS[i]))
			return true;
	return false;
}

const char *conf_profile_preset(const struct base_doc *map, const char *key, char buf[CONF_PRESET])
{
	const char *profile = text_of(map, "profile");
	const char *value = profile ? find(profile, key) : NULL;
	const char *issuer;

	if (!value || is_displaced(map, key))
		return NULL;
	if (strncmp(value, ISSUER, strlen(ISSUER)) != 0)
		return value;
	issuer = text_of(map, "issuer");
	if (!issuer || strlen(issuer) + strlen(value) >= CONF_PRESET)
		return NULL;
	snprintf(buf, CONF_PRESET, "%s%s", issuer, value + strlen(ISSUER));
	return buf;
}
