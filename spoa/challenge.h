/*
 * What a refused caller is told: WWW-Authenticate (RFC 6750 3, RFC 9449 7.1),
 * and where it learns how to get a token (RFC 9728 5.1).
 */
#ifndef SPOA_CHALLENGE_H
#define SPOA_CHALLENGE_H

#include "spoa/decision.h"
#include "spoa/request.h"

/* Two challenges with realm (64), metadata (512), scope (256), algs and an error each. */
#define SPOA_CHALLENGE_MAX 2300

/* The first of challenge.resources that fits the request, or NULL. */
const struct conf_resource *spoa_challenge_resource(
	const struct conf *conf, const struct spoa_request *request);

/* The header's value for a denied request; it lives in buf. Empty when it is not denied. */
struct span spoa_challenge(const struct conf *conf, const struct spoa_decision *decision,
	char buf[SPOA_CHALLENGE_MAX]);

#endif
