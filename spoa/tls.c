#include "spoa/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/* A client's chain: a few certificates of a few KiB. */
#define CHAIN_BYTES (32 * 1024)
/* How long a session may be resumed without showing the certificate again. */
#define RESUME_SECONDS 300

static const unsigned char SESSION_CONTEXT[] = "identityd";

static void complain(
	const struct conf_listen *conf, struct base_diag *diag, const char *what, const char *path)
{
	char why[160];

	ERR_error_string_n(ERR_peek_last_error(), why, sizeof(why));
	base_diag_add(diag, conf->pos.line, conf->pos.column, "%s %.200s: %s", what, path, why);
	ERR_clear_error();
}

/* Any of the names will do; without any, whatever the CA signed. The context keeps copies. */
static int ask_for_names(const struct conf_strings *names, X509_VERIFY_PARAM *param)
{
	X509_VERIFY_PARAM_set_hostflags(
		param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	for (size_t i = 0; i < names->n; i++)
		if (!X509_VERIFY_PARAM_add1_host(param, names->items[i], 0))
			return -ENOMEM;
	return 0;
}

static int ask_for_clients(const struct conf_listen *conf, SSL_CTX *context, struct base_diag *diag)
{
	int mode = SSL_VERIFY_PEER;

	if (!conf->tls.client_ca)
		return 0;
	if (conf->tls.client == CONF_CLIENT_REQUIRED)
		mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	SSL_CTX_set_verify(context, mode, NULL);
	if (!SSL_CTX_load_verify_file(context, conf->tls.client_ca))
		complain(conf, diag, "cannot use", conf->tls.client_ca);
	/* Tells the peer which of its certificates to show; without it any is tried. */
	SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(conf->tls.client_ca));
	ERR_clear_error();
	return ask_for_names(&conf->tls.client_names, SSL_CTX_get0_param(context));
}

static void load_pair(const struct conf_listen *conf, SSL_CTX *context, struct base_diag *diag)
{
	if (SSL_CTX_use_certificate_chain_file(context, conf->tls.cert) != 1)
		complain(conf, diag, "cannot use", conf->tls.cert);
	else if (SSL_CTX_use_PrivateKey_file(context, conf->tls.key, SSL_FILETYPE_PEM) != 1 ||
		 SSL_CTX_check_private_key(context) != 1)
		complain(conf, diag, "cannot use", conf->tls.key);
}

int spoa_tls_new(const struct conf_listen *conf, struct ssl_ctx_st **ret, struct base_diag *diag)
{
	SSL_CTX *context;

	*ret = NULL;
	if (!conf->tls.cert)
		return 0;
	context = SSL_CTX_new(TLS_server_method());
	if (!context)
		return -ENOMEM;
	*ret = context;
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	SSL_CTX_set_options(context,
		SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
	/* Partial writes from a buffer that may have moved: what spoa/hold.c keeps. */
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
					  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					  SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_read_ahead(context, 1); /* one read brings all records that are there */
	SSL_CTX_set_max_cert_list(context, CHAIN_BYTES);
	SSL_CTX_set_session_id_context(context, SESSION_CONTEXT, sizeof(SESSION_CONTEXT) - 1);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); /* tickets only */
	SSL_CTX_set_timeout(context, RESUME_SECONDS);
	load_pair(conf, context, diag);
	return ask_for_clients(conf, context, diag);
}

void spoa_tls_free(struct ssl_ctx_st *context)
{
	SSL_CTX_free(context);
}

bool spoa_tls_verified(const struct ssl_st *tls)
{
	/* A session that was resumed remembers the certificate that it began with. */
	return (SSL_get_verify_mode(tls) & SSL_VERIFY_PEER) && SSL_get0_peer_certificate(tls) &&
	       SSL_get_verify_result(tls) == X509_V_OK;
}
