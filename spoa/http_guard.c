#include "spoa/http_guard.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <microhttpd.h>
#include <openssl/crypto.h>
#include <string.h>
#include <strings.h>

bool spoa_http_guard_host(const struct spoa_http_guard *guard, const char *value)
{
	/* A literal IPv6 address stands in brackets, and has colons of its own (RFC 9110 7.2). */
	const char *end = *value == '[' ? strchr(value, ']') : value + strcspn(value, ":");
	size_t n;

	if (!end)
		return false;
	if (*value == '[')
		value++;
	n = (size_t)(end - value);
	for (size_t i = 0; i < guard->n_hosts; i++)
		if (strlen(guard->hosts[i]) == n && !strncasecmp(guard->hosts[i], value, n))
			return true;
	return false;
}

static bool is_token(struct span token, const char *sent)
{
	return token.n && strlen(sent) == token.n && !CRYPTO_memcmp(sent, token.p, token.n);
}

bool spoa_http_guard_token(const struct spoa_http_guard *guard, const char *value, bool reading)
{
	static const char SCHEME[] = "Bearer ";
	const char *sent = value + sizeof(SCHEME) - 1;

	if (strncasecmp(value, SCHEME, sizeof(SCHEME) - 1))
		return false;
	return is_token(guard->token, sent) || (reading && is_token(guard->read_token, sent));
}

static bool has_certificate(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	gnutls_typed_vdata_st purpose = {
		.type = GNUTLS_DT_KEY_PURPOSE_OID, .data = (void *)GNUTLS_KP_TLS_WWW_CLIENT};
	unsigned status = 1;

	if (!info || !info->tls_session)
		return false;
	return !gnutls_certificate_verify_peers(
		       (gnutls_session_t)info->tls_session, &purpose, 1, &status) &&
	       !status;
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static bool may_ask(
	const struct spoa_http_guard *guard, struct MHD_Connection *connection, bool reading)
{
	const char *token = header(connection, MHD_HTTP_HEADER_AUTHORIZATION);

	return (token && spoa_http_guard_token(guard, token, reading)) ||
	       (guard->certificate && has_certificate(connection));
}

/* A form of a page can send three types without being asked (Fetch, CORS-safelisted). */
static bool is_json(struct MHD_Connection *connection)
{
	static const char JSON[] = "application/json";
	const char *type = header(connection, MHD_HTTP_HEADER_CONTENT_TYPE);

	return type && !strncasecmp(type, JSON, sizeof(JSON) - 1) &&
	       strchr("; ", type[sizeof(JSON) - 1]);
}

unsigned spoa_http_guard_check(const struct spoa_http_guard *guard,
	struct MHD_Connection *connection, const char *method, bool reading, const char **ret_why)
{
	const char *host = header(connection, MHD_HTTP_HEADER_HOST);

	*ret_why = "not under this name: admin.hosts\n";
	if (!host || !spoa_http_guard_host(guard, host))
		return MHD_HTTP_MISDIRECTED_REQUEST;
	*ret_why = "not for pages in a browser\n";
	if (header(connection, MHD_HTTP_HEADER_ORIGIN) || header(connection, "Sec-Fetch-Site"))
		return MHD_HTTP_FORBIDDEN;
	*ret_why = "who are you? A client certificate or a bearer token is needed\n";
	if (!may_ask(guard, connection, reading))
		return MHD_HTTP_UNAUTHORIZED;
	*ret_why = "application/json is needed\n";
	if (!strcmp(method, MHD_HTTP_METHOD_POST) && !is_json(connection))
		return MHD_HTTP_UNSUPPORTED_MEDIA_TYPE;
	return 0;
}
