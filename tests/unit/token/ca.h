/*
 * Certificates for tests, made by OpenSSL: a root, what stands between, and
 * leaves with anything in them. Every function aborts when it cannot.
 */
#ifndef TESTS_TOKEN_CA_H
#define TESTS_TOKEN_CA_H

#include "base/span.h"

#include <openssl/x509.h>
#include <stdint.h>

struct test_cert {
	X509 *x509;
	EVP_PKEY *key;
	unsigned char *der;
	int n_der;
};

/* Texts of extensions as openssl.cnf(5) has them; NULL leaves one out. */
struct test_cert_order {
	const char *cn;
	const char *san;         /* "URI:spiffe://a/b,DNS:x" */
	const char *constraints; /* "critical,CA:FALSE" */
	const char *usage;       /* "critical,digitalSignature" */
	const char *extended;    /* "clientAuth" */
	int64_t from, to;        /* seconds since 1970 */
	const char *digest;      /* NULL: SHA256 */
	int rsa_bits;            /* 0: P-256 */
};

/* Signed by issuer, or by itself when that is NULL. Owned by the caller. */
struct test_cert *test_cert_new(
	const struct test_cert_order *order, const struct test_cert *issuer);
void test_cert_free(struct test_cert *cert);

struct span test_cert_der(const struct test_cert *cert);

/* PEM (malloc). */
char *test_cert_pem(const struct test_cert *cert);

#endif
