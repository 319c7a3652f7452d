/*
 * The configuration made ready to decide with: provider rules in token's
 * terms, roles in ident's, every role with its number. Immutable and
 * reference counted; a reload makes a new one.
 */
#ifndef SPOA_CONFIG_H
#define SPOA_CONFIG_H

#include "base/diag.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "ident/role.h"
#include "spoa/access.h"
#include "spoa/export.h"
#include "spoa/provider.h"
#include "spoa/workload_rules.h"
#include "store/store.h"
#include "token/verify.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A set of providers is a 64-bit mask. */
#define SPOA_PROVIDERS_MAX 64

struct spoa_config {
	atomic_uint refs;
	const struct conf *conf;
	uint64_t serial;                 /* no two of a process have the same */
	struct token_provider *rules;    /* conf->n_providers, same order */
	struct spoa_provider *providers; /* the same */
	struct ident_role *roles;        /* conf->n_roles, same order */
	struct spoa_exports exports;
	struct spoa_workload_rules workloads;
	bool asks_workloads;        /* some condition is about them */
	bool takes_workloads;       /* some role is for callers without a token */
	struct span *secrets;       /* of conf->assertions, same order; empty but for HS256 */
	bool takes_certs;           /* some provider has a trust bundle */
	bool match_all;             /* roles_match */
	struct spoa_access *access; /* conf->n_listen, same order */
	struct ssl_ctx_st **tls;    /* the same; NULL: plain */
	uint64_t *origins;          /* conf->n_providers: spoa/introspect.h */
};

/*
 * Compiles conf, which the result then owns (in every case). Mistakes that
 * only the rooms behind can see (a label that cannot be one, an unknown
 * algorithm) go to diag. With a store, roles without a fixed number get
 * theirs; without (for --check) they stay 0.
 * 0 and one reference; -EINVAL with diag; -ENOMEM; -EIO with diag.
 */
int spoa_config_new(struct conf *conf, struct store *store, struct base_diag *diag,
	struct spoa_config **ret) must_check;

struct spoa_config *spoa_config_ref(struct spoa_config *config);
void spoa_config_unref(struct spoa_config *config);

/* The place of the role with this name; conf->n_roles where there is none. */
size_t spoa_config_role(const struct spoa_config *config, struct span name);

DEFINE_CLEANUP(spoa_config, struct spoa_config *, spoa_config_unref)

#endif
