#include "spoa/inquiry.h"

#include "spoa/file.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define SECRET_MAX 1024

void spoa_inquiry_wipe(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

/* application/x-www-form-urlencoded: unreserved bytes of RFC 3986 2.3 stand for themselves. */
static char *encoded(struct span text)
{
	static const char PLAIN[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-._~";
	char *out = malloc(3 * text.n + 1);
	size_t n = 0;

	if (!out)
		return NULL;
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c && strchr(PLAIN, c))
			out[n++] = (char)c;
		else
			n += (size_t)snprintf(out + n, 4, "%%%02X", c);
	}
	out[n] = '\0';
	return out;
}

/* RFC 6749 2.3.1: both parts are form-encoded before they become RFC 7617. */
static char *basic(const char *id, const char *secret)
{
	static const char NAME[] = "Authorization: Basic ";
	cleanup(spoa_inquiry) char *pair = NULL;
	char *line;
	size_t n;

	if (asprintf(&pair, "%s:%s", id, secret) < 0) {
		pair = NULL;
		return NULL;
	}
	n = strlen(pair);
	line = calloc(1, sizeof(NAME) + 4 * (n / 3 + 1));
	if (!line)
		return NULL;
	memcpy(line, NAME, sizeof(NAME));
	EVP_EncodeBlock(
		(unsigned char *)line + sizeof(NAME) - 1, (const unsigned char *)pair, (int)n);
	return line;
}

/* Whoever proves himself otherwise still says who he is (RFC 8705 2). */
static char *body(
	const struct conf_introspection *how, const char *token, const char *id, const char *secret)
{
	char *text = NULL;
	int n;

	if (how->auth == CONF_AUTH_BASIC)
		n = asprintf(&text, "token=%s&token_type_hint=access_token", token);
	else if (how->auth == CONF_AUTH_POST)
		n = asprintf(&text,
			"token=%s&token_type_hint=access_token&client_id=%s&client_secret=%s",
			token, id, secret);
	else
		n = asprintf(
			&text, "token=%s&token_type_hint=access_token&client_id=%s", token, id);
	return n < 0 ? NULL : text;
}

int spoa_inquiry_make(const struct conf_introspection *how, struct span token, char **ret_body,
	char **ret_authorization, char why[200])
{
	cleanup(spoa_inquiry) char *secret = NULL;
	cleanup(spoa_inquiry) char *secret_text = NULL;
	cleanup(spoa_inquiry) char *token_text = encoded(token);
	cleanup(spoa_inquiry) char *id_text = encoded(span_of(how->client_id));
	cleanup(spoa_inquiry) char *made = NULL;
	char *authorization = NULL;
	int rc = how->auth == CONF_AUTH_CERTIFICATE
			 ? 0
			 : spoa_file_line(how->client_secret_file, SECRET_MAX, &secret);

	if (rc) {
		snprintf(why, 200, "client_secret_file %.120s: %s", how->client_secret_file,
			rc == -EBADMSG ? "it holds no secret" : strerror(-rc));
		return rc;
	}
	secret_text = encoded(span_of(secret ? secret : ""));
	if (token_text && id_text && secret_text)
		made = body(how, token_text, id_text, secret_text);
	if (made && how->auth == CONF_AUTH_BASIC)
		authorization = basic(id_text, secret_text);
	if (!made || (how->auth == CONF_AUTH_BASIC && !authorization)) {
		snprintf(why, 200, "out of memory");
		return -ENOMEM;
	}
	*ret_body = TAKE_PTR(made);
	*ret_authorization = authorization;
	return 0;
}
