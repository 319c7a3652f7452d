#include "token/cert.h"

#include "token/json.h"
#include "token/memory.h"
#include "token/x509.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

DEFINE_CLEANUP(names, GENERAL_NAMES *, GENERAL_NAMES_free)

/* A mistake of the certificate's, or ours when memory was short. */
static enum base_reason wrong(enum base_reason reason)
{
	ERR_clear_error();
	return token_memory_failed() ? BASE_REASON_INTERNAL : reason;
}

static bool is_plain(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < 0x20 || text.p[i] > 0x7e)
			return false;
	return text.n > 0 && text.n <= TOKEN_CERT_TEXT_MAX;
}

static int add_text(json_t *list, struct span text)
{
	return is_plain(text) ? json_array_append_new(list, json_stringn(text.p, text.n)) : -1;
}

static int add_string(json_t *list, const ASN1_STRING *string)
{
	return add_text(list, (struct span){
				      .p = (const char *)ASN1_STRING_get0_data(string),
				      .n = (size_t)ASN1_STRING_length(string),
			      });
}

static int add_address(json_t *list, const ASN1_STRING *string)
{
	const unsigned char *p = ASN1_STRING_get0_data(string);
	int n = ASN1_STRING_length(string);
	char text[INET6_ADDRSTRLEN];

	if ((n != 4 && n != 16) || !inet_ntop(n == 4 ? AF_INET : AF_INET6, p, text, sizeof(text)))
		return -1;
	return add_text(list, span_of(text));
}

/* The kinds of name that are claims (RFC 5280 4.2.1.6); others are ignored. */
static const struct kind {
	int type;
	const char *claim;
	int (*add)(json_t *list, const ASN1_STRING *string);
} KINDS[] = {
	{GEN_URI, "uri", add_string},
	{GEN_DNS, "dns", add_string},
	{GEN_EMAIL, "email", add_string},
	{GEN_IPADD, "ip", add_address},
};

static int add_name(json_t *claims, const GENERAL_NAME *name)
{
	int type;
	const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);

	for (size_t i = 0; i < ARRAY_SIZE(KINDS); i++)
		if (KINDS[i].type == type)
			return KINDS[i].add(json_object_get(claims, KINDS[i].claim), value);
	return 0;
}

/* All names, or none: one that cannot be read hides what the certificate is for. */
static bool add_names(json_t *claims, const X509 *cert)
{
	int critical;
	cleanup(names) GENERAL_NAMES *names =
		X509_get_ext_d2i(cert, NID_subject_alt_name, &critical, NULL);

	for (size_t i = 0; i < ARRAY_SIZE(KINDS); i++)
		if (json_object_set_new(claims, KINDS[i].claim, json_array()))
			return false;
	/* -1: it has none; otherwise two of them, or one that is broken. */
	if (!names)
		return critical == -1;
	if (sk_GENERAL_NAME_num(names) > TOKEN_CERT_NAMES_MAX)
		return false;
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
		if (add_name(claims, sk_GENERAL_NAME_value(names, i)))
			return false;
	return true;
}

static bool set_text(json_t *claims, const char *name, const char *text, size_t n)
{
	return !json_object_set_new(claims, name, json_stringn(text, n));
}

/* RFC 2253, with every byte outside ASCII escaped. An empty name is an empty text. */
static bool set_name(json_t *claims, const char *name, const X509_NAME *from)
{
	cleanup(x509_bio) BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long n;

	if (!bio || X509_NAME_print_ex(bio, from, 0, XN_FLAG_RFC2253) < 0)
		return false;
	n = BIO_get_mem_data(bio, &text);
	return n <= TOKEN_CERT_TEXT_MAX && set_text(claims, name, n ? text : "", (size_t)n);
}

static bool set_hex(json_t *claims, const char *name, const unsigned char *bytes, size_t n)
{
	static const char DIGITS[] = "0123456789abcdef";
	char text[2 * EVP_MAX_MD_SIZE];

	if (n > EVP_MAX_MD_SIZE)
		return false;
	for (size_t i = 0; i < n; i++) {
		text[2 * i] = DIGITS[bytes[i] >> 4];
		text[2 * i + 1] = DIGITS[bytes[i] & 15];
	}
	return set_text(claims, name, text, 2 * n);
}

static bool set_numbers(json_t *claims, const X509 *cert)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	return set_hex(claims, "serial", ASN1_STRING_get0_data(serial),
		       (size_t)ASN1_STRING_length(serial)) &&
	       X509_digest(cert, EVP_sha256(), hash, &n) == 1 &&
	       set_hex(claims, "fingerprint", hash, n);
}

/* Seconds since 1970; -1 for what is no time. */
static int64_t seconds_of(const ASN1_TIME *time)
{
	struct tm tm;

	return ASN1_TIME_to_tm(time, &tm) == 1 ? (int64_t)timegm(&tm) : -1;
}

static bool set_times(json_t *claims, const X509 *cert)
{
	int64_t nbf = seconds_of(X509_get0_notBefore(cert));
	int64_t exp = seconds_of(X509_get0_notAfter(cert));

	return nbf >= 0 && exp >= 0 && !json_object_set_new(claims, "nbf", json_integer(nbf)) &&
	       !json_object_set_new(claims, "exp", json_integer(exp));
}

enum base_reason token_cert_parse(struct span der, json_t **ret_claims)
{
	cleanup(x509) X509 *cert = NULL;
	cleanup(json) json_t *claims = json_object();

	token_memory_watch();
	cert = token_x509_only(der);
	if (!cert || !claims)
		return wrong(BASE_REASON_CERT_MALFORMED);
	if (!set_name(claims, "subject", X509_get_subject_name(cert)) ||
		!set_name(claims, "issuer", X509_get_issuer_name(cert)) ||
		!set_numbers(claims, cert) || !set_times(claims, cert) || !add_names(claims, cert))
		return wrong(BASE_REASON_CERT_MALFORMED);
	ERR_clear_error();
	*ret_claims = TAKE_PTR(claims);
	return BASE_REASON_OK;
}
