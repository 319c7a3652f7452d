#include "token/bundle.h"

#include "token/memory.h"
#include "token/spiffe.h"
#include "token/x509.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

/* 112 bits: RSA from 2048 bits, no SHA-1 (OpenSSL's SSL_CTX_set_security_level(3)). */
#define SECURITY_LEVEL 2

struct token_bundle {
	atomic_uint refs;
	X509_STORE *store;
};

typedef STACK_OF(X509) x509_stack;

static void free_stack(x509_stack *stack)
{
	sk_X509_pop_free(stack, X509_free);
}

DEFINE_CLEANUP(stack, x509_stack *, free_stack)
DEFINE_CLEANUP(store_ctx, X509_STORE_CTX *, X509_STORE_CTX_free)

static int refuse(int err, char why[TOKEN_BUNDLE_WHY], const char *text)
{
	ERR_clear_error();
	snprintf(why, TOKEN_BUNDLE_WHY, "%s", text);
	return err;
}

/* The end of the text is an error too, the one that is none. */
static bool at_end(void)
{
	return ERR_GET_LIB(ERR_peek_last_error()) == ERR_LIB_PEM &&
	       ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

static int add_certs(X509_STORE *store, BIO *pem, char why[TOKEN_BUNDLE_WHY])
{
	/* OpenSSL would otherwise ask the terminal. */
	static char no_passphrase[] = "";
	unsigned n = 0;

	for (;;) {
		cleanup(x509) X509 *cert = PEM_read_bio_X509(pem, NULL, NULL, no_passphrase);

		if (!cert && token_memory_failed())
			return refuse(-ENOMEM, why, "out of memory");
		if (!cert && !at_end())
			return refuse(-EBADMSG, why, "a certificate in it cannot be read");
		if (!cert)
			break;
		if (n++ == TOKEN_BUNDLE_CERTS)
			return refuse(-EBADMSG, why, "it holds more than 256 certificates");
		if (X509_STORE_add_cert(store, cert) != 1)
			return refuse(-ENOMEM, why, "out of memory");
	}
	ERR_clear_error();
	return n ? 0 : refuse(-EBADMSG, why, "it holds no certificate");
}

int token_bundle_parse(
	struct span pem, struct token_bundle **ret_bundle, char why[TOKEN_BUNDLE_WHY])
{
	cleanup(token_bundle) struct token_bundle *bundle = calloc(1, sizeof(*bundle));
	cleanup(x509_bio) BIO *bio = NULL;
	int r;

	if (!bundle)
		return refuse(-ENOMEM, why, "out of memory");
	atomic_init(&bundle->refs, 1);
	if (pem.n > TOKEN_BUNDLE_BYTES)
		return refuse(-EBADMSG, why, "it is larger than 1 MiB");
	token_memory_watch();
	bio = BIO_new_mem_buf(pem.n ? pem.p : "", (int)pem.n);
	if (!bio)
		return refuse(-ENOMEM, why, "out of memory");
	bundle->store = X509_STORE_new();
	if (!bundle->store)
		return refuse(-ENOMEM, why, "out of memory");
	r = add_certs(bundle->store, bio, why);
	if (r)
		return r;
	*ret_bundle = TAKE_PTR(bundle);
	return 0;
}

struct token_bundle *token_bundle_ref(struct token_bundle *bundle)
{
	atomic_fetch_add_explicit(&bundle->refs, 1, memory_order_relaxed);
	return bundle;
}

void token_bundle_unref(struct token_bundle *bundle)
{
	if (!bundle || atomic_fetch_sub_explicit(&bundle->refs, 1, memory_order_acq_rel) != 1)
		return;
	X509_STORE_free(bundle->store);
	free(bundle);
}

/* NULL: a certificate cannot be read, or there are too many. */
static x509_stack *read_chain(struct span chain)
{
	cleanup(stack) x509_stack *stack = sk_X509_new_null();

	while (stack && chain.n) {
		X509 *cert = token_x509_next(&chain);

		if (!cert || sk_X509_num(stack) > TOKEN_CERT_CHAIN_MAX ||
			!sk_X509_push(stack, cert)) {
			X509_free(cert);
			return NULL;
		}
	}
	return TAKE_PTR(stack);
}

static enum base_reason why_not(const X509_STORE_CTX *ctx)
{
	switch (X509_STORE_CTX_get_error(ctx)) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return BASE_REASON_CERT_EXPIRED;
	case X509_V_ERR_INVALID_PURPOSE:
		return BASE_REASON_CERT_NOT_ALLOWED;
	case X509_V_ERR_OUT_OF_MEM:
		return BASE_REASON_INTERNAL;
	default:
		return BASE_REASON_CERT_UNTRUSTED;
	}
}

