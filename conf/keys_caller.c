/*
 * The rows of providers and roles: whose credentials are accepted, and who
 * their bearers are.
 */
#include "conf/conf.h"
#include "conf/profile.h"
#include "conf/table.h"

#include <assert.h>

#define S   INT64_C(1000)
#define H   (3600 * S)
#define D   (24 * 3600 * S)
#define KIB INT64_C(1024)

#define NAME_MAX_BYTES 63       /* a DNS label, a Kubernetes label value */
#define NUMBER_MAX     0xFFFFFF /* 24 bits: cilium pkg/identity/numericidentity.go */
#define LABELS_MAX     62       /* 64 in a set; namespace and cluster come on top */

static_assert(offsetof(struct conf_provider, pos) == 0, "bind writes the position there");
static_assert(offsetof(struct conf_condition, pos) == 0, "bind writes the position there");
static_assert(offsetof(struct conf_export, pos) == 0, "bind writes the position there");
static_assert(offsetof(struct conf_role, pos) == 0, "bind writes the position there");

#define PATH_MAX_SEGMENTS 8

static const struct conf_key CONDITION[] = {
	{"claim", CONF_TEXTS, AT(conf_condition, claim), RANGE(1, PATH_MAX_SEGMENTS),
		.reloadable = true, .example = "[realm_access, roles]",
		.help = "The claim to look at: its name, or the list of names that leads to it."},
	{"actor", CONF_TEXTS, AT(conf_condition, actor), RANGE(1, PATH_MAX_SEGMENTS),
		.reloadable = true, .example = "sub",
		.help = "The same in the outermost act: who acts for the token's subject."},
	{"cert", CONF_TEXTS, AT(conf_condition, cert), RANGE(1, 1), .reloadable = true,
		.words = "uri dns email ip subject issuer serial fingerprint", .example = "dns",
		.help = "What to look at in a client certificate that a provider with "
			"trust_bundle vouches for."},
	{"scope", CONF_TEXTS, AT(conf_condition, scope), RANGE(1, 64), .reloadable = true,
		.example = "[read, write]",
		.help = "Scopes that the token must have, all of them; stands alone."},
	{"source", CONF_TEXTS, AT(conf_condition, source), RANGE(1, 256), .reloadable = true,
		.example = "[10.0.0.0/8, '2001:db8::/32']",
		.help = "Networks of which one must have the caller's address; stands alone."},
	{"proxied", CONF_BOOL, AT(conf_condition, proxied), RANGE(0, 1), .needs = "source",
		.fallback = "false", .reloadable = true,
		.help = "Whether source believes an address that came in a PROXY header or the "
			"like."},
	{"workload", CONF_TEXTS, AT(conf_condition, workload), RANGE(1, 62), .reloadable = true,
		.example = "['k8s:app=cart']",
		.help = "Labels as source:key=value, all of which the workload at the caller's "
			"address must have (workloads); stands alone."},
	{"equals", CONF_TEXTS, AT(conf_condition, equals), RANGE(1, 1), .reloadable = true,
		.example = "admin", .help = "It is this text, or an array that holds it."},
	{"any", CONF_TEXTS, AT(conf_condition, any), RANGE(1, 256), .reloadable = true,
		.example = "[admin, root]",
		.help = "It is one of these texts, or an array that holds one of them."},
	{"all", CONF_TEXTS, AT(conf_condition, all), RANGE(1, 256), .reloadable = true,
		.example = "[read, write]", .help = "It holds all of these texts."},
	{"prefix", CONF_TEXTS, AT(conf_condition, prefix), RANGE(1, 256), .reloadable = true,
		.example = "'repo:example/'",
		.help = "It begins with one of these texts, or holds one that does."},
	{"glob", CONF_TEXTS, AT(conf_condition, glob), RANGE(1, 256), .reloadable = true,
		.example = "'team-*-admin'",
		.help = "It is like one of these patterns, or holds one that is: * is any run of "
			"characters, ? is one."},
	{"at_least", CONF_TEXT, AT(conf_condition, at_least), RANGE(1, 32), .reloadable = true,
		.example = "3", .help = "It is a number, and not below this one."},
	{"at_most", CONF_TEXT, AT(conf_condition, at_most), RANGE(1, 32), .reloadable = true,
		.example = "9.5", .help = "It is a number, and not above this one."},
	{"exists", CONF_BOOL, AT(conf_condition, exists), RANGE(1, 1), .reloadable = true,
		.example = "true", .help = "It is there and not null; only true is possible."},
};

