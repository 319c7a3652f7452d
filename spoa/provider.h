/*
 * One provider of the configuration made ready: token's rules, the conditions
 * that its tokens must meet, its secret and its trust bundle.
 */
#ifndef SPOA_PROVIDER_H
#define SPOA_PROVIDER_H

#include "base/diag.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "ident/condition.h"
#include "token/bundle.h"
#include "token/keyset.h"
#include "token/verify.h"

struct spoa_provider {
	struct ident_condition *require;
	size_t n_require;
	struct token_keyset *secret; /* of secret_file; or NULL */
	struct token_bundle *bundle; /* of trust_bundle; or NULL */
	unsigned slot;               /* its row in the metrics: spoa/slots.h */
};

/*
 * Fills both from conf, which must outlive them. Files are read here, so that
 * a bad one is a mistake in the configuration. 0, or -ENOMEM; mistakes go to
 * diag.
 */
int spoa_provider_compile(const struct conf_provider *from, struct token_provider *ret_rules,
	struct spoa_provider *ret_provider, struct base_diag *diag) must_check;

void spoa_provider_done(struct spoa_provider *provider);

#endif
