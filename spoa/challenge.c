#include "spoa/challenge.h"

#include "base/wr.h"

#include <strings.h>

/* RFC 9449 5.1: every asymmetric algorithm of token/alg.h. */
#define ALGS "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519"

/* Without its port; an address in brackets keeps its colons. */
static struct span host_of(struct span authority)
{
	const char *end =
		authority.n && authority.p[0] == '[' ? memchr(authority.p, ']', authority.n) : NULL;
	size_t from = end ? (size_t)(end - authority.p) : 0;
	const char *colon = memchr(authority.p + from, ':', authority.n - from);

	return (struct span){
		.p = authority.p, .n = colon ? (size_t)(colon - authority.p) : authority.n};
}

static bool fits_host(const char *wanted, struct span host)
{
	return !wanted || (strlen(wanted) == host.n && !strncasecmp(wanted, host.p, host.n));
}

const struct conf_resource *spoa_challenge_resource(
	const struct conf *conf, const struct spoa_request *request)
{
	struct span host = request->host.n ? host_of(request->host) : (struct span){0};

	for (size_t i = 0; i < conf->challenge.n_resources; i++) {
		const struct conf_resource *resource = &conf->challenge.resources[i];

		if (fits_host(resource->host, host) &&
			(!resource->service || span_is(request->service, resource->service)))
			return resource;
	}
	return NULL;
}

/*
 * The error code, or NULL: without a credential, or with one of a scheme that
 * nobody here knows, there is none (RFC 6750 3.1).
 */
static const char *error_of(enum base_reason reason)
{
	switch (reason) {
	case BASE_REASON_NO_TOKEN:
	case BASE_REASON_SCHEME_UNSUPPORTED:
		return NULL;
	case BASE_REASON_DPOP_NONCE:
		return "use_dpop_nonce";
	case BASE_REASON_DPOP_MISSING:
	case BASE_REASON_DPOP_INVALID:
	case BASE_REASON_DPOP_REPLAYED:
		return "invalid_dpop_proof";
	default:
		return base_reason_status(reason) == 403 ? "insufficient_scope" : "invalid_token";
	}
}

static void put(struct wr *w, const char *text)
{
	wr_bytes(w, text, strlen(text));
}

/* Nothing that comes here holds quotes, backslashes or control bytes. */
static void put_parameter(struct wr *w, const char *name, const char *value)
{
	put(w, ", ");
	put(w, name);
	put(w, "=\"");
	put(w, value);
	put(w, "\"");
}

/* What a caller can do about it: ask for a scope when it has none that helps. */
static bool tells_scope(enum base_reason reason)
{
	return reason == BASE_REASON_NO_TOKEN || base_reason_status(reason) == 403;
}

static void put_challenge(struct wr *w, const char *scheme, const struct conf *conf,
	const struct spoa_decision *decision)
{
	const struct conf_resource *resource = decision->resource;
	const char *error = error_of(decision->reason);

	put(w, scheme);
	put(w, " realm=\"");
	put(w, conf->challenge.realm);
	put(w, "\"");
	if (error)
		put_parameter(w, "error", error);
	if (error)
		put_parameter(w, "error_description", base_reason_help(decision->reason));
	if (resource)
		put_parameter(w, "resource_metadata", resource->metadata);
	if (resource && resource->scope && tells_scope(decision->reason))
		put_parameter(w, "scope", resource->scope);
	if (scheme[0] == 'D')
		put_parameter(w, "algs", ALGS);
}

/* Of the caller's provider; while nobody knows it, of any. */
static bool some_provider(
	const struct conf *conf, const struct spoa_decision *decision, bool required)
{
	if (decision->caller && !decision->caller->workload)
		return (conf->providers[decision->caller->provider].dpop == CONF_DPOP_REQUIRED) ==
		       required;
	for (size_t i = 0; i < conf->n_providers; i++)
		if ((conf->providers[i].dpop == CONF_DPOP_REQUIRED) == required)
			return true;
	return false;
}

struct span spoa_challenge(
	const struct conf *conf, const struct spoa_decision *decision, char buf[SPOA_CHALLENGE_MAX])
{
	struct wr w = wr_of(buf, SPOA_CHALLENGE_MAX);
	/* Who uses DPoP is answered in its terms; the others hear of it where they must. */
	bool dpop = decision->dpop || some_provider(conf, decision, true);
	bool bearer = !decision->dpop && some_provider(conf, decision, false);

	if (decision->verdict != SPOA_DENY)
		return (struct span){0};
	if (bearer)
		put_challenge(&w, "Bearer", conf, decision);
	if (bearer && dpop)
		put(&w, ", ");
	if (dpop)
		put_challenge(&w, "DPoP", conf, decision);
	return (struct span){.p = buf, .n = w.bad ? 0 : wr_len(&w)};
}
