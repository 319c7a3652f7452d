/*
 * RE2's syntax (github.com/google/re2/wiki/Syntax) to PCRE2's, so that what
 * RE2 refuses is refused and what both know means what it means in RE2.
 */
#ifndef POLICY_RE2_H
#define POLICY_RE2_H

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>

#define POLICY_RE2_DEPTH  100  /* groups in each other */
#define POLICY_RE2_REPEAT 1000 /* RE2's own limit for {n,m}, nested ones multiplied */

struct policy_re2 {
	char *pcre;    /* NUL-terminated; the caller's */
	char *literal; /* what every match starts with; the caller's */
	size_t n_literal;
	bool whole;    /* literal is all there is */
	bool anything; /* literal and then .* is all there is */
};

/* 0; -EINVAL with a sentence that names the byte (from 1); -ENOMEM. */
int policy_re2_translate(const char *text, struct policy_re2 *ret, char why[160]) must_check;

#endif