static const struct conf_key EXPORT[] = {
	{"name", CONF_TEXT, AT(conf_export, name), RANGE(1, 40), .required = true,
		.reloadable = true, .example = "team",
		.help = "NAME in claim_NAME; letters, digits, '_' and '.' only."},
	{"claim", CONF_TEXTS, AT(conf_export, claim), RANGE(1, PATH_MAX_SEGMENTS), .required = true,
		.reloadable = true, .example = "['https://example.com/team']",
		.help = "The claim to hand on: its name, or the list of names that leads to it."},
};

static const struct conf_key INTROSPECTION[] = {
	{"url", CONF_TEXT, AT(conf_provider, introspection.url), RANGE(1, 1024), .reloadable = true,
		.example = "https://idp.example.com/introspect",
		.help = "Where this provider says what a token is worth (RFC 7662); without it it "
			"is not asked."},
	{"use", CONF_ENUM, AT(conf_provider, introspection.use),
		RANGE(CONF_INTROSPECT_OPAQUE, CONF_INTROSPECT_ALWAYS), .words = "opaque always",
		.fallback = "opaque", .reloadable = true,
		.help = "Which tokens it is asked about: opaque ones, or always, which means "
			"signed ones as well, after their signature."},
	{"prefix", CONF_TEXT, AT(conf_provider, introspection.prefix), RANGE(1, 64),
		.reloadable = true, .example = "corp_",
		.help = "What its opaque tokens begin with, where several providers have such "
			"tokens; a token goes to no other provider."},
	{"auth", CONF_ENUM, AT(conf_provider, introspection.auth),
		RANGE(CONF_AUTH_BASIC, CONF_AUTH_CERTIFICATE), .words = "basic post certificate",
		.fallback = "basic", .reloadable = true,
		.help = "How the agent says who it is: client_secret_basic, client_secret_post or "
			"a client certificate."},
	{"client_id", CONF_TEXT, AT(conf_provider, introspection.client_id), RANGE(1, 256),
		.reloadable = true, .example = "identityd",
		.help = "The agent's own client id at this provider."},
	{"client_secret_file", CONF_PATH, AT(conf_provider, introspection.client_secret_file),
		RANGE(2, 1024), .reloadable = true, .example = "/etc/identityd/corp.secret",
		.help = "File with the secret of that client; read anew for each request."},
	{"cert_file", CONF_PATH, AT(conf_provider, introspection.cert_file), RANGE(2, 1024),
		.reloadable = true, .example = "/etc/identityd/corp-client.pem",
		.help = "Client certificate that the agent shows there."},
	{"key_file", CONF_PATH, AT(conf_provider, introspection.key_file), RANGE(2, 1024),
		.reloadable = true, .example = "/etc/identityd/corp-client.key",
		.help = "Private key of that certificate."},
	{"ttl", CONF_DURATION, AT(conf_provider, introspection.ttl), RANGE(1 * S, 3600 * S),
		.fallback = "30s", .reloadable = true,
		.help = "How long its word that a token is active counts, at most until the token "
			"expires."},
	{"negative_ttl", CONF_DURATION, AT(conf_provider, introspection.negative_ttl),
		RANGE(S / 10, 60 * S), .fallback = "5s", .reloadable = true,
		.help = "How long its word that a token is not active counts."},
	{"audience_required", CONF_BOOL, AT(conf_provider, introspection.audience_required),
		RANGE(0, 1), .fallback = "true", .reloadable = true,
		.help = "Whether an answer without aud is refused."},
};

