#include "policy/re2.h"

#include "base/span.h"
#include "base/utf8.h"
#include "policy/policy.h"
#include "policy/re2_reader.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* No byte of a pattern becomes more than this: the longest is [^\t\n\x{c}\r\x{20}] for \S. */
#define GROWTH 24

/* What an atom is worth: whether it can be repeated, and how often it already is. */
struct atom {
	bool repeatable;
	unsigned times;
};

static int alternatives(struct policy_re2_reader *r, unsigned depth, unsigned *ret_times);

/* The flags of (?i) or (?i: after the question mark. */
static int flags(struct policy_re2_reader *r, size_t start, bool *ret_group)
{
	bool minus = false, seen = false;

	for (;; r->at++) {
		char c = policy_re2_peek(r), text[2] = {c, 0};

		if (c && strchr("imsU", c)) {
			seen = true;
		} else if (c == '-' && !minus) {
			minus = true;
			seen = false;
		} else if ((c == ':' || c == ')') && (seen || !minus)) {
			*ret_group = c == ':';
			policy_re2_put(r, *ret_group ? ":" : ")");
			r->at++;
			return 0;
		} else {
			return policy_re2_refuse(r, start,
				"RE2 has no such group: no look-around, atomic or "
				"conditional ones");
		}
		policy_re2_put(r, text);
	}
}

static int named_group(struct policy_re2_reader *r, size_t start)
{
	size_t n = 0;

	while ((policy_re2_peek(r) >= 'a' && policy_re2_peek(r) <= 'z') ||
		(policy_re2_peek(r) >= 'A' && policy_re2_peek(r) <= 'Z') ||
		(policy_re2_peek(r) >= '0' && policy_re2_peek(r) <= '9') ||
		policy_re2_peek(r) == '_') {
		r->at++;
		n++;
	}
	if (!n || !policy_re2_take(r, ">"))
		return policy_re2_refuse(r, start, "a group's name is letters, digits and _");
	policy_re2_put(r, ":");
	return 0;
}

/* After the (. */
static int group(struct policy_re2_reader *r, unsigned depth, struct atom *atom)
{
	size_t start = r->at - 1;
	bool scoped = true;
	int err = 0;

	if (depth == POLICY_RE2_DEPTH)
		return policy_re2_refuse(
			r, start, "more than %d groups in each other", POLICY_RE2_DEPTH);
	policy_re2_put(r, "(?");
	if (!policy_re2_take(r, "?"))
		policy_re2_put(r, ":");
	else if (policy_re2_take(r, "P<") ||
		 (r->n - r->at > 1 && r->text[r->at + 1] != '=' && r->text[r->at + 1] != '!' &&
			 policy_re2_take(r, "<")))
		err = named_group(r, start);
	else
		err = flags(r, start, &scoped);
	atom->repeatable = scoped;
	if (err || !scoped)
		return err;
	err = alternatives(r, depth + 1, &atom->times);
	if (err)
		return err;
	if (!policy_re2_take(r, ")"))
		return policy_re2_refuse(r, start, "a group is not closed by )");
	policy_re2_put(r, ")");
	return 0;
}

/* \Q...\E, after the Q: all but its last character, which a repetition would concern. */
static int quoted(struct policy_re2_reader *r, struct atom *atom)
{
	bool any = false;

	while (!policy_re2_at_end(r) && !policy_re2_take(r, "\\E")) {
		policy_re2_put_char(r, policy_re2_next(r));
		any = true;
	}
	atom->repeatable = any;
	return 0;
}

static int escape(struct policy_re2_reader *r, struct atom *atom)
{
	static const char *const ASSERTIONS[][2] = {
		{"A", "(?:\\A)"}, {"z", "(?:\\z)"}, {"b", "(?:\\b)"}, {"B", "(?:\\B)"}};
	uint32_t c;
	int done;

	for (size_t i = 0; i < ARRAY_SIZE(ASSERTIONS); i++)
		if (policy_re2_take(r, ASSERTIONS[i][0])) {
			policy_re2_put(r, ASSERTIONS[i][1]);
			return 0;
		}
	if (policy_re2_take(r, "Q"))
		return quoted(r, atom);
	done = policy_re2_class_escape(r, false);
	if (done)
		return done < 0 ? done : 0;
	done = policy_re2_escaped(r, &c);
	if (!done)
		policy_re2_put_char(r, c);
	return done;
}

static int read_atom(struct policy_re2_reader *r, unsigned depth, struct atom *atom)
{
	*atom = (struct atom){true, 1};
	if (policy_re2_take(r, "("))
		return group(r, depth, atom);
	if (policy_re2_take(r, "["))
		return policy_re2_class(r);
	if (policy_re2_take(r, "\\"))
		return escape(r, atom);
	if (policy_re2_take(r, "."))
		policy_re2_put(r, ".");
	else if (policy_re2_take(r, "^"))
		policy_re2_put(r, "(?:^)");
	else if (policy_re2_take(r, "$"))
		policy_re2_put(r, "(?:$)");
	else
		policy_re2_put_char(r, policy_re2_next(r));
	return 0;
}

static bool number(const struct policy_re2_reader *r, size_t *at, unsigned *ret)
{
	size_t start = *at;

	*ret = 0;
	while (*at < r->n && r->text[*at] >= '0' && r->text[*at] <= '9') {
		*ret = *ret > POLICY_RE2_REPEAT ? *ret : *ret * 10 + (unsigned)(r->text[*at] - '0');
		++*at;
	}
	return *at > start;
}

