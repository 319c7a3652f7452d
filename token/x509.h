/*
 * DER to OpenSSL's X509, for what reads certificates in this room.
 */
#ifndef TOKEN_X509_H
#define TOKEN_X509_H

#include "base/mem.h"
#include "base/span.h"

#include <openssl/x509.h>

DEFINE_CLEANUP(x509, X509 *, X509_free)
DEFINE_CLEANUP(x509_bio, BIO *, BIO_free)

/*
 * The first certificate of der, at most TOKEN_CERT_MAX bytes; moves *der
 * behind it. NULL, and OpenSSL's error queue is not empty: there is none.
 */
X509 *token_x509_next(struct span *der) must_check;

/* The one certificate that der is; NULL when it is anything else. */
X509 *token_x509_only(struct span der) must_check;

#endif
