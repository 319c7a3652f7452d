/*
 * Tokens of the size and shape that Keycloak's have: about 900 bytes, whatever
 * the signature takes of them. Each has its own jti, sub and sid.
 */
#ifndef BENCH_ISSUER_H
#define BENCH_ISSUER_H

#include "tests/unit/token/keys.h"

#include <stddef.h>
#include <stdint.h>

#define BENCH_ISSUER      "https://idp.example.com/realms/corp"
#define BENCH_KID         "Zb3nXv8qPqJm0v2h7rK5s1t9w4y6u8i0o2a3d5f7g9h"
#define BENCH_TOKEN_BYTES 908

/* Token number i (malloc); valid from now_s on for a day. */
char *bench_token(const struct test_key *key, uint64_t i, int64_t now_s);

/* The configuration that knows this issuer: YAML (malloc) with these lines in front. */
char *bench_config(const char *head, const char *jwks_file);

#endif
