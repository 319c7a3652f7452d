/* The claims of a token that the operator asked for. */
#ifndef CTL_CLAIMS_H
#define CTL_CLAIMS_H

#include "base/mem.h"
#include "ctl/commands.h"

#include <jansson.h>
#include <stdint.h>

#define CTL_CLAIMS_AUDIENCES_MAX 8

struct ctl_claims {
	const char *text; /* JSON, or @FILE; NULL: none */
	const char *iss;  /* each overrides what text says */
	const char *sub;
	const char *aud[CTL_CLAIMS_AUDIENCES_MAX]; /* one: a string; more: an array */
	size_t n_aud;
	int64_t ttl_s; /* exp = now + ttl_s, unless text has an exp; iat likewise */
};

/* CTL_OK and the object (one reference, the caller's), or a complaint was made. */
enum ctl_exit ctl_claims_make(const char *name, const struct ctl_claims *wanted, int64_t now_s,
	json_t **ret_claims) must_check;

#endif