static const struct conf_key PROVIDER[] = {
	{"name", CONF_NAME, AT(conf_provider, name), RANGE(1, NAME_MAX_BYTES), .required = true,
		.reloadable = true, .example = "corp",
		.help = "Name of the provider in roles, logs and metrics."},
	{"profile", CONF_ENUM, AT(conf_provider, profile), RANGE(0, 31), .words = CONF_PROFILES,
		.fallback = "none", .reloadable = true,
		.help = "Presets for a well-known provider, of keys that are not written here; "
			"identityd --check --print shows them."},
	{"issuer", CONF_TEXT, AT(conf_provider, issuer), RANGE(1, 960), .reloadable = true,
		.example = "https://idp.example.com",
		.help = "Issuer URL, compared byte for byte with the token's iss; {tenantid} "
			"stands for the token's own tid."},
	{"issuer_aliases", CONF_TEXTS, AT(conf_provider, issuer_aliases), RANGE(0, 8),
		.fallback = "[]", .reloadable = true,
		.help = "Other texts that this provider has in iss."},
	{"tenants", CONF_TEXTS, AT(conf_provider, tenants), RANGE(0, 256), .fallback = "[]",
		.reloadable = true,
		.help = "Tenants that may stand for {tenantid}; an empty list means every one."},
	{"audiences", CONF_TEXTS, AT(conf_provider, audiences), RANGE(1, 32), .reloadable = true,
		.example = "[api, 'https://api.example.com']",
		.help = "Audiences of which the token's aud must name at least one."},
	{"algorithms", CONF_TEXTS, AT(conf_provider, algorithms), RANGE(1, 14),
		.words = "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519 "
			 "HS256 HS384 HS512",
		.fallback = "[RS256, ES256]", .reloadable = true,
		.help = "Signature algorithms that tokens of this provider may use."},
	{"types", CONF_TEXTS, AT(conf_provider, types), RANGE(0, 16), .fallback = "[at+jwt, jwt]",
		.reloadable = true,
		.help = "Accepted values of the token's typ header, whatever their case; an empty "
			"list accepts any."},
	{"type_required", CONF_BOOL, AT(conf_provider, type_required), RANGE(0, 1),
		.fallback = "false", .reloadable = true,
		.help = "Whether a token without a typ header is refused."},
	{"leeway", CONF_DURATION, AT(conf_provider, leeway), RANGE(0, 300 * S), .fallback = "30s",
		.reloadable = true,
		.help = "How far the clocks of provider and agent may differ, for exp, nbf and "
			"iat."},
	{"max_lifetime", CONF_DURATION, AT(conf_provider, max_lifetime), RANGE(0, 3660 * D),
		.fallback = "24h", .reloadable = true,
		.help = "Longest time from a token's iat to its exp; 0 means no limit."},
	{"max_token_size", CONF_SIZE, AT(conf_provider, max_token_size), RANGE(256, 16 * KIB),
		.fallback = "8KiB", .reloadable = true, .help = "Longest token that is looked at."},
	{"require", CONF_SECTIONS, AT(conf_provider, require), RANGE(0, 16), .reloadable = true,
		.section = SECTIONS_OF(CONDITION, conf_condition),
		.second = offsetof(struct conf_provider, n_require),
		.example = "[{claim: a, equals: b}]",
		.help = "Conditions on claims that every token must meet, written as those of a "
			"role."},
	{"subject_claim", CONF_TEXTS, AT(conf_provider, subject_claim), RANGE(1, PATH_MAX_SEGMENTS),
		.reloadable = true, .example = "email",
		.help = "Where the caller's name is; without it sub."},
	{"audience_claim", CONF_TEXTS, AT(conf_provider, audience_claim),
		RANGE(1, PATH_MAX_SEGMENTS), .reloadable = true, .example = "client",
		.help = "What is compared with audiences; without it aud."},
	{"client_id_claim", CONF_TEXTS, AT(conf_provider, client_id_claim),
		RANGE(1, PATH_MAX_SEGMENTS), .reloadable = true, .example = "common_name",
		.help = "Where the client is; without it the first of azp, client_id and cid."},
	{"scope_claim", CONF_TEXTS, AT(conf_provider, scope_claim), RANGE(1, PATH_MAX_SEGMENTS),
		.reloadable = true, .example = "permissions",
		.help = "Where the scopes are, as a list or as text with blanks; without it scope, "
			"else scp."},
	{"exports", CONF_SECTIONS, AT(conf_provider, exports), RANGE(0, 32), .reloadable = true,
		.section = SECTIONS_OF(EXPORT, conf_export),
		.second = offsetof(struct conf_provider, n_exports),
		.example = "[{name: team, claim: [a, b]}]",
		.help = "Claims of this provider that HAProxy gets as variables claim_NAME."},
	{"padding", CONF_BOOL, AT(conf_provider, padding), RANGE(0, 1), .fallback = "false",
		.reloadable = true,
		.help = "Whether the parts of tokens are base64url with padding, signed as they "
			"are."},
	{"header_claims", CONF_TEXTS, AT(conf_provider, header_claims), RANGE(0, 16),
		.fallback = "[]", .reloadable = true,
		.help = "Members of the token's header that count as claims."},
	{"trust_domain", CONF_TEXT, AT(conf_provider, trust_domain), RANGE(1, 255),
		.reloadable = true, .example = "example.org",
		.help = "SPIFFE trust domain that every caller must be in; tokens and certificates "
			"are SVIDs then."},
	{"trust_bundle", CONF_PATH, AT(conf_provider, trust_bundle), RANGE(2, 1024),
		.reloadable = true, .example = "/etc/identityd/corp-clients.pem",
		.help = "Certificates that may vouch for a client certificate; with it a "
			"certificate alone is a credential."},
	{"secret_file", CONF_PATH, AT(conf_provider, secret_file), RANGE(2, 1024),
		.reloadable = true, .example = "/etc/identityd/corp.secret",
		.help = "Secret shared with the provider, for HS256 and its like; nobody else may "
			"read the file."},
	{"jwks_file", CONF_PATH, AT(conf_provider, jwks_file), RANGE(2, 1024), .reloadable = true,
		.example = "/etc/identityd/corp.jwks",
		.help = "File with the provider's keys; without it they come from jwks_uri."},
	{"jwks_uri", CONF_TEXT, AT(conf_provider, jwks_uri), RANGE(1, 1024), .reloadable = true,
		.example = "https://idp.example.com/keys",
		.help = "URL of the provider's keys; without it discovery at the issuer finds "
			"them."},
	{"pem_uri", CONF_TEXT, AT(conf_provider, pem_uri), RANGE(1, 900), .reloadable = true,
		.example = "https://public-keys.auth.elb.eu-west-1.amazonaws.com/",
		.help = "URL behind which the token's key id names a PEM file, for providers that "
			"have no key set."},
	{"jwks_token_file", CONF_PATH, AT(conf_provider, jwks_token_file), RANGE(2, 1024),
		.reloadable = true,
		.example = "/var/run/secrets/kubernetes.io/serviceaccount/token",
		.help = "File with the bearer token that the provider wants to see before it shows "
			"its keys; read anew for each fetch."},
	{"allow_http", CONF_BOOL, AT(conf_provider, allow_http), RANGE(0, 1), .fallback = "false",
		.reloadable = true,
		.help = "Whether plain http is good enough for this provider; anybody on the way "
			"can then forge its keys. To this machine itself it always is."},
	{"networks", CONF_TEXTS, AT(conf_provider, networks), RANGE(0, 32), .fallback = "[]",
		.reloadable = true,
		.help = "Networks in which this provider's servers may be besides public "
			"addresses, as 10.0.0.0/8; an address that is written in a URL needs "
			"none."},
	{"proxy", CONF_TEXT, AT(conf_provider, proxy), RANGE(1, 256), .reloadable = true,
		.example = "http://proxy.example.com:3128",
		.help = "HTTP proxy through which this provider is reached; none is taken from the "
			"environment."},
	{"ca_file", CONF_PATH, AT(conf_provider, ca_file), RANGE(2, 1024), .reloadable = true,
		.example = "/etc/identityd/corp-ca.pem",
		.help = "Certificates that may sign the provider's own; without it the system's."},
	{"refresh", CONF_DURATION, AT(conf_provider, refresh), RANGE(1 * S, 7 * D),
		.fallback = "10m", .reloadable = true,
		.help = "How long fetched keys are used before they are fetched again, where the "
			"provider says nothing about it."},
	{"refresh_min", CONF_DURATION, AT(conf_provider, refresh_min), RANGE(1 * S, 7 * D),
		.fallback = "1m", .reloadable = true,
		.help = "Shortest time that the provider can ask for with Cache-Control."},
	{"refresh_max", CONF_DURATION, AT(conf_provider, refresh_max), RANGE(1 * S, 7 * D),
		.fallback = "1h", .reloadable = true,
		.help = "Longest time that the provider can ask for with Cache-Control."},
	{"keep", CONF_DURATION, AT(conf_provider, keep), RANGE(1 * S, 30 * D), .fallback = "24h",
		.reloadable = true,
		.help = "How long fetched keys are trusted while the provider cannot be reached, "
			"also over a restart; then its tokens are answered 503."},
	{"dpop", CONF_ENUM, AT(conf_provider, dpop), RANGE(CONF_DPOP_OFF, CONF_DPOP_REQUIRED),
		.words = "off optional required", .fallback = "optional", .reloadable = true,
		.help = "Whether tokens may or must be bound to a key and come with a DPoP proof "
			"(RFC 9449); off refuses those that are."},
	{"dpop_max_age", CONF_DURATION, AT(conf_provider, dpop_max_age), RANGE(5 * S, 1 * H),
		.fallback = "60s", .reloadable = true,
		.help = "Oldest DPoP proof that is accepted, by its iat."},
	{"dpop_nonce", CONF_BOOL, AT(conf_provider, dpop_nonce), RANGE(0, 1), .fallback = "false",
		.reloadable = true,
		.help = "Whether a DPoP proof must carry a nonce that we gave out in the last "
			"minutes."},
	{"certificate_required", CONF_BOOL, AT(conf_provider, certificate_required), RANGE(0, 1),
		.fallback = "false", .reloadable = true,
		.help = "Whether every token must be bound to the client's certificate (RFC 8705); "
			"one that is bound is checked in any case."},
	{"id_tokens", CONF_BOOL, AT(conf_provider, id_tokens), RANGE(0, 1), .fallback = "false",
		.reloadable = true,
		.help = "Whether ID tokens are accepted, too: those with at_hash, c_hash or nonce "
			"whose typ is not at+jwt."},
	{"logout_subject", CONF_BOOL, AT(conf_provider, logout_subject), RANGE(0, 1),
		.fallback = "false", .reloadable = true,
		.help = "Whether a logout of one session ends all tokens of the subject: for "
			"providers whose access tokens carry no sid."},
	{"logout_audiences", CONF_TEXTS, AT(conf_provider, logout_audiences), RANGE(0, 32),
		.fallback = "[]", .reloadable = true,
		.help = "Client ids for which back-channel logout is accepted: one of them must be "
			"the logout token's aud; an empty list accepts none."},
	{"introspection", CONF_SECTION, .reloadable = true, .section = SECTION_OF(INTROSPECTION),
		.help = "Tokens that only the provider can read."},
};

