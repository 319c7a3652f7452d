#include "spoa/provider.h"

#include "base/wr.h"
#include "spoa/condition.h"
#include "spoa/file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_MAX 4096 /* bytes of a secret file */

/* Anybody but owner and group, and a group that may write, could know or change the secret. */
#define SECRET_MODE (S_IRWXO | S_IWGRP)

static int complain(
	const struct conf_provider *from, struct base_diag *diag, const char *path, const char *why)
{
	base_diag_add(diag, from->pos.line, from->pos.column, "provider %s: %s: %s", from->name,
		path, why);
	return 0;
}

/* All of a file of at most max bytes: 0 and *ret_text (malloc), or -errno. */
static int read_file(int fd, size_t max, char **ret_text, size_t *ret_n)
{
	cleanup(free) char *text = malloc(max + 1);
	size_t n = 0;

	if (!text)
		return -ENOMEM;
	while (n <= max) {
		ssize_t got = read(fd, text + n, max + 1 - n);

		if (got < 0 && errno != EINTR)
			return -errno;
		if (got == 0)
			break;
		n += got > 0 ? (size_t)got : 0;
	}
	if (n > max)
		return -EFBIG;
	*ret_text = TAKE_PTR(text);
	*ret_n = n;
	return 0;
}

static enum token_alg first_alg(uint32_t algs)
{
	return (enum token_alg)__builtin_ctz(algs);
}

/* The file's bytes, but for the line end that an editor leaves. */
static int take_secret(const struct conf_provider *from, char *text, size_t n, uint32_t algs,
	struct spoa_provider *to, struct base_diag *diag)
{
	int rc;

	n -= n && text[n - 1] == '\n';
	rc = algs & TOKEN_ALGS_HMAC
		     ? token_keyset_secret((struct span){text, n}, first_alg(algs), &to->secret)
		     : -EINVAL;
	OPENSSL_cleanse(text, n);
	if (rc == -EINVAL)
		return complain(from, diag, from->secret_file,
			"the secret is shorter than the algorithm's hash (RFC 7518 3.2)");
	return rc;
}

static int read_secret(const struct conf_provider *from, uint32_t algs, struct spoa_provider *to,
	struct base_diag *diag)
{
	cleanup(fd) int fd = open(from->secret_file, O_RDONLY | O_CLOEXEC);
	cleanup(free) char *text = NULL;
	struct stat st;
	size_t n = 0;
	int rc;

	if (fd < 0 || fstat(fd, &st))
		return complain(from, diag, from->secret_file, strerror(errno));
	if (!S_ISREG(st.st_mode) || st.st_mode & SECRET_MODE)
		return complain(from, diag, from->secret_file,
			"others may read or change it; mode 0600 or 0640 is good");
	rc = read_file(fd, SECRET_MAX, &text, &n);
	if (rc == -ENOMEM)
		return rc;
	if (rc)
		return complain(from, diag, from->secret_file, strerror(-rc));
	return take_secret(from, text, n, algs, to, diag);
}

static int read_bundle(
	const struct conf_provider *from, struct spoa_provider *to, struct base_diag *diag)
{
	cleanup(free) char *text = NULL;
	char why[TOKEN_BUNDLE_WHY];
	int rc = spoa_file_text(from->trust_bundle, TOKEN_BUNDLE_BYTES, &text);

	if (rc == -ENOMEM)
		return rc;
	if (rc)
		return complain(from, diag, from->trust_bundle, strerror(-rc));
	rc = token_bundle_parse(span_of(text), &to->bundle, why);
	return rc == -EBADMSG ? complain(from, diag, from->trust_bundle, why) : rc;
}

static uint32_t compile_algs(const struct conf_provider *from, struct base_diag *diag)
{
	uint32_t algs = from->trust_domain ? TOKEN_KEYS_SVID : 0;

	if (!conf_provider_has_tokens(from))
		return 0;
	for (size_t i = 0; i < from->algorithms.n; i++) {
		int alg = token_alg_find(span_of(from->algorithms.items[i]));

		if (alg < 0)
			base_diag_add(diag, from->pos.line, from->pos.column,
				"provider %s: algorithm %s is not known", from->name,
				from->algorithms.items[i]);
		else
			algs |= TOKEN_ALG_BIT(alg);
	}
	return algs;
}

static struct token_path path_of(const struct conf_strings *from)
{
	return (struct token_path){(const char *const *)from->items, from->n};
}

static void compile_rules(
	const struct conf_provider *from, struct token_provider *to, struct base_diag *diag)
{
	*to = (struct token_provider){
		.name = from->name,
		.issuer = from->issuer,
		.issuer_aliases = (const char *const *)from->issuer_aliases.items,
		.n_issuer_aliases = from->issuer_aliases.n,
		.tenants = (const char *const *)from->tenants.items,
		.n_tenants = from->tenants.n,
		.trust_domain = from->trust_domain,
		.audiences = (const char *const *)from->audiences.items,
		.n_audiences = from->audiences.n,
		.types = (const char *const *)from->types.items,
		.n_types = from->types.n,
		.type_required = from->type_required,
		.id_tokens = from->id_tokens,
		.algs = compile_algs(from, diag),
		.leeway_s = from->leeway / 1000,
		.max_lifetime_s = from->max_lifetime / 1000,
		.max_bytes = (size_t)from->max_token_size,
		.padded = from->padding,
		.header_claims = (const char *const *)from->header_claims.items,
		.n_header_claims = from->header_claims.n,
		.subject = path_of(&from->subject_claim),
		.audience = path_of(&from->audience_claim),
		.client_id = path_of(&from->client_id_claim),
		.scope = path_of(&from->scope_claim),
	};
}

int spoa_provider_compile(const struct conf_provider *from, struct token_provider *ret_rules,
	struct spoa_provider *ret_provider, struct base_diag *diag)
{
	int rc;

	compile_rules(from, ret_rules, diag);
	rc = spoa_conditions_compile(from->require, from->n_require, &ret_provider->require);
	ret_provider->n_require = rc ? 0 : from->n_require;
	if (!rc && from->secret_file)
		rc = read_secret(from, ret_rules->algs, ret_provider, diag);
	if (!rc && from->trust_bundle)
		rc = read_bundle(from, ret_provider, diag);
	return rc;
}

void spoa_provider_done(struct spoa_provider *provider)
{
	spoa_conditions_free(provider->require, provider->n_require);
	token_keyset_unref(provider->secret);
	token_bundle_unref(provider->bundle);
	*provider = (struct spoa_provider){0};
}
