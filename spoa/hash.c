#include "spoa/hash.h"

#include "token/hash.h"

#include <string.h>

#define SAME(field)                                                                                \
	_Static_assert((int)TOKEN_REVOKE_##field == (int)BPFMAP_TOKEN_##field, "same order")
SAME(ISS);
SAME(SUB);
SAME(SID);
SAME(JTI);
SAME(CLIENT);
_Static_assert((int)TOKEN_REVOKE_FIELDS == (int)BPFMAP_TOKEN_FIELDS, "same fields");

uint64_t spoa_hash_text(struct span text)
{
	uint8_t hash[TOKEN_HASH_BYTES];
	uint64_t value;

	if (!text.n)
		return 0;
	token_hash_of(text, hash);
	memcpy(&value, hash, sizeof(value));
	return value ? value : 1;
}

struct bpfmap_revocation spoa_hash_revocation(const struct token_revocation *what)
{
	struct bpfmap_revocation hashed = {.issued_before = what->issued_before};

	for (int i = 0; i < TOKEN_REVOKE_FIELDS; i++)
		hashed.token[i] = spoa_hash_text(what->fields[i]);
	return hashed;
}
