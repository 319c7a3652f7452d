/*
 * Regular expressions with the syntax and meaning of RE2, matched by PCRE2:
 * the whole input must match, and effort is bounded. A pattern that is only
 * text, or text and then anything, never reaches PCRE2.
 */
#ifndef POLICY_PATTERN_H
#define POLICY_PATTERN_H

#include "base/mem.h"
#include "base/span.h"
#include "policy/policy.h"

#include <stdint.h>

enum policy_pattern_kind {
	POLICY_PATTERN_TEXT,   /* the input is this text */
	POLICY_PATTERN_PREFIX, /* it starts with this text, and has no newline after it */
	POLICY_PATTERN_REGEX,
};

struct policy_pattern {
	const char *source; /* as written; borrowed */
	enum policy_pattern_kind kind;
	char *literal; /* what a matching input starts with */
	size_t n_literal;
	void *code; /* REGEX: pcre2_code */
};

/*
 * Compiles text, which must outlive the pattern. 0; -EINVAL with a sentence
 * that names the byte (from 1) in why; -ENOMEM.
 */
int policy_pattern_init(struct policy_pattern *pattern, const char *text, char why[160]) must_check;
void policy_pattern_done(struct policy_pattern *pattern);

/* 1 it matches, 0 it does not, -1 a limit was hit. */
int policy_pattern_match(
	const struct policy_pattern *pattern, struct span input, struct policy_scratch *scratch);

#endif
