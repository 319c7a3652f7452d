/*
 * The path that policies see. A backend may take "/a/../b", "//" or "%2f" for
 * another path than a regular expression does, so those are refused; escapes
 * of letters that need none are undone (RFC 3986 6.2.2), as Envoy does.
 */
#ifndef POLICY_PATH_H
#define POLICY_PATH_H

#include "base/mem.h"
#include "base/span.h"
#include "policy/policy.h"

/*
 * Writes path, and '?' with the query when has_query, into buf, which has
 * POLICY_INPUT_MAX bytes; *ret_path lies in it.
 *   0        done
 *   -EINVAL  somebody could take it for another path; *ret_why says what
 *   -E2BIG   longer than POLICY_INPUT_MAX
 */
int policy_path_normal(struct span path, bool has_query, struct span query, char *buf,
	struct span *ret_path, const char **ret_why) must_check;

#endif
