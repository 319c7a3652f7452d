#include "audit/http.h"

#include "base/json.h"
#include "base/mem.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

/* Host without userinfo (RFC 3986 3.2.1), path, and the query or that there was one. */
void audit_http_url(struct wr *w, const struct audit_entry *entry, const struct audit_style *style)
{
	struct span host = entry->text[AUDIT_TEXT_HOST];
	const char *at = host.n ? memrchr(host.p, '@', host.n) : NULL;

	base_json_text_piece(w, entry->https ? SPAN("https://") : SPAN("http://"), SIZE_MAX);
	if (at) {
		base_json_text_piece(w, SPAN(AUDIT_REDACTED "@"), SIZE_MAX);
		host.n -= (size_t)(at + 1 - host.p);
		host.p = at + 1;
	}
	base_json_text_piece(w, host, AUDIT_HOST_MAX);
	base_json_text_piece(w, entry->text[AUDIT_TEXT_PATH], AUDIT_PATH_MAX);
	if (!entry->text[AUDIT_TEXT_QUERY].n)
		return;
	base_json_text_piece(w, SPAN("?"), SIZE_MAX);
	base_json_text_piece(w,
		style->keep_query ? entry->text[AUDIT_TEXT_QUERY] : SPAN(AUDIT_REDACTED),
		AUDIT_QUERY_MAX);
}

/* HAProxy says "1.1" and "2.0", Cilium HTTP/1.1 and HTTP/2. */
static struct span http_version(struct span proto)
{
	if (proto.n == 3 && proto.p[0] >= '2' && !memcmp(proto.p + 1, ".0", 2))
		proto.n = 1;
	return proto;
}

void audit_http_protocol(struct wr *w, const struct audit_entry *entry)
{
	base_json_text_piece(w, SPAN("HTTP/"), SIZE_MAX);
	base_json_text_piece(w, http_version(entry->text[AUDIT_TEXT_PROTO]), 8);
}

static void put_header(struct wr *w, struct span name, struct span value)
{
	base_json_object(w, NULL);
	base_json_text(w, "key", name, AUDIT_VALUE_MAX);
	base_json_text(w, "value", value, AUDIT_VALUE_MAX);
	base_json_end_object(w);
}

/* The text up to the next NUL, which goes with it; what was cut has none and is left out. */
static bool next_piece(struct span *rest, struct span *ret)
{
	const char *end = rest->n ? memchr(rest->p, '\0', rest->n) : NULL;

	if (!end)
		return false;
	*ret = (struct span){.p = rest->p, .n = (size_t)(end - rest->p)};
	rest->n -= ret->n + 1;
	rest->p = end + 1;
	return true;
}

static void put_request_headers(struct wr *w, struct span rest)
{
	size_t left = AUDIT_HEADERS_BYTES;
	struct span name, value;

	for (int i = 0;
		i < AUDIT_HEADERS_MAX && next_piece(&rest, &name) && next_piece(&rest, &value);
		i++) {
		if (value.n > AUDIT_VALUE_MAX)
			value.n = AUDIT_VALUE_MAX;
		if (name.n > AUDIT_VALUE_MAX || name.n + value.n > left)
			return;
		left -= name.n + value.n;
		put_header(w, name, value);
	}
}

/* 128 bits of HMAC-SHA-256: the same person has the same word, and nobody can guess it back. */
static struct span pseudonym(
	struct span text, const struct audit_style *style, char ret_hex[2 * 16 + 1])
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (!style->sub_key)
		return text;
	if (!HMAC(EVP_sha256(), style->sub_key, (int)style->sub_key_bytes,
		    (const unsigned char *)text.p, text.n, hash, &n))
		return SPAN(AUDIT_REDACTED);
	for (size_t i = 0; i < 16; i++)
		snprintf(ret_hex + 2 * i, 3, "%02x", hash[i]);
	return (struct span){.p = ret_hex, .n = 32};
}

/* What Hubble has no field for; in the order of their names, as Cilium sorts headers. */
static const struct {
	const char *name;
	enum audit_text text;
	bool personal;
} HEADERS[] = {
	{"X-Identityd-Actor", AUDIT_TEXT_ACTOR, true},
	{"X-Identityd-Client-Id", AUDIT_TEXT_CLIENT_ID, false},
	{"X-Identityd-Iss", AUDIT_TEXT_ISS, false},
	{"X-Identityd-Policy", AUDIT_TEXT_POLICY, false},
	{"X-Identityd-Provider", AUDIT_TEXT_PROVIDER, false},
	{"X-Identityd-Reason", AUDIT_TEXT_REASON, false},
	{"X-Identityd-Role", AUDIT_TEXT_ROLE, false},
	{"X-Identityd-Route", AUDIT_TEXT_ROUTE, false},
	{"X-Identityd-Service", AUDIT_TEXT_SERVICE, false},
	{"X-Identityd-Sub", AUDIT_TEXT_SUB, true},
	{"X-Identityd-Token-Workload", AUDIT_TEXT_TOKEN_WORKLOAD, false},
	{"X-Identityd-Workload", AUDIT_TEXT_WORKLOAD, false},
	{"X-Request-Id", AUDIT_TEXT_REQID, false},
};

void audit_http_put(struct wr *w, const struct audit_entry *entry, const struct audit_style *style)
{
	base_json_object(w, "l7");
	base_json_str(w, "type", "REQUEST");
	base_json_object(w, "http");
	base_json_text(w, "method", entry->text[AUDIT_TEXT_METHOD], AUDIT_VALUE_MAX);
	base_json_text_begin(w, "url");
	audit_http_url(w, entry, style);
	base_json_text_end(w);
	base_json_text_begin(w, "protocol");
	audit_http_protocol(w, entry);
	base_json_text_end(w);
	base_json_array(w, "headers");
	for (size_t i = 0; i < ARRAY_SIZE(HEADERS); i++) {
		struct span value = entry->text[HEADERS[i].text];
		char hex[33];

		if (value.n && HEADERS[i].personal)
			value = pseudonym(value, style, hex);
		if (value.n)
			put_header(w, span_of(HEADERS[i].name), value);
	}
	put_request_headers(w, entry->text[AUDIT_TEXT_HEADERS]);
	base_json_end_array(w);
	base_json_end_object(w);
	base_json_end_object(w);
}
