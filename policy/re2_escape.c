#include "policy/re2_reader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int policy_re2_refuse(struct policy_re2_reader *r, size_t at, const char *fmt, ...)
{
	char text[120];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(r->why, 160, "%s, at byte %zu of the pattern", text, at + 1);
	return -EINVAL;
}

bool policy_re2_take(struct policy_re2_reader *r, const char *what)
{
	size_t n = strlen(what);

	if (r->n - r->at < n || memcmp(r->text + r->at, what, n))
		return false;
	r->at += n;
	return true;
}

void policy_re2_put(struct policy_re2_reader *r, const char *what)
{
	size_t n = strlen(what);

	memcpy(r->out + r->n_out, what, n);
	r->n_out += n;
}

void policy_re2_put_char(struct policy_re2_reader *r, uint32_t c)
{
	bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
	char text[16];

	snprintf(text, sizeof(text), plain ? "%c" : "\\x{%x}", c);
	policy_re2_put(r, text);
}

/* One character of the pattern as itself; it is UTF-8, that was checked. */
uint32_t policy_re2_next(struct policy_re2_reader *r)
{
	const unsigned char *p = (const unsigned char *)r->text + r->at;
	uint32_t c = p[0];
	size_t len = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;

	if (len > 1)
		c &= 0xFFu >> (len + 1);
	for (size_t i = 1; i < len; i++)
		c = c << 6 | (p[i] & 0x3F);
	r->at += len;
	return c;
}

static int digit(char c, int base)
{
	int value = c >= '0' && c <= '9'   ? c - '0'
		    : c >= 'a' && c <= 'f' ? c - 'a' + 10
		    : c >= 'A' && c <= 'F' ? c - 'A' + 10
					   : 99;

	return value < base ? value : -1;
}

static int hex_char(struct policy_re2_reader *r, size_t start, uint32_t *ret_c)
{
	bool braces = policy_re2_take(r, "{");
	size_t n = 0;
	uint32_t c = 0;

	while (digit(policy_re2_peek(r), 16) >= 0 && n < (braces ? 8 : 2)) {
		c = c * 16 + (uint32_t)digit(policy_re2_peek(r), 16);
		r->at++;
		n++;
	}
	if (braces ? !n || !policy_re2_take(r, "}") : n != 2)
		return policy_re2_refuse(
			r, start, "\\x needs two hexadecimal digits, or some in {}");
	if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
		return policy_re2_refuse(r, start, "there is no character %x", c);
	*ret_c = c;
	return 0;
}

static bool octal_char(struct policy_re2_reader *r, uint32_t *ret_c)
{
	char c = policy_re2_peek(r);

	if (digit(c, 8) < 0 || (c != '0' && (r->n - r->at < 2 || digit(r->text[r->at + 1], 8) < 0)))
		return false;
	*ret_c = 0;
	for (int i = 0; i < 3 && digit(policy_re2_peek(r), 8) >= 0; i++, r->at++)
		*ret_c = *ret_c * 8 + (uint32_t)digit(policy_re2_peek(r), 8);
	return true;
}

/* What a backslash makes of the next byte, when that is one character. */
int policy_re2_escaped(struct policy_re2_reader *r, uint32_t *ret_c)
{
	static const char CONTROLS[][2] = {
		{'a', '\a'}, {'f', '\f'}, {'t', '\t'}, {'n', '\n'}, {'r', '\r'}, {'v', '\v'}};
	size_t start = r->at - 1;
	char c = policy_re2_peek(r);

	if (policy_re2_at_end(r))
		return policy_re2_refuse(r, start, "a backslash ends the pattern");
	if (octal_char(r, ret_c))
		return 0;
	if (c >= '1' && c <= '9')
		return policy_re2_refuse(r, start, "references to groups (\\%c) are not in RE2", c);
	if (policy_re2_take(r, "x"))
		return hex_char(r, start, ret_c);
	for (size_t i = 0; i < ARRAY_SIZE(CONTROLS); i++)
		if (CONTROLS[i][0] == c) {
			*ret_c = (unsigned char)CONTROLS[i][1];
			r->at++;
			return 0;
		}
	if ((unsigned char)c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
		return policy_re2_refuse(
			r, start, "RE2 has no escape \\%c", (unsigned char)c < 0x80 ? c : '?');
	*ret_c = policy_re2_next(r);
	return 0;
}

/* \pL, \p{Greek}, \P..., after the p. Names of two bytes are categories, longer ones scripts. */
static int property(struct policy_re2_reader *r, size_t start, char letter)
{
	static const char CATEGORIES[] = "C Cc Cf Co Cs L Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No "
					 "P Pc Pd Pe Pf Pi Po Ps S Sc Sk Sm So Z Zl Zp Zs ";
	char name[40] = "", key[8];
	bool braces = policy_re2_take(r, "{"), negated = braces && policy_re2_take(r, "^");
	size_t n = 0;

	while (n < (braces ? sizeof(name) - 1 : 1) &&
		(policy_re2_peek(r) == '_' ||
			(policy_re2_peek(r) >= 'A' && policy_re2_peek(r) <= 'Z') ||
			(policy_re2_peek(r) >= 'a' && policy_re2_peek(r) <= 'z')))
		name[n++] = r->text[r->at++];
	if (!n || (braces && !policy_re2_take(r, "}")))
		return policy_re2_refuse(r, start, "\\p needs a letter, or a name in {}");
	snprintf(key, sizeof(key), "%.2s ", name);
	if (n <= 2 && !strstr(CATEGORIES, key))
		return policy_re2_refuse(r, start, "there is no category %s", name);
	policy_re2_put(r, (letter == 'P') != negated ? "\\P{" : "\\p{");
	policy_re2_put(r, n <= 2 || !strcmp(name, "Any") ? "" : "sc:");
	policy_re2_put(r, name);
	policy_re2_put(r, "}");
	return 0;
}

/* \d and its like; 0 when this is none, 1 when it was written. */
int policy_re2_class_escape(struct policy_re2_reader *r, bool in_class)
{
	static const struct {
		char letter;
		const char *alone, *inside;
	} ESCAPES[] = {
		{'d', "\\d", "\\d"},
		{'D', "\\D", "\\D"},
		{'w', "\\w", "\\w"},
		{'W', "\\W", "\\W"},
		{'s', "[" POLICY_RE2_SPACES "]", POLICY_RE2_SPACES},
		{'S', "[^" POLICY_RE2_SPACES "]", "\\S\\x{b}"},
	};
	char c = policy_re2_peek(r);
	int err;

	if (c == 'p' || c == 'P') {
		r->at++;
		err = property(r, r->at - 2, c);
		return err ? err : 1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(ESCAPES); i++)
		if (ESCAPES[i].letter == c) {
			policy_re2_put(r, in_class ? ESCAPES[i].inside : ESCAPES[i].alone);
			r->at++;
			return 1;
		}
	return 0;
}
