/*
 * TLS for one listener: its certificate and key, and whose certificates its
 * peers may show. TLS 1.2 and later, no renegotiation, nothing blocks.
 */
#ifndef SPOA_TLS_H
#define SPOA_TLS_H

#include "base/diag.h"
#include "base/mem.h"
#include "conf/conf.h"

#include <stdbool.h>

struct ssl_st;
struct ssl_ctx_st;

/*
 * Reads the files that the entry names; *ret is NULL for one without tls. What
 * is wrong with them goes to diag. 0 or -ENOMEM; either way spoa_tls_free.
 */
int spoa_tls_new(
	const struct conf_listen *conf, struct ssl_ctx_st **ret, struct base_diag *diag) must_check;

/* Connections that use it keep it. NULL is fine. */
void spoa_tls_free(struct ssl_ctx_st *context);

/*
 * After the handshake: the peer showed a certificate, the listener's CA signed
 * it, and it carries one of the names, if any are asked for.
 */
bool spoa_tls_verified(const struct ssl_st *tls);

#endif
