#include "spoa/cert.h"

#include "token/bundle.h"
#include "token/json.h"
#include "token/mapping.h"

#include <openssl/sha.h>
#include <string.h>

struct spoa_certs {
	struct spoa_cert kept[SPOA_CERTS_KEPT]; /* by the first byte of the hash */
};
_Static_assert(SPOA_CERTS_KEPT == UINT8_MAX + 1, "one byte chooses");

struct spoa_certs *spoa_certs_new(void)
{
	return calloc(1, sizeof(struct spoa_certs));
}

void spoa_certs_free(struct spoa_certs *certs)
{
	for (size_t i = 0; certs && i < SPOA_CERTS_KEPT; i++)
		token_claims_done(&certs->kept[i].claims);
	free(certs);
}

/* Text, or a list of exactly one. */
static struct span single(const json_t *value)
{
	if (json_is_array(value) && json_array_size(value) == 1)
		value = json_array_get(value, 0);
	return token_json_text_of(value);
}

/*
 * Whom a certificate names: where the provider says so; an SVID's one URI;
 * else the subject, or the first kind of name of which there is just one.
 */
static struct span name_of(const struct token_provider *rules, const json_t *claims)
{
	static const char *const KINDS[] = {"subject", "uri", "dns", "email", "fingerprint"};
	struct span name = {0};

	if (rules->subject.n)
		return single(token_mapping_at(claims, &rules->subject));
	if (rules->trust_domain)
		return single(json_object_get(claims, "uri"));
	for (size_t i = 0; i < ARRAY_SIZE(KINDS) && !name.n; i++)
		name = single(json_object_get(claims, KINDS[i]));
	return name;
}

static struct span issuer_of(const struct token_provider *rules, const json_t *claims)
{
	if (rules->trust_domain)
		return span_of(rules->issuer);
	return token_json_text_of(json_object_get(claims, "issuer"));
}

static int set(json_t *claims, const char *name, struct span text)
{
	return json_object_set_new(claims, name, json_stringn(text.p ? text.p : "", text.n));
}

/* Takes claims, and completes them. */
static enum base_reason name_caller(const struct token_provider *rules, size_t provider,
	json_t *claims, int64_t until, struct token_claims *ret)
{
	cleanup(json) json_t *owned = claims;
	struct span name = name_of(rules, owned);

	if (!name.n)
		return BASE_REASON_CERT_NOT_ALLOWED;
	if (set(owned, "sub", name) || set(owned, "iss", issuer_of(rules, owned)))
		return BASE_REASON_INTERNAL;
	*ret = (struct token_claims){
		.claims = owned,
		.issuer = provider,
		.sub = token_json_text_of(json_object_get(owned, "sub")),
		.iss = token_json_text_of(json_object_get(owned, "iss")),
		.exp = until,
		.nbf = json_integer_value(json_object_get(owned, "nbf")),
	};
	(void)TAKE_PTR(owned);
	return BASE_REASON_OK;
}

/* The later in this list, the nearer it was to being good. */
static enum base_reason nearer(enum base_reason a, enum base_reason b)
{
	static const enum base_reason ORDER[] = {BASE_REASON_CERT_UNTRUSTED,
		BASE_REASON_CERT_EXPIRED, BASE_REASON_CERT_NOT_ALLOWED, BASE_REASON_CERT_MALFORMED,
		BASE_REASON_INTERNAL, BASE_REASON_OK};

	for (size_t i = ARRAY_SIZE(ORDER); i > 0; i--)
		if (a == ORDER[i - 1] || b == ORDER[i - 1])
			return ORDER[i - 1];
	return BASE_REASON_INTERNAL;
}

/* Who vouches for it? OK, and which provider, until when. */
static enum base_reason find_bundle(const struct spoa_config *config,
	const struct spoa_request *request, const json_t *claims, int64_t now_s,
	size_t *ret_provider, int64_t *ret_until)
{
	enum base_reason reason = BASE_REASON_CERT_UNTRUSTED;

	for (size_t i = 0; i < config->conf->n_providers; i++) {
		const struct token_bundle *bundle = config->providers[i].bundle;

		if (!bundle)
			continue;
		reason = nearer(
			reason, token_bundle_verify(bundle, request->cert, request->cert_chain,
					claims, config->rules[i].trust_domain, now_s, ret_until));
		*ret_provider = i;
		if (reason == BASE_REASON_OK || reason == BASE_REASON_INTERNAL)
			break;
	}
	return reason;
}

static enum base_reason judge(const struct spoa_config *config, const struct spoa_request *request,
	int64_t now_s, struct token_claims *ret_claims)
{
	cleanup(json) json_t *claims = NULL;
	enum base_reason reason = token_cert_parse(request->cert, &claims);
	size_t provider = 0;
	int64_t until = 0;

	if (reason == BASE_REASON_OK)
		reason = find_bundle(config, request, claims, now_s, &provider, &until);
	if (reason != BASE_REASON_OK)
		return reason;
	return name_caller(&config->rules[provider], provider, TAKE_PTR(claims), until, ret_claims);
}

static bool is_current(const struct spoa_cert *cert, const struct spoa_config *config,
	const unsigned char hash[32], int64_t now_s)
{
	return cert->claims.claims && cert->config == config->serial &&
	       !memcmp(cert->hash, hash, sizeof(cert->hash)) && now_s >= cert->claims.nbf &&
	       now_s < cert->claims.exp;
}

enum base_reason spoa_cert_judge(struct spoa_certs *certs, const struct spoa_config *config,
	const struct spoa_request *request, int64_t now_s, const struct spoa_cert **ret_cert)
{
	struct token_claims claims;
	unsigned char hash[32];
	struct spoa_cert *cert;
	enum base_reason reason;

	if (!request->cert.n)
		return BASE_REASON_CERT_MISSING;
	if (!request->cert_verified)
		return BASE_REASON_CERT_UNVERIFIED;
	SHA256((const unsigned char *)request->cert.p, request->cert.n, hash);
	cert = &certs->kept[hash[0]];
	if (!is_current(cert, config, hash, now_s)) {
		reason = judge(config, request, now_s, &claims);
		if (reason != BASE_REASON_OK)
			return reason;
		token_claims_done(&cert->claims);
		*cert = (struct spoa_cert){.config = config->serial, .claims = claims};
		memcpy(cert->hash, hash, sizeof(hash));
	}
	*ret_cert = cert;
	return BASE_REASON_OK;
}
