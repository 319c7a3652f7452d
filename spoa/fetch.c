#include "spoa/fetch.h"

#include "spoa/file.h"
#include "token/keyset.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TIMEOUT_MS    10000
#define DISCOVERY_MAX (64 * 1024)
#define PEM_MAX       (16 * 1024)
#define TOKEN_MAX     8192 /* a service account's is one or two thousand bytes */

/* What each step asks for. The type of a set: RFC 7517 8.5.2, Kubernetes insists on it. */
static const struct {
	const char *what;
	const char *accept;
	size_t max_bytes;
} STEPS[] = {
	[SPOA_FETCH_DISCOVERY] = {"discovery", "Accept: application/json", DISCOVERY_MAX},
	[SPOA_FETCH_SET] = {"key set", "Accept: application/jwk-set+json, application/json",
		TOKEN_KEYSET_MAX_BYTES},
	[SPOA_FETCH_PEM] = {"key", "Accept: application/x-pem-file, text/plain, */*", PEM_MAX},
};
_Static_assert(ARRAY_SIZE(STEPS) == SPOA_FETCH_PEM + 1, "a row for each");

bool spoa_fetch_is_kid(struct span kid)
{
	if (kid.n != SPOA_FETCH_KID)
		return false;
	for (size_t i = 0; i < kid.n; i++)
		if (!kid.p[i] || !strchr("0123456789abcdef-", kid.p[i]))
			return false;
	return true;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool same_texts(const struct conf_strings *a, const struct conf_strings *b)
{
	bool same = a->n == b->n;

	for (size_t i = 0; same && i < a->n; i++)
		same = same_text(a->items[i], b->items[i]);
	return same;
}

bool spoa_fetch_same(const struct conf_provider *a, const struct conf_provider *b)
{
	return same_text(a->name, b->name) && same_text(a->issuer, b->issuer) &&
	       same_text(a->jwks_uri, b->jwks_uri) && same_text(a->jwks_file, b->jwks_file) &&
	       same_text(a->pem_uri, b->pem_uri) &&
	       same_text(a->jwks_token_file, b->jwks_token_file) &&
	       same_text(a->ca_file, b->ca_file) && same_text(a->proxy, b->proxy) &&
	       same_texts(&a->networks, &b->networks) && a->allow_http == b->allow_http;
}

/* The Authorization line with what the token file holds now: it is renewed behind our back. */
static int bearer_line(const char *path, char ret_line[TOKEN_MAX + 32], char why[SPOA_FETCH_WHY])
{
	cleanup(free) char *token = NULL;
	int rc = spoa_file_word(path, TOKEN_MAX, &token);

	if (rc) {
		snprintf(why, SPOA_FETCH_WHY, "jwks_token_file %.120s: %s", path,
			rc == -EBADMSG ? "it holds no token" : strerror(-rc));
		return rc;
	}
	snprintf(ret_line, TOKEN_MAX + 32, "Authorization: Bearer %s", token);
	explicit_bzero(token, strlen(token));
	return 0;
}

static int send_request(struct spoa_fetch *fetch, char why[SPOA_FETCH_WHY])
{
	const struct conf_provider *p = fetch->provider;
	char bearer[TOKEN_MAX + 32] = "";
	char match[NET_ETAG_MAX + 32];
	const char *headers[3] = {STEPS[fetch->step].accept};
	struct net_request request = {
		.url = fetch->url,
		.ca_file = p->ca_file,
		.proxy = p->proxy,
		.networks = (const char *const *)p->networks.items,
		.n_networks = p->networks.n,
		.allow_http = p->allow_http,
		.headers = headers,
		.n_headers = 1,
		.max_bytes = STEPS[fetch->step].max_bytes,
		.timeout_ms = TIMEOUT_MS,
		.owner = fetch->owner,
	};
	int rc = p->jwks_token_file ? bearer_line(p->jwks_token_file, bearer, why) : 0;

	if (rc)
		return rc;
	if (*bearer)
		headers[request.n_headers++] = bearer;
	if (fetch->step == SPOA_FETCH_SET && *fetch->etag && !strcmp(fetch->url, fetch->etag_url)) {
		snprintf(match, sizeof(match), "If-None-Match: %s", fetch->etag);
		headers[request.n_headers++] = match;
	}
	rc = net_submit(fetch->net, &request);
	explicit_bzero(bearer, sizeof(bearer));
	if (rc)
		snprintf(why, SPOA_FETCH_WHY, "cannot ask for %.100s: %s", fetch->url,
			strerror(-rc));
	return rc;
}

static int first_url(struct spoa_fetch *fetch, const char *kid)
{
	const struct conf_provider *p = fetch->provider;
	int n;

	if (p->pem_uri) {
		fetch->step = SPOA_FETCH_PEM;
		snprintf(fetch->kid, sizeof(fetch->kid), "%s", kid);
		n = snprintf(fetch->url, sizeof(fetch->url), "%s%s", p->pem_uri, fetch->kid);
		return (size_t)n < sizeof(fetch->url) ? 0 : -ENAMETOOLONG;
	}
	fetch->step = p->jwks_uri ? SPOA_FETCH_SET : SPOA_FETCH_DISCOVERY;
	if (!p->jwks_uri)
		return token_discovery_url(p->issuer, fetch->url);
	snprintf(fetch->url, sizeof(fetch->url), "%s", p->jwks_uri);
	return 0;
}

int spoa_fetch_begin(struct spoa_fetch *fetch, const char *kid, char why[SPOA_FETCH_WHY])
{
	int rc = first_url(fetch, kid);

	if (rc) {
		snprintf(why, SPOA_FETCH_WHY, "the issuer is too long for a URL");
		return rc;
	}
	return send_request(fetch, why);
}

static const char *const DISCOVERY_ERRORS[] = {
	"the discovery document is not one (OIDC Discovery 4.2)",
	"the discovery document names another issuer (OIDC Discovery 4.3)",
	"jwks_uri is not an https URL on the issuer's host; set jwks_uri to allow it",
};

static enum spoa_fetch_result take_discovery(
	struct spoa_fetch *fetch, struct span json, char why[SPOA_FETCH_WHY])
{
	const struct conf_provider *p = fetch->provider;
	int rc = token_discovery_parse(json, p->issuer, p->allow_http, fetch->url);

	if (rc) {
		snprintf(why, SPOA_FETCH_WHY, "%s",
			DISCOVERY_ERRORS[rc == -EXDEV   ? 1
					 : rc == -EPERM ? 2
							: 0]);
		return SPOA_FETCH_FAILED;
	}
	fetch->step = SPOA_FETCH_SET;
	return send_request(fetch, why) ? SPOA_FETCH_FAILED : SPOA_FETCH_MORE;
}

/* A status other than 200. */
static enum spoa_fetch_result other_status(
	const struct spoa_fetch *fetch, long status, char why[SPOA_FETCH_WHY])
{
	bool asked_with_etag = *fetch->etag && !strcmp(fetch->url, fetch->etag_url);

	if (status == 304 && fetch->step == SPOA_FETCH_SET && asked_with_etag)
		return SPOA_FETCH_UNCHANGED;
	/* Object stores say 403 for what is not there. */
	if (fetch->step == SPOA_FETCH_PEM && (status == 404 || status == 403 || status == 410))
		return SPOA_FETCH_ABSENT;
	snprintf(why, SPOA_FETCH_WHY, "%s: HTTP status %ld", STEPS[fetch->step].what, status);
	return SPOA_FETCH_FAILED;
}

enum spoa_fetch_result spoa_fetch_answer(
	struct spoa_fetch *fetch, const struct net_answer *answer, char why[SPOA_FETCH_WHY])
{
	struct span body = {.p = answer->body, .n = answer->body_len};

	if (answer->error) {
		snprintf(why, SPOA_FETCH_WHY, "%s: %s", STEPS[fetch->step].what, answer->why);
		return SPOA_FETCH_FAILED;
	}
	if (answer->status != 200)
		return other_status(fetch, answer->status, why);
	if (fetch->step == SPOA_FETCH_DISCOVERY)
		return take_discovery(fetch, body, why);
	return SPOA_FETCH_GOT;
}

void spoa_fetch_took(struct spoa_fetch *fetch, const struct net_answer *answer)
{
	snprintf(fetch->etag, sizeof(fetch->etag), "%s", answer->etag);
	snprintf(fetch->etag_url, sizeof(fetch->etag_url), "%s", fetch->url);
}

int64_t spoa_fetch_lifetime(const struct spoa_fetch *fetch, const struct net_answer *answer)
{
	const struct conf_provider *p = fetch->provider;
	int64_t ms = (answer->max_age_s - answer->age_s) * 1000;

	if (answer->max_age_s < 0)
		return p->refresh;
	if (ms < p->refresh_min)
		return p->refresh_min;
	return ms > p->refresh_max ? p->refresh_max : ms;
}
