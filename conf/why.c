#include "conf/why.h"

#include <string.h>

/*
 * libyaml's messages are about its own states; these are about the file. Where
 * it tells both the start of what broke and the place where it noticed, `at_start`
 * says that the start helps more.
 */
static const struct {
	const char *problem;
	bool at_start;
	const char *sentence;
} SENTENCES[] = {
	{"found character that cannot start any token", false,
		"a value cannot start with this character: quote it, and indent with blanks, not "
		"tabs"},
	{"mapping values are not allowed in this context", false,
		"a ':' cannot stand here: quote the text before it, or check the indentation"},
	{"mapping keys are not allowed in this context", false,
		"a '?' cannot stand here: quote the text"},
	{"block sequence entries are not allowed in this context", false,
		"a '-' cannot stand here: start a new line for it, or check the indentation"},
	{"could not find expected ':'", true, "a key needs a ':' and a blank after it"},
	{"did not find expected key", false,
		"a key was expected here: check the indentation and the quotes"},
	{"did not find expected '-' indicator", false,
		"a list entry that starts with '-' was expected here: check the indentation"},
	{"did not find expected ',' or ']'", false, "a ',' or ']' was expected here"},
	{"did not find expected ',' or '}'", false, "a ',' or '}' was expected here"},
	{"did not find expected node content", false, "a value was expected here"},
	{"found unexpected end of stream", true, "the quote that opens here is never closed"},
	{"found unexpected document indicator", true, "the quote that opens here is never closed"},
	{"found unknown escape character", false,
		"this backslash means nothing in double quotes: use single quotes for plain text"},
	{"found a tab character that violates indentation", false,
		"a tab cannot indent: use blanks"},
	{"found a tab character where an indentation space is expected", false,
		"a tab cannot indent: use blanks"},
	{"did not find expected <document start>", false,
		"more text after the end of the document"},
	{"found undefined tag handle", false, "tags are not allowed"},
	{"control characters are not allowed", false, "a control character cannot stand here"},
};

const char *conf_why(const char *problem, bool *ret_at_start)
{
	*ret_at_start = false;
	if (!problem)
		return "this cannot be read as YAML";
	for (size_t i = 0; i < sizeof(SENTENCES) / sizeof(SENTENCES[0]); i++) {
		if (strcmp(SENTENCES[i].problem, problem))
			continue;
		*ret_at_start = SENTENCES[i].at_start;
		return SENTENCES[i].sentence;
	}
	return problem;
}
