#include "tests/unit/spoa/pki.h"

#include "tests/unit/spoa/help.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

struct entity {
	X509 *cert;
	EVP_PKEY *key;
};

static void extend(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	ck_assert_ptr_nonnull(extension);
	ck_assert_int_eq(X509_add_ext(cert, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

/* name NULL: a CA. issuer NULL: signed by itself. */
static struct entity make(const char *name, const struct entity *issuer)
{
	static long serial = 1;
	struct entity made = {X509_new(), EVP_EC_gen("P-256")};
	X509_NAME *subject = X509_get_subject_name(made.cert);
	char dns[80];

	X509_set_version(made.cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(made.cert), serial++);
	X509_gmtime_adj(X509_getm_notBefore(made.cert), -60);
	X509_gmtime_adj(X509_getm_notAfter(made.cert), 3600);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
		(const unsigned char *)(name ? name : "test CA"), -1, -1, 0);
	X509_set_issuer_name(made.cert, issuer ? X509_get_subject_name(issuer->cert) : subject);
	X509_set_pubkey(made.cert, made.key);
	extend(made.cert, NID_basic_constraints, name ? "CA:FALSE" : "critical,CA:TRUE");
	if (name) {
		snprintf(dns, sizeof(dns), "DNS:%s", name);
		extend(made.cert, NID_subject_alt_name, dns);
	}
	ck_assert_int_gt(X509_sign(made.cert, issuer ? issuer->key : made.key, EVP_sha256()), 0);
	return made;
}

static void save(const struct entity *entity, const char *cert, const char *key)
{
	FILE *f = fopen(cert, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(PEM_write_X509(f, entity->cert), 1);
	fclose(f);
	if (!key)
		return;
	f = fopen(key, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(PEM_write_PrivateKey(f, entity->key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(f);
}

static void done(struct entity *entity)
{
	X509_free(entity->cert);
	EVP_PKEY_free(entity->key);
}

void pki_new(struct pki *pki)
{
	struct entity ca = make(NULL, NULL), other_ca = make(NULL, NULL);
	struct entity server = make("agent.example.com", &ca);
	struct entity client = make(PKI_CLIENT_NAME, &ca);
	struct entity other = make(PKI_CLIENT_NAME, &other_ca);
	struct entity *all[] = {&ca, &other_ca, &server, &client, &other};
	char *const paths[] = {pki->ca, pki->cert, pki->key, pki->client_cert, pki->client_key,
		pki->other_cert, pki->other_key};

	help_mkdir(pki->dir);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		snprintf(paths[i], sizeof(pki->ca), "%s/%zu.pem", pki->dir, i);
	save(&ca, pki->ca, NULL);
	save(&server, pki->cert, pki->key);
	save(&client, pki->client_cert, pki->client_key);
	save(&other, pki->other_cert, pki->other_key);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		done(all[i]);
}

void pki_free(struct pki *pki)
{
	help_rmdir(pki->dir);
}