static const struct conf_key ROLE[] = {
	{"name", CONF_NAME, AT(conf_role, name), RANGE(1, NAME_MAX_BYTES), .required = true,
		.reloadable = true, .example = "admin",
		.help = "Name of the role in variables, logs and metrics."},
	{"provider", CONF_NAME, AT(conf_role, provider), RANGE(1, NAME_MAX_BYTES),
		.reloadable = true, .example = "corp",
		.help = "Name of the provider whose tokens can have this role; without it any."},
	{"when", CONF_SECTIONS, AT(conf_role, when), RANGE(0, 32), .reloadable = true,
		.section = SECTIONS_OF(CONDITION, conf_condition),
		.second = offsetof(struct conf_role, n_when), .example = "[{claim: a, equals: b}]",
		.help = "Conditions that must all hold; without any the role always fits."},
	{"labels", CONF_TEXTS, AT(conf_role, labels), RANGE(1, LABELS_MAX), .required = true,
		.reloadable = true, .pos = offsetof(struct conf_role, labels_pos),
		.example = "[role=admin, k8s:app=edge]",
		.help = "Labels of the identity as source:key=value, where the source is k8s when "
			"left out; namespace and cluster are added. A value may have a place for a "
			"claim, as team={claims.team}: docs/IDENTITY.md."},
	{"number", CONF_INT, AT(conf_role, number), RANGE(128, NUMBER_MAX), .reloadable = true,
		.pos = offsetof(struct conf_role, number_pos), .example = "200",
		.help = "Fixed number of the identity, from 128 to 255 or from 256 to 16777215; "
			"without it one is allocated."},
	{"number_from", CONF_ENUM, AT(conf_role, number_from),
		RANGE(CONF_NUMBER_FIXED, CONF_NUMBER_ETCD), .words = "fixed crd etcd",
		.fallback = "fixed", .reloadable = true, .needs = "number",
		.help = "Whose number it is: fixed is ours alone and never a packet mark; crd or "
			"etcd says that a CiliumIdentity or Cilium's etcd has this number with "
			"exactly these labels, so that it may be one."},
	{"srcaddr", CONF_TEXTS, AT(conf_role, srcaddr), RANGE(1, 2), .reloadable = true,
		.example = "[192.0.2.10, '2001:db8::10']",
		.help = "Addresses of this machine, at most one of each family, from which HAProxy "
			"is to reach the backend for these callers; no two identities share one."},
	{"max_identities", CONF_INT, AT(conf_role, max_identities), RANGE(1, 65536),
		.fallback = "256", .reloadable = true,
		.help = "How many identities the role may have at a time, where its labels "
			"depend on the caller; another one is answered 503 (identity_limit)."},
	{"route", CONF_TEXT, AT(conf_role, route), RANGE(1, 128), .reloadable = true,
		.example = "be_admin",
		.help = "HAProxy backend for these callers; without it the asked one stands."},
	{"assertion", CONF_NAME, AT(conf_role, assertion), RANGE(1, NAME_MAX_BYTES),
		.reloadable = true, .example = "api",
		.help = "Assertion that requests in this role get, whatever the backend."},
	{"require_binding", CONF_BOOL, AT(conf_role, require_binding), RANGE(0, 1),
		.fallback = "false", .reloadable = true,
		.help = "Whether the verdict is an error when the kernel does not know the "
			"connection."},
	{"kill_on_expiry", CONF_BOOL, AT(conf_role, kill_on_expiry), RANGE(0, 1),
		.fallback = "false", .reloadable = true,
		.help = "Whether the whole connection ends when the token expires."},
};

const struct conf_section conf_table_provider = {
	PROVIDER, ARRAY_SIZE(PROVIDER), sizeof(struct conf_provider), conf_profile_preset};
const struct conf_section conf_table_role = {
	ROLE, ARRAY_SIZE(ROLE), sizeof(struct conf_role), NULL};
