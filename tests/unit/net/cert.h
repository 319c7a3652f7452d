/* A self-signed certificate for 127.0.0.1, made anew for every run. */
#ifndef TESTS_UNIT_NET_CERT_H
#define TESTS_UNIT_NET_CERT_H

#include <openssl/types.h>
#include <stdbool.h>

/* Both are the caller's. Aborts the test when OpenSSL will not. */
void cert_make(EVP_PKEY **ret_key, X509 **ret_cert, bool for_loopback);

void cert_write(X509 *cert, const char *file);
void cert_write_key(EVP_PKEY *key, const char *file);

#endif
