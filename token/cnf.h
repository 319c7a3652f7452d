/*
 * What a token is bound to: the claim cnf (RFC 7800), as RFC 8705 3.1 and
 * RFC 9449 6.1 fill it.
 */
#ifndef TOKEN_CNF_H
#define TOKEN_CNF_H

#include "base/mem.h"
#include "base/span.h"

#include <jansson.h>
#include <stdbool.h>

/* Borrowed from the claims; empty where the token is not bound that way. */
struct token_cnf {
	struct span jkt; /* thumbprint of the key of the DPoP proofs */
	struct span x5t; /* x5t#S256: SHA-256 of the client's certificate */
	bool other;      /* bound to something that nobody here can check */
};

/*
 * False when cnf is there and is no object, or holds a jkt or x5t#S256 that is
 * not 32 bytes of base64url: then nobody can say what the token is bound to.
 */
bool token_cnf_read(const json_t *claims, struct token_cnf *ret_cnf);

/*
 * Is this the certificate (DER)? 0; -EBADMSG it is another, or there is none;
 * -ENOMEM.
 */
int token_cnf_check_cert(struct span x5t, struct span der) must_check;

#endif
