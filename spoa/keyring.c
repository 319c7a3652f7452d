#include "spoa/keyring.h"

#include "token/json.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S 86400

/* Every algorithm's present, next and retired keys, with room for short lifetimes. */
#define KEYS_MAX 64

/* Clocks of whoever checks an assertion may be behind by so much. */
#define SKEW_S 300

struct row {
	struct token_signer *signer;
	int64_t sign_from, sign_until;
};

struct spoa_signers {
	atomic_uint refs;
	size_t n;
	struct row rows[KEYS_MAX];
	char *jwks;
};

struct spoa_keyring {
	struct store *store;
	struct spoa_signers *signers;
};

struct spoa_signers *spoa_signers_ref(struct spoa_signers *signers)
{
	if (signers)
		atomic_fetch_add_explicit(&signers->refs, 1, memory_order_relaxed);
	return signers;
}

void spoa_signers_unref(struct spoa_signers *signers)
{
	if (!signers || atomic_fetch_sub_explicit(&signers->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < signers->n; i++)
		token_signer_free(signers->rows[i].signer);
	free(signers->jwks);
	free(signers);
}

const struct token_signer *spoa_signers_at(
	const struct spoa_signers *signers, enum token_alg alg, int64_t now_s)
{
	const struct row *found = NULL;

	for (size_t i = 0; signers && i < signers->n; i++) {
		const struct row *row = &signers->rows[i];

		if (token_signer_alg(row->signer) == alg && row->sign_from <= now_s &&
			(!found || row->sign_from >= found->sign_from))
			found = row;
	}
	return found ? found->signer : NULL;
}

const char *spoa_signers_jwks(const struct spoa_signers *signers)
{
	return signers->jwks;
}

static int load(void *arg, const struct store_signing_key *key)
{
	struct spoa_signers *signers = arg;
	struct row *row = &signers->rows[signers->n];
	int alg = token_alg_find(key->alg);
	int rc;

	if (signers->n == KEYS_MAX)
		return -E2BIG;
	rc = alg < 0 ? -EINVAL : token_signer_load((enum token_alg)alg, key->der, &row->signer);
	if (rc)
		return rc;
	row->sign_from = key->sign_from;
	row->sign_until = key->sign_until;
	signers->n++;
	return 0;
}

static char *make_jwks(const struct spoa_signers *signers)
{
	cleanup(json) json_t *keys = json_array();
	cleanup(json) json_t *set = keys ? json_pack("{s:O}", "keys", keys) : NULL;

	for (size_t i = 0; set && i < signers->n; i++)
		if (json_array_append_new(keys, token_signer_jwk(signers->rows[i].signer)))
			return NULL;
	return set ? json_dumps(set, JSON_COMPACT) : NULL;
}

/* What the store holds, as a list of its own. */
static int read_store(struct store *store, struct spoa_signers **ret, char why[STORE_WHY])
{
	cleanup(spoa_signers) struct spoa_signers *signers = calloc(1, sizeof(*signers));
	int rc = signers ? 0 : -ENOMEM;

	if (signers) {
		atomic_init(&signers->refs, 1);
		rc = store_signing_keys(store, load, signers);
	}
	if (!rc) {
		signers->jwks = make_jwks(signers);
		rc = signers->jwks ? 0 : -ENOMEM;
	}
	if (rc) {
		snprintf(why, STORE_WHY, "the signing keys cannot be read: %s", strerror(-rc));
		return rc;
	}
	*ret = TAKE_PTR(signers);
	return 0;
}

int spoa_keyring_new(struct store *store, struct spoa_keyring **ret, char why[STORE_WHY])
{
	cleanup(spoa_keyring) struct spoa_keyring *keyring = calloc(1, sizeof(*keyring));
	int rc;

	snprintf(why, STORE_WHY, "out of memory");
	if (!keyring)
		return -ENOMEM;
	keyring->store = store;
	rc = read_store(store, &keyring->signers, why);
	if (rc)
		return rc;
	*ret = TAKE_PTR(keyring);
	return 0;
}

void spoa_keyring_free(struct spoa_keyring *keyring)
{
	if (!keyring)
		return;
	spoa_signers_unref(keyring->signers);
	free(keyring);
}

struct spoa_signers *spoa_keyring_signers(struct spoa_keyring *keyring)
{
	return keyring->signers;
}

int64_t spoa_keyring_lead(const struct conf *conf)
{
	int64_t half = conf->assertion.key_lifetime / 1000 / 2;

	return half < DAY_S ? half : DAY_S;
}

static int put(struct spoa_keyring *keyring, const struct token_signer *signer, int64_t sign_from,
	int64_t sign_until, char why[STORE_WHY])
{
	unsigned char buf[TOKEN_SIGNER_DER_MAX];
	struct store_signing_key key = {
		.kid = span_of(token_signer_kid(signer)),
		.alg = span_of(token_alg_name(token_signer_alg(signer))),
		.sign_from = sign_from,
		.sign_until = sign_until,
	};
	int rc = token_signer_der(signer, buf, &key.der);

	if (rc)
		snprintf(why, STORE_WHY, "a new signing key cannot be encoded");
	else
		rc = store_signing_put(keyring->store, &key, why);
	OPENSSL_cleanse(buf, sizeof(buf));
	return rc;
}

static int make(struct spoa_keyring *keyring, const struct conf *conf, enum token_alg alg,
	int64_t sign_from, char why[STORE_WHY])
{
	cleanup(token_signer) struct token_signer *signer = NULL;
	int rc = token_signer_new(alg, &signer);

	if (rc) {
		snprintf(why, STORE_WHY, "OpenSSL makes no signing key");
		return rc;
	}
	return put(
		keyring, signer, sign_from, sign_from + conf->assertion.key_lifetime / 1000, why);
}

/* Those with keys of ours; HS256 has the operator's secret. */
static const struct {
	enum conf_assertion_alg named;
	enum token_alg alg;
} ALGS[] = {
	{CONF_ASSERTION_ES256, TOKEN_ES256},
	{CONF_ASSERTION_EDDSA, TOKEN_EDDSA},
};

static bool is_used(const struct conf *conf, enum conf_assertion_alg named)
{
	for (size_t i = 0; i < conf->n_assertions; i++)
		if (conf->assertions[i].algorithm == (int)named)
			return true;
	return false;
}

/* From when on the next key of this algorithm is to sign; INT64_MAX: there is one already. */
static int64_t next_from(const struct spoa_keyring *keyring, const struct conf *conf,
	enum token_alg alg, int64_t now_s)
{
	int64_t covered = 0;

	for (size_t i = 0; i < keyring->signers->n; i++) {
		const struct row *row = &keyring->signers->rows[i];

		if (token_signer_alg(row->signer) == alg && row->sign_until > covered)
			covered = row->sign_until;
	}
	if (covered <= now_s)
		return now_s;
	return covered - spoa_keyring_lead(conf) <= now_s ? covered : INT64_MAX;
}

/* The earliest end of a key whose last assertion may still be valid. */
static int64_t retired_before(const struct conf *conf, int64_t now_s)
{
	int64_t longest = 0;

	for (size_t i = 0; i < conf->n_assertions; i++)
		if (conf->assertions[i].ttl / 1000 > longest)
			longest = conf->assertions[i].ttl / 1000;
	return now_s - longest - SKEW_S;
}

static bool has_retired(const struct spoa_keyring *keyring, int64_t before)
{
	for (size_t i = 0; i < keyring->signers->n; i++)
		if (keyring->signers->rows[i].sign_until <= before)
			return true;
	return false;
}

static int renew(struct spoa_keyring *keyring, const struct conf *conf, int64_t now_s,
	bool *ret_changed, char why[STORE_WHY])
{
	for (size_t i = 0; i < ARRAY_SIZE(ALGS); i++) {
		int64_t from = next_from(keyring, conf, ALGS[i].alg, now_s);
		int rc;

		if (from == INT64_MAX || !is_used(conf, ALGS[i].named))
			continue;
		rc = make(keyring, conf, ALGS[i].alg, from, why);
		if (rc)
			return rc;
		*ret_changed = true;
	}
	return 0;
}

int spoa_keyring_tick(struct spoa_keyring *keyring, const struct conf *conf, int64_t now_s,
	bool *ret_changed, char why[STORE_WHY])
{
	int64_t before = retired_before(conf, now_s);
	struct spoa_signers *signers;
	bool changed = false;
	int rc = renew(keyring, conf, now_s, &changed, why);

	if (!rc && has_retired(keyring, before)) {
		rc = store_signing_purge(keyring->store, before);
		changed = !rc;
		if (rc)
			snprintf(why, STORE_WHY, "retired signing keys cannot be removed");
	}
	if (!rc && changed)
		rc = read_store(keyring->store, &signers, why);
	if (rc)
		return rc;
	if (changed) {
		spoa_signers_unref(keyring->signers);
		keyring->signers = signers;
	}
	*ret_changed = changed;
	return 0;
}
