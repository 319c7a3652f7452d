/*
 * SPIFFE IDs (SPIFFE-ID 2): spiffe://TRUST-DOMAIN/path, strictly. Nothing is
 * normalised: an ID that is written in another way is another text, and refused.
 */
#ifndef TOKEN_SPIFFE_H
#define TOKEN_SPIFFE_H

#include "base/span.h"

#include <stdbool.h>

#define TOKEN_SPIFFE_ID_MAX 2048 /* SPIFFE-ID 2.3 */

/* 1 to 255 of a-z, 0-9, '.', '-' and '_' (SPIFFE-ID 2.1). */
bool token_spiffe_trust_domain(struct span text);

/*
 * Is it the ID of a workload, so with a path, and what is its trust domain?
 * Path segments are letters, digits, '.', '-' and '_', none of them empty,
 * "." or ".." (SPIFFE-ID 2.2). *ret_domain borrows from id.
 */
bool token_spiffe_parse(struct span id, struct span *ret_domain);

/* Is it the ID of a workload in this trust domain? */
bool token_spiffe_is_in(struct span id, const char *trust_domain);

#endif
