#include "token/cnf.h"

#include "base/wr.h"
#include "token/b64.h"
#include "token/json.h"
#include "token/thumbprint.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/sha.h>

/* Absent is fine; present it must be the text of a SHA-256. */
static bool read_hash(const json_t *cnf, const char *name, struct span *ret_hash)
{
	struct span text = token_json_text(cnf, name, TOKEN_THUMBPRINT_CHARS);

	if (!json_object_get(cnf, name))
		return true;
	*ret_hash = text;
	return text.n == TOKEN_THUMBPRINT_CHARS && token_b64_check(text);
}

bool token_cnf_read(const json_t *claims, struct token_cnf *ret_cnf)
{
	const json_t *json = json_object_get(claims, "cnf");
	struct token_cnf cnf = {0};

	if (json && (!json_is_object(json) || !read_hash(json, "jkt", &cnf.jkt) ||
			    !read_hash(json, "x5t#S256", &cnf.x5t)))
		return false;
	/* With one binding that holds, members that are not known may be ignored (RFC 7800 3.1). */
	cnf.other = json && !cnf.jkt.n && !cnf.x5t.n;
	*ret_cnf = cnf;
	return true;
}

int token_cnf_check_cert(struct span x5t, struct span der)
{
	unsigned char hash[SHA256_DIGEST_LENGTH];
	char text[TOKEN_THUMBPRINT_CHARS];
	struct wr w = wr_of(text, sizeof(text));

	if (!der.n)
		return -EBADMSG;
	if (!SHA256((const unsigned char *)der.p, der.n, hash)) {
		ERR_clear_error();
		return -ENOMEM;
	}
	token_b64_encode((struct span){.p = (const char *)hash, .n = sizeof(hash)}, &w);
	return span_eq(x5t, (struct span){.p = text, .n = wr_len(&w)}) ? 0 : -EBADMSG;
}
