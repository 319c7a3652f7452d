#include "spoa/explain.h"

#include "spoa/explain_answer.h"
#include "spoa/explain_workload.h"
#include "token/json.h"
#include "token/mapping.h"
#include "token/x509.h"

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <string.h>

static json_t *wrong(const char *text)
{
	return json_pack("{s:s}", "error", text);
}

static struct span text_in(const json_t *question, const char *name)
{
	return token_json_text_of(json_object_get(question, name));
}

/* PEM to DER (OPENSSL_free); NULL when it is no certificate. */
static unsigned char *der_of(struct span pem, int *ret_n)
{
	static char no_passphrase[] = "";
	cleanup(x509_bio) BIO *bio = pem.n ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;
	cleanup(x509) X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, no_passphrase) : NULL;
	unsigned char *der = NULL;

	*ret_n = cert ? i2d_X509(cert, &der) : -1;
	return *ret_n > 0 ? der : NULL;
}

static enum base_reason judge(struct spoa_asked *a)
{
	int n;
	unsigned char *der = der_of(text_in(a->question, "cert"), &n);
	const struct spoa_request request = {
		.cert = {(const char *)der, der ? (size_t)n : 0}, .cert_verified = true};
	enum base_reason reason = BASE_REASON_CERT_MALFORMED;

	if (der)
		reason = spoa_cert_judge(a->certs, a->snapshot->config, &request,
			base_clock_wall_s(a->now), &a->cert);
	OPENSSL_free(der);
	if (reason == BASE_REASON_OK)
		a->request.cert = a->cert->claims.claims;
	return reason;
}

static enum base_reason verify(struct spoa_asked *a, struct span token)
{
	cleanup(token_ctx) struct token_ctx *ctx = token_ctx_new();
	enum base_reason reason = BASE_REASON_INTERNAL;

	if (ctx)
		reason = token_verify(ctx, a->snapshot->issuers, a->snapshot->n_issuers, token,
			base_clock_wall_s(a->now), &a->claims, NULL);
	a->known = reason == BASE_REASON_OK;
	return reason;
}

static int find_provider(const struct spoa_config *config, struct span name, size_t *ret_i)
{
	for (size_t i = 0; i < config->conf->n_providers; i++)
		if (span_is(name, config->rules[i].name)) {
			*ret_i = i;
			return 0;
		}
	return -1;
}

/* Claims as if a token of this provider had them. */
static enum base_reason take_claims(struct spoa_asked *a, const json_t *claims, size_t provider)
{
	cleanup(free) char *text = json_dumps(claims, JSON_COMPACT);
	struct token_payload payload = {0};
	enum base_reason reason = BASE_REASON_INTERNAL;

	if (text)
		reason = token_claims_parse(span_of(text), &payload);
	if (reason == BASE_REASON_OK)
		reason = token_mapping_apply(&payload, &a->snapshot->config->rules[provider]);
	a->claims = payload.claims;
	a->claims.issuer = provider;
	a->known = reason == BASE_REASON_OK;
	return reason;
}

/* The caller's address; false when the text is none. */
static bool take_source(struct spoa_asked *a)
{
	const char *text = json_string_value(json_object_get(a->question, "source"));
	uint8_t bytes[16];
	bool v6 = text && strchr(text, ':');

	a->request.proxied = json_is_true(json_object_get(a->question, "proxied"));
	if (!text)
		return true;
	if (inet_pton(v6 ? AF_INET6 : AF_INET, text, bytes) != 1)
		return false;
	base_cidr_address(bytes, v6 ? 16 : 4, a->request.address);
	a->request.has_address = true;
	return true;
}

static json_t *answer_claims(struct spoa_asked *a, const json_t *claims)
{
	size_t provider;

	if (!json_is_object(claims))
		return wrong("claims is not an object");
	if (find_provider(a->snapshot->config, text_in(a->question, "provider"), &provider))
		return wrong("there is no provider of that name");
	return spoa_explain_answer(a, take_claims(a, claims, provider));
}

static json_t *answer_cert(struct spoa_asked *a, enum base_reason reason)
{
	if (reason != BASE_REASON_OK)
		return spoa_explain_answer(a, reason);
	a->claims = a->cert->claims;
	a->known = true;
	return spoa_explain_answer(a, reason);
}

/* Without a credential: who is known to be there. */
static json_t *answer_address(struct spoa_asked *a)
{
	const struct spoa_config *config = a->snapshot->config;

	a->claims.issuer = config->conf->n_providers;
	if (a->workload.where == SPOA_WHERE_UNAVAILABLE && config->takes_workloads)
		return spoa_explain_answer(a, BASE_REASON_WORKLOAD_UNAVAILABLE);
	a->known = a->workload.where == SPOA_WHERE_KNOWN && config->takes_workloads;
	return spoa_explain_answer(a, a->known ? BASE_REASON_OK : BASE_REASON_NO_TOKEN);
}

static json_t *ask(struct spoa_asked *a)
{
	const json_t *claims = json_object_get(a->question, "claims");
	struct span token = text_in(a->question, "token");
	bool has_cert = json_object_get(a->question, "cert");
	enum base_reason cert = BASE_REASON_CERT_MISSING;

	const char *why;

	if (!take_source(a))
		return wrong("source is no address");
	why = spoa_explain_workload(a->snapshot, a->question, &a->request, &a->workload);
	if (why)
		return wrong(why);
	a->request.workload = a->workload.labels;
	if (has_cert)
		cert = judge(a);
	if (claims && token.n)
		return wrong("either token or claims");
	if (token.n || claims)
		a->cert = NULL; /* only a condition looks at it */
	if (token.n)
		return spoa_explain_answer(a, verify(a, token));
	if (claims)
		return answer_claims(a, claims);
	if (has_cert)
		return answer_cert(a, cert);
	return a->request.has_address || a->workload.where == SPOA_WHERE_KNOWN
		       ? answer_address(a)
		       : wrong("token, claims, cert, source or workload is needed");
}

json_t *spoa_explain(
	const struct spoa_snapshot *snapshot, const json_t *question, const struct base_now *now)
{
	struct spoa_asked a = {.snapshot = snapshot, .question = question, .now = now};
	json_t *answer;

	if (!json_is_object(question))
		return wrong("the question is not a JSON object");
	a.certs = spoa_certs_new();
	if (!a.certs)
		return NULL;
	answer = ask(&a);
	if (!a.cert) /* otherwise they are the certificate's */
		token_claims_done(&a.claims);
	spoa_certs_free(a.certs);
	return answer;
}
