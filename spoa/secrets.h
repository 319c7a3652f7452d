/*
 * The secrets that backends share with us, for assertions with HS256: read
 * with the configuration, wiped with it.
 */
#ifndef SPOA_SECRETS_H
#define SPOA_SECRETS_H

#include "base/diag.h"
#include "base/mem.h"
#include "base/span.h"
#include "conf/conf.h"

/* RFC 7518 3.2: as long as the hash. */
#define SPOA_SECRET_MIN 32
#define SPOA_SECRET_MAX 4096

/*
 * One for each of conf->assertions, empty where it needs none. A file that
 * cannot be read, that others can, or that is too short or long, is a mistake
 * for diag. 0 or -ENOMEM.
 */
int spoa_secrets_new(const struct conf *conf, struct base_diag *diag, struct span **ret) must_check;
void spoa_secrets_free(struct span *secrets, size_t n);

#endif
