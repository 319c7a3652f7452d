#define PCRE2_CODE_UNIT_WIDTH 8
#include "policy/pattern.h"

#include "base/utf8.h"
#include "policy/re2.h"

#include <errno.h>
#include <pcre2.h>
#include <stdio.h>
#include <string.h>

#define OPTIONS                                                                                    \
	(PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_UTF | PCRE2_MATCH_INVALID_UTF |                \
		PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_CIRCUMFLEX | PCRE2_NO_AUTO_CAPTURE |              \
		PCRE2_NEVER_BACKSLASH_C)

/* What one match may cost; RE2 needs no limit, a search that tries again and again does. */
#define MATCH_LIMIT 100000
#define DEPTH_LIMIT 10000
#define HEAP_KIB    4096

struct policy_scratch {
	pcre2_match_context *context;
	pcre2_match_data *data;
};

struct policy_scratch *policy_scratch_new(void)
{
	cleanup(policy_scratch) struct policy_scratch *scratch = calloc(1, sizeof(*scratch));

	if (!scratch)
		return NULL;
	scratch->context = pcre2_match_context_create(NULL);
	scratch->data = pcre2_match_data_create(1, NULL);
	if (!scratch->context || !scratch->data)
		return NULL;
	pcre2_set_match_limit(scratch->context, MATCH_LIMIT);
	pcre2_set_depth_limit(scratch->context, DEPTH_LIMIT);
	pcre2_set_heap_limit(scratch->context, HEAP_KIB);
	return TAKE_PTR(scratch);
}

void policy_scratch_free(struct policy_scratch *scratch)
{
	if (!scratch)
		return;
	pcre2_match_data_free(scratch->data);
	pcre2_match_context_free(scratch->context);
	free(scratch);
}

static int compile(struct policy_pattern *pattern, const char *pcre, char why[160])
{
	PCRE2_SIZE at;
	PCRE2_UCHAR text[100] = "";
	int error;

	pattern->code =
		pcre2_compile((PCRE2_SPTR)pcre, PCRE2_ZERO_TERMINATED, OPTIONS, &error, &at, NULL);
	if (pattern->code) {
		/* Without the just-in-time compiler the interpreter matches, with the same limits. */
		(void)pcre2_jit_compile(pattern->code, PCRE2_JIT_COMPLETE);
		return 0;
	}
	if (error == PCRE2_ERROR_HEAP_FAILED || error == PCRE2_ERROR_NOMEMORY)
		return -ENOMEM;
	pcre2_get_error_message(error, text, sizeof(text));
	snprintf(why, 160, "PCRE2 does not take the pattern: %s", (const char *)text);
	return -EINVAL;
}

static void cleanup_fn_re2(struct policy_re2 *re2)
{
	free(re2->pcre);
	free(re2->literal);
}

int policy_pattern_init(struct policy_pattern *pattern, const char *text, char why[160])
{
	cleanup(re2) struct policy_re2 re2 = {0};
	struct policy_pattern made = {.source = text, .kind = POLICY_PATTERN_REGEX};
	int err = policy_re2_translate(text, &re2, why);

	if (err)
		return err;
	if (re2.whole || re2.anything)
		made.kind = re2.whole ? POLICY_PATTERN_TEXT : POLICY_PATTERN_PREFIX;
	else
		err = compile(&made, re2.pcre, why);
	if (err)
		return err;
	made.literal = TAKE_PTR(re2.literal);
	made.n_literal = re2.n_literal;
	*pattern = made;
	return 0;
}

void policy_pattern_done(struct policy_pattern *pattern)
{
	free(pattern->literal);
	pcre2_code_free(pattern->code);
	*pattern = (struct policy_pattern){0};
}

/* What .* takes: characters, and no newline among them. */
static bool is_anything(struct span text)
{
	while (text.n) {
		size_t len = text.p[0] > 0 ? 1 : base_utf8_next(text);

		if ((!len && text.p[0]) || text.p[0] == '\n')
			return false;
		len = len ? len : 1;
		text.p += len;
		text.n -= len;
	}
	return true;
}

int policy_pattern_match(
	const struct policy_pattern *pattern, struct span input, struct policy_scratch *scratch)
{
	size_t n = pattern->n_literal;
	int rc;

	if (input.n < n || (n && memcmp(input.p, pattern->literal, n)))
		return 0;
	if (pattern->kind == POLICY_PATTERN_TEXT)
		return input.n == n;
	if (input.n > POLICY_INPUT_MAX)
		return -1;
	if (pattern->kind == POLICY_PATTERN_PREFIX)
		return is_anything((struct span){input.p + n, input.n - n});
	rc = pcre2_match(pattern->code, (PCRE2_SPTR)(input.p ? input.p : ""), input.n, 0, 0,
		scratch->data, scratch->context);
	if (rc == PCRE2_ERROR_NOMATCH)
		return 0;
	return rc >= 0 ? 1 : -1;
}
