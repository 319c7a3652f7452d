#include "tests/unit/token/ca.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "test certificates: %s failed\n", what);
	abort();
}

static void add_extension(X509 *x509, X509 *issuer, int nid, const char *text)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;

	if (!text)
		return;
	X509V3_set_ctx(&ctx, issuer, x509, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, text);
	must(extension && X509_add_ext(x509, extension, -1), text);
	X509_EXTENSION_free(extension);
}

static void set_names(X509 *x509, const char *cn, const X509 *issuer)
{
	X509_NAME *name = X509_get_subject_name(x509);

	if (cn)
		must(X509_NAME_add_entry_by_txt(
			     name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0),
			"CN");
	must(X509_set_issuer_name(x509, issuer ? X509_get_subject_name(issuer) : name), "issuer");
}

struct test_cert *test_cert_new(const struct test_cert_order *order, const struct test_cert *issuer)
{
	static long serial = 0x1234;
	struct test_cert *cert = calloc(1, sizeof(*cert));
	X509 *by;
	const char *digest = order->digest ? order->digest : "SHA256";

	must(cert != NULL, "calloc");
	cert->key = order->rsa_bits ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)order->rsa_bits)
				    : EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	cert->x509 = X509_new();
	must(cert->key && cert->x509, "key");
	by = issuer ? issuer->x509 : cert->x509;
	must(X509_set_version(cert->x509, 2) == 1, "version");
	must(ASN1_INTEGER_set(X509_get_serialNumber(cert->x509), serial++), "serial");
	must(ASN1_TIME_set(X509_getm_notBefore(cert->x509), order->from) != NULL, "from");
	must(ASN1_TIME_set(X509_getm_notAfter(cert->x509), order->to) != NULL, "to");
	must(X509_set_pubkey(cert->x509, cert->key), "pubkey");
	set_names(cert->x509, order->cn, issuer ? issuer->x509 : NULL);
	add_extension(cert->x509, by, NID_basic_constraints, order->constraints);
	add_extension(cert->x509, by, NID_key_usage, order->usage);
	add_extension(cert->x509, by, NID_ext_key_usage, order->extended);
	add_extension(cert->x509, by, NID_subject_alt_name, order->san);
	must(X509_sign(cert->x509, issuer ? issuer->key : cert->key, EVP_get_digestbyname(digest)),
		"sign");
	cert->n_der = i2d_X509(cert->x509, &cert->der);
	must(cert->n_der > 0, "i2d_X509");
	return cert;
}

void test_cert_free(struct test_cert *cert)
{
	if (!cert)
		return;
	X509_free(cert->x509);
	EVP_PKEY_free(cert->key);
	OPENSSL_free(cert->der);
	free(cert);
}

struct span test_cert_der(const struct test_cert *cert)
{
	return (struct span){(const char *)cert->der, (size_t)cert->n_der};
}

char *test_cert_pem(const struct test_cert *cert)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;
	char *pem;
	long n;

	must(bio && PEM_write_bio_X509(bio, cert->x509), "PEM");
	n = BIO_get_mem_data(bio, &data);
	pem = strndup(data, (size_t)n);
	must(pem != NULL, "strndup");
	BIO_free(bio);
	return pem;
}
