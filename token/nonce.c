#include "token/nonce.h"

#include "base/wr.h"
#include "token/b64.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

/* 8 bytes of time and 16 of MAC: 32 characters without left-over bits. */
#define TIME_BYTES 8
#define MAC_BYTES  16

_Static_assert((TIME_BYTES + MAC_BYTES) / 3 * 4 == TOKEN_NONCE_CHARS, "length of the text");

static int make(const unsigned char key[TOKEN_NONCE_KEY], int64_t slot,
	char ret_text[TOKEN_NONCE_CHARS + 1])
{
	unsigned char bytes[TIME_BYTES + EVP_MAX_MD_SIZE];
	struct wr out = wr_of(ret_text, TOKEN_NONCE_CHARS);
	unsigned n = 0;

	wr_put_u32be(bytes, (uint32_t)((uint64_t)slot >> 32));
	wr_put_u32be(bytes + 4, (uint32_t)slot);
	if (!HMAC(EVP_sha256(), key, TOKEN_NONCE_KEY, bytes, TIME_BYTES, bytes + TIME_BYTES, &n)) {
		ERR_clear_error();
		return -EIO;
	}
	token_b64_encode((struct span){(char *)bytes, TIME_BYTES + MAC_BYTES}, &out);
	ret_text[TOKEN_NONCE_CHARS] = '\0';
	return 0;
}

int token_nonce_make(const unsigned char key[TOKEN_NONCE_KEY], int64_t now_s,
	char ret_text[TOKEN_NONCE_CHARS + 1])
{
	char text[TOKEN_NONCE_CHARS + 1];
	int r = make(key, now_s / TOKEN_NONCE_SLOT_S, text);

	if (!r)
		memcpy(ret_text, text, sizeof(text));
	return r;
}

bool token_nonce_check(const unsigned char key[TOKEN_NONCE_KEY], struct span text, int64_t now_s)
{
	int64_t slot = now_s / TOKEN_NONCE_SLOT_S;
	char wanted[TOKEN_NONCE_CHARS + 1];

	if (text.n != TOKEN_NONCE_CHARS)
		return false;
	for (int64_t back = 0; back <= 1; back++)
		if (!make(key, slot - back, wanted) &&
			!CRYPTO_memcmp(wanted, text.p, TOKEN_NONCE_CHARS))
			return true;
	return false;
}
