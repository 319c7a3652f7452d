#include "token/thumbprint.h"

#include "base/wr.h"
#include "token/b64.h"
#include "token/json.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/sha.h>

/* Two coordinates of P-521, or an RSA modulus of 8192 bits, with names and quotes. */
#define INPUT_MAX 2048

#define MEMBERS_MAX 4

/* RFC 7638 3.2, RFC 8037 2: the required members in the order of their names. */
static const struct {
	const char *kty;
	const char *members[MEMBERS_MAX];
} KTYS[] = {
	{"EC", {"crv", "kty", "x", "y"}},
	{"OKP", {"crv", "kty", "x"}},
	{"RSA", {"e", "kty", "n"}},
};

/* What needs no escaping, so that there is one text for every value (3.3). */
static bool is_plain(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] == '"' || text.p[i] == '\\' || text.p[i] & 0x80)
			return false;
	return text.n > 0;
}

static void put(struct wr *w, const char *text)
{
	wr_bytes(w, text, strlen(text));
}

static int write_member(struct wr *w, const json_t *jwk, const char *name, bool first)
{
	struct span value = token_json_text(jwk, name, INPUT_MAX);

	if (!is_plain(value))
		return -EINVAL;
	put(w, first ? "{\"" : ",\"");
	put(w, name);
	put(w, "\":\"");
	wr_bytes(w, value.p, value.n);
	put(w, "\"");
	return 0;
}

static int write_members(struct wr *w, const json_t *jwk, const char *const *members)
{
	for (size_t i = 0; i < MEMBERS_MAX && members[i]; i++) {
		int r = write_member(w, jwk, members[i], i == 0);

		if (r)
			return r;
	}
	put(w, "}");
	return w->bad ? -EINVAL : 0;
}

int token_thumbprint(const json_t *jwk, char ret_text[TOKEN_THUMBPRINT_CHARS + 1])
{
	struct span kty = token_json_text(jwk, "kty", 8);
	unsigned char hash[SHA256_DIGEST_LENGTH];
	char input[INPUT_MAX];
	struct wr w = wr_of(input, sizeof(input));
	struct wr out = wr_of(ret_text, TOKEN_THUMBPRINT_CHARS);
	int r = -EINVAL;

	for (size_t i = 0; i < ARRAY_SIZE(KTYS); i++)
		if (span_is(kty, KTYS[i].kty))
			r = write_members(&w, jwk, KTYS[i].members);
	if (r)
		return r;
	if (!SHA256((unsigned char *)input, wr_len(&w), hash)) {
		ERR_clear_error();
		return -ENOMEM;
	}
	token_b64_encode((struct span){.p = (char *)hash, .n = sizeof(hash)}, &out);
	ret_text[TOKEN_THUMBPRINT_CHARS] = '\0';
	return 0;
}
