/* The part of the key table about proofs, revocations, challenges and assertions. */
#include "conf/keys_table.h"

static_assert(offsetof(struct conf_assertion, pos) == 0, "bind writes the position there");
static_assert(offsetof(struct conf_resource, pos) == 0, "bind writes the position there");

static const struct conf_key RESOURCE[] = {
	{"host", CONF_TEXT, AT(conf_resource, host), RANGE(1, 255), .reloadable = true,
		.example = "mcp.example.com",
		.help = "Host that was asked for, without a port; without it any."},
	{"service", CONF_TEXT, AT(conf_resource, service), RANGE(1, 128), .reloadable = true,
		.example = "be_mcp",
		.help = "The argument service that HAProxy sends; without it any."},
	{"metadata", CONF_TEXT, AT(conf_resource, metadata), RANGE(1, 512), .required = true,
		.reloadable = true,
		.example = "https://mcp.example.com/.well-known/oauth-protected-resource",
		.help = "URL of the protected resource metadata, where a client learns who issues "
			"tokens (RFC 9728)."},
	{"scope", CONF_TEXT, AT(conf_resource, scope), RANGE(1, 256), .reloadable = true,
		.example = "mcp:tools",
		.help = "Scope to ask for, which a caller is told when it has no token or lacks "
			"the role."},
};

static const struct conf_key ASSERTION[] = {
	{"issuer", CONF_TEXT, AT(conf, assertion.issuer), RANGE(1, 960), .reloadable = true,
		.example = "https://edge.example.com",
		.help = "Our own name as iss of every assertion; needed as soon as there is one."},
	{"key_lifetime", CONF_DURATION, AT(conf, assertion.key_lifetime), RANGE(10 * S, 366 * D),
		.fallback = "30d", .reloadable = true,
		.help = "How long one of our keys signs; the next is published a day before, or "
			"half of "
			"this."},
};

static const struct conf_key ASSERTIONS[] = {
	{"name", CONF_NAME, AT(conf_assertion, name), RANGE(1, NAME_MAX_BYTES), .required = true,
		.reloadable = true, .example = "api", .help = "Name of the assertion in roles."},
	{"audience", CONF_TEXT, AT(conf_assertion, audience), RANGE(1, 512), .required = true,
		.reloadable = true, .example = "https://api.internal",
		.help = "The backend that it is for, as aud."},
	{"ttl", CONF_DURATION, AT(conf_assertion, ttl), RANGE(10 * S, 1 * H), .fallback = "5m",
		.reloadable = true,
		.help = "Its lifetime, never beyond the caller's own token; one is used for half "
			"of "
			"it and then made anew."},
	{"algorithm", CONF_ENUM, AT(conf_assertion, algorithm),
		RANGE(CONF_ASSERTION_ES256, CONF_ASSERTION_HS256), .words = "ES256 EdDSA HS256",
		.fallback = "ES256", .reloadable = true,
		.help = "How it is signed: with a key of ours, or HS256 with secret_file."},
	{"secret_file", CONF_PATH, AT(conf_assertion, secret_file), RANGE(2, 1024),
		.reloadable = true, .example = "/etc/identityd/api.secret",
		.help = "Secret of at least 32 bytes that this backend shares with us; a final "
			"newline does not count."},
	{"claims", CONF_TEXTS, AT(conf_assertion, claims), RANGE(0, 32), .fallback = "[]",
		.reloadable = true,
		.help = "Claims of the caller's token that it carries on; each must be one of "
			"exports."},
	{"services", CONF_TEXTS, AT(conf_assertion, services), RANGE(0, 64), .fallback = "[]",
		.reloadable = true,
		.help = "Backends (the final route) whose requests get it when the role names no "
			"other."},
};

static const struct conf_key DPOP[] = {
	{"replay_entries", CONF_INT, AT(conf, dpop.replay_entries), RANGE(1024, 16 * COUNT),
		.fallback = "262144",
		.help = "DPoP proofs that are remembered so that none is used twice; 48 bytes "
			"each. When "
			"all are younger than dpop_max_age, further ones get an error."},
};

static const struct conf_key REVOCATION[] = {
	{"max_entries", CONF_INT, AT(conf, revocation.max_entries), RANGE(1, 10 * COUNT),
		.fallback = "100000",
		.help = "Revocations that are in force at once; past this a new one is refused, "
			"and the one "
			"who asked for it is told."},
};

static const struct conf_key CHALLENGE[] = {
	{"realm", CONF_TEXT, AT(conf, challenge.realm), RANGE(1, 64), .fallback = "identityd",
		.reloadable = true, .help = "Realm in the WWW-Authenticate header of a 401."},
	{"resources", CONF_SECTIONS, AT(conf, challenge.resources), RANGE(0, 256),
		.reloadable = true, .section = SECTIONS_OF(RESOURCE, conf_resource),
		.second = offsetof(struct conf, challenge.n_resources),
		.example = "[{host: mcp.example.com, ...}]",
		.help = "Where callers learn how to get a token; the first that fits the request "
			"counts."},
};

#define SECTION(table)                                                                             \
	{                                                                                          \
		table, ARRAY_SIZE(table), 0, NULL                                                  \
	}

const struct conf_section conf_keys_challenge = SECTION(CHALLENGE);
const struct conf_section conf_keys_assertion = SECTION(ASSERTION);
const struct conf_section conf_keys_assertions = {
	ASSERTIONS, ARRAY_SIZE(ASSERTIONS), sizeof(struct conf_assertion), NULL};
const struct conf_section conf_keys_dpop = SECTION(DPOP);
const struct conf_section conf_keys_revocation = SECTION(REVOCATION);