/* When the first certificate of the chain ends; seconds since 1970. */
static int64_t end_of(const x509_stack *chain)
{
	int64_t until = INT64_MAX;

	for (int i = 0; i < sk_X509_num(chain); i++) {
		struct tm tm;

		if (ASN1_TIME_to_tm(X509_get0_notAfter(sk_X509_value(chain, i)), &tm) != 1)
			return 0;
		if (timegm(&tm) < until)
			until = timegm(&tm);
	}
	return until;
}

static enum base_reason check_chain(const struct token_bundle *bundle, X509 *leaf,
	x509_stack *chain, int64_t now_s, int64_t *ret_until)
{
	cleanup(store_ctx) X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;

	if (!ctx || X509_STORE_CTX_init(ctx, bundle->store, leaf, chain) != 1)
		return BASE_REASON_INTERNAL;
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_depth(param, TOKEN_CERT_CHAIN_MAX);
	X509_VERIFY_PARAM_set_auth_level(param, SECURITY_LEVEL);
	X509_VERIFY_PARAM_set_time(param, (time_t)now_s);
	if (X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_CLIENT) != 1)
		return BASE_REASON_INTERNAL;
	if (X509_verify_cert(ctx) != 1)
		return token_memory_failed() ? BASE_REASON_INTERNAL : why_not(ctx);
	*ret_until = end_of(X509_STORE_CTX_get0_chain(ctx));
	return BASE_REASON_OK;
}

static bool is_critical(const X509 *cert, int nid)
{
	int at = X509_get_ext_by_NID(cert, nid, -1);

	return at >= 0 && X509_EXTENSION_get_critical(X509_get_ext(cert, at)) == 1;
}

/* Whatever its key usage says: who may be one is no caller. */
static bool is_ca(X509 *cert)
{
	return X509_check_ca(cert) || X509_get_extension_flags(cert) & EXFLAG_CA;
}

/* SPIFFE X509-SVID 4.1 to 4.3, 5.2 */
static bool is_svid(X509 *cert, const json_t *claims, const char *trust_domain)
{
	const json_t *uris = json_object_get(claims, "uri");
	const json_t *uri = json_array_get(uris, 0);
	uint32_t usage = X509_get_key_usage(cert);

	if (usage == UINT32_MAX || !is_critical(cert, NID_key_usage))
		return false;
	if (!(usage & X509v3_KU_DIGITAL_SIGNATURE) ||
		usage & (X509v3_KU_KEY_CERT_SIGN | X509v3_KU_CRL_SIGN))
		return false;
	return json_array_size(uris) == 1 &&
	       token_spiffe_is_in((struct span){json_string_value(uri), json_string_length(uri)},
		       trust_domain);
}

enum base_reason token_bundle_verify(const struct token_bundle *bundle, struct span der,
	struct span chain, const json_t *claims, const char *trust_domain, int64_t now_s,
	int64_t *ret_until)
{
	cleanup(x509) X509 *leaf = NULL;
	cleanup(stack) x509_stack *others = NULL;
	enum base_reason reason = BASE_REASON_CERT_MALFORMED;
	int64_t until = 0;

	token_memory_watch();
	leaf = token_x509_only(der);
	others = read_chain(chain);
	if (token_memory_failed())
		reason = BASE_REASON_INTERNAL;
	else if (leaf && others)
		reason = check_chain(bundle, leaf, others, now_s, &until);
	if (reason == BASE_REASON_OK && is_ca(leaf))
		reason = BASE_REASON_CERT_NOT_ALLOWED;
	if (reason == BASE_REASON_OK && trust_domain && !is_svid(leaf, claims, trust_domain))
		reason = BASE_REASON_CERT_NOT_ALLOWED;
	ERR_clear_error();
	if (reason == BASE_REASON_OK)
		*ret_until = until;
	return reason;
}
