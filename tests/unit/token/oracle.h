/*
 * python3-jwcrypto as a second opinion on signed tokens, in a process of its
 * own (tests/oracle/jws.py).
 */
#ifndef TESTS_TOKEN_ORACLE_H
#define TESTS_TOKEN_ORACLE_H

#include <stdbool.h>

struct oracle;

/* These end the test when they fail: without the oracle there is no opinion. */
struct oracle *oracle_start(void);
void oracle_stop(struct oracle *oracle);

/* Does it accept the signature under this JWK set, with this one algorithm? */
bool oracle_accepts(struct oracle *oracle, const char *token, const char *jwks, const char *alg);

#endif
