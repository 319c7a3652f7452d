#include "policy/re2_reader.h"

#include "base/span.h"

#include <stdio.h>
#include <string.h>

/* [:alpha:] inside a class; 0 when this is none, 1 when it was written. */
static int posix_class(struct policy_re2_reader *r)
{
	static const char *const NAMES[] = {"alnum", "alpha", "ascii", "blank", "cntrl", "digit",
		"graph", "lower", "print", "punct", "space", "upper", "word", "xdigit"};
	const char *start = r->text + r->at;
	const char *end = r->n - r->at > 2 ? memmem(start + 2, r->n - r->at - 2, ":]", 2) : NULL;
	bool negated;
	char text[20];

	if (r->n - r->at < 2 || start[0] != '[' || start[1] != ':' || !end)
		return 0;
	negated = start[2] == '^';
	for (size_t i = 0; i < ARRAY_SIZE(NAMES); i++) {
		struct span name = {start + 2 + negated, (size_t)(end - start) - 2 - negated};

		if (end >= start + 2 + negated && span_is(name, NAMES[i])) {
			snprintf(text, sizeof(text), "[:%s%s:]", negated ? "^" : "", NAMES[i]);
			policy_re2_put(r, text);
			r->at += (size_t)(end - start) + 2;
			return 1;
		}
	}
	return policy_re2_refuse(r, r->at, "there is no such class in [: :]");
}

static int class_char(struct policy_re2_reader *r, uint32_t *ret_c)
{
	if (policy_re2_at_end(r))
		return policy_re2_refuse(r, r->at, "a class is not closed by ]");
	if (policy_re2_take(r, "\\"))
		return policy_re2_escaped(r, ret_c);
	*ret_c = policy_re2_next(r);
	return 0;
}

static int class_range(struct policy_re2_reader *r)
{
	size_t start = r->at;
	uint32_t low, high;
	int err = class_char(r, &low);

	if (err)
		return err;
	policy_re2_put_char(r, low);
	if (r->n - r->at < 2 || r->text[r->at] != '-' || r->text[r->at + 1] == ']')
		return 0;
	r->at++;
	err = class_char(r, &high);
	if (err)
		return err;
	if (high < low)
		return policy_re2_refuse(r, start, "a range of characters runs backwards");
	policy_re2_put(r, "-");
	policy_re2_put_char(r, high);
	return 0;
}

/* After the [. */
int policy_re2_class(struct policy_re2_reader *r)
{
	size_t start = r->at - 1;

	policy_re2_put(r, policy_re2_take(r, "^") ? "[^" : "[");
	for (bool first = true; first || policy_re2_peek(r) != ']'; first = false) {
		int done = posix_class(r);

		if (policy_re2_at_end(r))
			return policy_re2_refuse(r, start, "a class is not closed by ]");
		if (!done && r->n - r->at > 1 && policy_re2_peek(r) == '\\') {
			r->at++;
			done = policy_re2_class_escape(r, true);
			r->at -= done ? 0 : 1;
		}
		if (!done)
			done = class_range(r);
		if (done < 0)
			return done;
	}
	r->at++;
	policy_re2_put(r, "]");
	return 0;
}