/* Is this {n}, {n,} or {n,m}? Anything else in braces is text. */
static bool read_braces(struct policy_re2_reader *r, unsigned *ret_low, unsigned *ret_high)
{
	size_t at = r->at + 1;

	if (policy_re2_peek(r) != '{' || !number(r, &at, ret_low))
		return false;
	*ret_high = *ret_low;
	if (at < r->n && r->text[at] == ',') {
		at++;
		if (at < r->n && r->text[at] != '}' && !number(r, &at, ret_high))
			return false;
	}
	if (at >= r->n || r->text[at] != '}')
		return false;
	r->at = at + 1;
	return true;
}

static bool is_repetition(struct policy_re2_reader *r)
{
	size_t at = r->at;
	unsigned low, high;
	bool is = (policy_re2_peek(r) && strchr("*+?", policy_re2_peek(r))) ||
		  read_braces(r, &low, &high);

	r->at = at;
	return is;
}

static int repetition(struct policy_re2_reader *r, struct atom *atom)
{
	size_t start = r->at;
	unsigned low = 0, high = 0;

	if (!is_repetition(r))
		return 0;
	if (!atom->repeatable)
		return policy_re2_refuse(r, start, "there is nothing to repeat here");
	if (read_braces(r, &low, &high)) {
		char text[40];

		if (low > high || high > POLICY_RE2_REPEAT)
			return policy_re2_refuse(r, start,
				"a repetition goes from less to more, up to %d", POLICY_RE2_REPEAT);
		atom->times *= high ? high : 1;
		if (atom->times > POLICY_RE2_REPEAT)
			return policy_re2_refuse(r, start,
				"repetitions in each other make more than %d", POLICY_RE2_REPEAT);
		snprintf(text, sizeof(text), "%.*s", (int)(r->at - start), r->text + start);
		policy_re2_put(r, text);
	} else {
		policy_re2_put(r, (char[2]){r->text[r->at++], 0});
	}
	if (policy_re2_take(r, "?"))
		policy_re2_put(r, "?");
	if (is_repetition(r))
		return policy_re2_refuse(r, r->at, "a repetition of a repetition is not in RE2");
	return 0;
}

static int branch(struct policy_re2_reader *r, unsigned depth, unsigned *times)
{
	struct atom atom = {false, 1};
	int err = 0;

	if (is_repetition(r))
		return policy_re2_refuse(r, r->at, "there is nothing to repeat here");
	while (!err && !policy_re2_at_end(r) && policy_re2_peek(r) != '|' &&
		policy_re2_peek(r) != ')') {
		err = read_atom(r, depth, &atom);
		if (!err)
			err = repetition(r, &atom);
		if (atom.times > *times)
			*times = atom.times;
	}
	return err;
}

static int alternatives(struct policy_re2_reader *r, unsigned depth, unsigned *ret_times)
{
	int err = branch(r, depth, ret_times);

	while (!err && policy_re2_take(r, "|")) {
		policy_re2_put(r, "|");
		err = branch(r, depth, ret_times);
	}
	return err;
}

/* What every match starts with, found without understanding more than plain text. */
static void find_literal(struct policy_re2_reader *r, struct policy_re2 *re2)
{
	size_t before = 0;

	r->at = 0;
	while (!strchr(r->text, '|') && !policy_re2_at_end(r) &&
		!strchr("^$.[]()*+?{", policy_re2_peek(r))) {
		before = r->at;
		if (policy_re2_take(r, "\\") &&
			(!policy_re2_peek(r) || !strchr("./-_:", policy_re2_peek(r))))
			break;
		policy_re2_next(r);
		if (is_repetition(r))
			break;
		for (size_t i = before + (r->text[before] == '\\'); i < r->at; i++)
			re2->literal[re2->n_literal++] = r->text[i];
		before = r->at;
	}
	re2->whole = before == r->n && !strchr(r->text, '|');
	re2->anything = r->n - before == 2 && !memcmp(r->text + before, ".*", 2);
}

static int check_text(struct policy_re2_reader *r)
{
	struct span left = {r->text, r->n};

	if (r->n > POLICY_PATTERN_MAX)
		return policy_re2_refuse(
			r, POLICY_PATTERN_MAX, "longer than %d bytes", POLICY_PATTERN_MAX);
	while (left.n) {
		size_t len = base_utf8_next(left);

		if (!len)
			return policy_re2_refuse(r, r->n - left.n, "not UTF-8");
		left.p += len;
		left.n -= len;
	}
	return 0;
}

int policy_re2_translate(const char *text, struct policy_re2 *ret, char why[160])
{
	struct policy_re2_reader r = {.text = text, .n = strlen(text), .why = why};
	cleanup(free) char *out = NULL;
	cleanup(free) char *literal = NULL;
	unsigned times = 1;
	int err = check_text(&r);

	if (err)
		return err;
	out = malloc((r.n + 1) * GROWTH);
	literal = malloc(r.n + 1);
	if (!out || !literal)
		return -ENOMEM;
	r.out = out;
	err = alternatives(&r, 0, &times);
	if (err)
		return err;
	if (!policy_re2_at_end(&r))
		return policy_re2_refuse(&r, r.at, "a ) closes nothing");
	out[r.n_out] = '\0';
	*ret = (struct policy_re2){.literal = literal};
	find_literal(&r, ret);
	ret->pcre = TAKE_PTR(out);
	ret->literal = TAKE_PTR(literal);
	return 0;
}
