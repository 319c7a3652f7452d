#include "conf/spoe.h"

#include "base/span.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES (1024 * 1024)

/* HAProxy builds "txn.PREFIX.NAME" in 64 bytes; our own names are no longer than this. */
#define NAME_WHOLE 63
#define NAME_OURS  16

/* Nothing that we look at stands behind the third word; the rest of a line is not cut up. */
#define WORDS_MAX 32

struct words {
	struct span items[WORDS_MAX];
	size_t n;
	unsigned line;
	const char *start; /* of the line, for columns */
};

enum section {
	OTHER,
	AGENT,
	GROUP,
};

struct reader {
	const struct conf *conf;
	struct base_diag *diag;
	enum section section;
	struct span name; /* of the section */
	/* The agent that is being read. */
	unsigned agent_line;
	struct span prefix;
	struct span processing; /* the time as it stands there */
	unsigned processing_line, processing_column;
	bool ours, on_error, set_error;
	/* The whole file. */
	bool has_agent, has_group;
};

static unsigned column_of(const struct words *w, size_t i)
{
	return (unsigned)(w->items[i].p - w->start) + 1;
}

/* HAProxy's time: a number, and us, ms (understood), s, m, h or d. In microseconds; -1. */
static int64_t time_of(struct span s)
{
	static const struct {
		const char *unit;
		int64_t us;
	} UNITS[] = {
		{"", 1000},
		{"us", 1},
		{"ms", 1000},
		{"s", 1000000},
		{"m", INT64_C(60000000)},
		{"h", INT64_C(3600000000)},
		{"d", INT64_C(86400000000)},
	};
	int64_t v = 0;
	size_t digits = 0;

	for (; digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9'; digits++) {
		if (v > INT32_MAX) /* HAProxy's own limit is below */
			return -1;
		v = v * 10 + (s.p[digits] - '0');
	}
	s.p += digits;
	s.n -= digits;
	for (size_t i = 0; digits && i < ARRAY_SIZE(UNITS); i++)
		if (span_is(s, UNITS[i].unit))
			return v > INT64_MAX / UNITS[i].us ? -1 : v * UNITS[i].us;
	return -1;
}

static void on_timeout(struct reader *r, const struct words *w)
{
	if (w->n < 3 || !span_is(w->items[1], "processing"))
		return;
	r->processing = w->items[2];
	r->processing_line = w->line;
	r->processing_column = column_of(w, 2);
}

static void on_option(struct reader *r, const struct words *w)
{
	if (w->n < 2)
		return;
	if (span_is(w->items[1], "continue-on-error"))
		r->on_error = true;
	if (w->n < 3)
		return;
	if (span_is(w->items[1], "set-on-error"))
		r->set_error = true;
	if (span_is(w->items[1], "var-prefix"))
		r->prefix = w->items[2];
}

static void on_groups(struct reader *r, const struct words *w)
{
	for (size_t i = 1; i < w->n; i++)
		r->ours |= span_is(w->items[i], "identify");
}

static void on_messages(struct reader *r, const struct words *w)
{
	if (!span_is(r->name, "identify"))
		return;
	r->has_group = true;
	for (size_t i = 1; i < w->n; i++)
		if (!span_is(w->items[i], "identify"))
			base_diag_add(r->diag, w->line, column_of(w, i),
				"the group 'identify' sends the message 'identify' and no other");
}

static const struct keyword {
	enum section section;
	const char *name;
	void (*handle)(struct reader *r, const struct words *w);
} KEYWORDS[] = {
	{AGENT, "timeout", on_timeout},
	{AGENT, "option", on_option},
	{AGENT, "groups", on_groups},
	{GROUP, "messages", on_messages},
};

static void check_processing(struct reader *r)
{
	int64_t deadline = r->conf->spop.deadline;
	int64_t time;

	if (!r->processing.n) {
		base_diag_add(r->diag, r->agent_line, 1,
			"'timeout processing' is missing: HAProxy would wait for ever");
		return;
	}
	time = time_of(r->processing);
	if (time < 0)
		base_diag_add(r->diag, r->processing_line, r->processing_column, "this is no time");
	else if (time <= deadline * 1000)
		base_diag_add(r->diag, r->processing_line, r->processing_column,
			"'timeout processing' must be above identityd's spop.deadline, which is "
			"%lldms: HAProxy would give up before the answer",
			(long long)deadline);
}

static void check_names(struct reader *r)
{
	const struct conf_strings *exports = &r->conf->exports;
	struct span prefix = r->prefix.n ? r->prefix : r->name; /* SPOE.txt 2.2, var-prefix */
	size_t longest = NAME_OURS;

	for (size_t i = 0; i < exports->n; i++) {
		size_t n = strlen("claim_") + strlen(exports->items[i]);

		longest = n > longest ? n : longest;
	}
	longest += strlen("txn.") + prefix.n + strlen(".");
	if (longest > NAME_WHOLE)
		base_diag_add(r->diag, r->agent_line, 1,
			"with the prefix '%.*s' a variable's name may have %zu bytes; HAProxy "
			"takes %d",
			(int)(prefix.n < NAME_WHOLE ? prefix.n : NAME_WHOLE), prefix.p, longest,
			NAME_WHOLE);
}

/* The section ends: is what makes it ours complete? */
static void end_section(struct reader *r)
{
	if (r->section != AGENT || !r->ours)
		return;
	r->has_agent = true;
	check_processing(r);
	if (!r->on_error || !r->set_error)
		base_diag_add(r->diag, r->agent_line, 1,
			"'option %s' is missing: HAProxy would not ask the other agent",
			r->on_error ? "set-on-error" : "continue-on-error");
	check_names(r);
}

static void begin_section(struct reader *r, const struct words *w, enum section section)
{
	end_section(r);
	*r = (struct reader){
		.conf = r->conf,
		.diag = r->diag,
		.section = section,
		.name = w->n > 1 ? w->items[1] : (struct span){0},
		.agent_line = w->line,
		.has_agent = r->has_agent,
		.has_group = r->has_group,
	};
}

static void on_line(struct reader *r, const struct words *w)
{
	static const struct {
		const char *name;
		enum section section;
	} SECTIONS[] = {
		{"spoe-agent", AGENT},
		{"spoe-group", GROUP},
		{"spoe-message", OTHER},
	};

	if (!w->n)
		return;
	if (w->items[0].p[0] == '[') { /* the scope of an engine */
		begin_section(r, w, OTHER);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(SECTIONS); i++)
		if (span_is(w->items[0], SECTIONS[i].name)) {
			begin_section(r, w, SECTIONS[i].section);
			return;
		}
	for (size_t i = 0; i < ARRAY_SIZE(KEYWORDS); i++)
		if (KEYWORDS[i].section == r->section && span_is(w->items[0], KEYWORDS[i].name))
			KEYWORDS[i].handle(r, w);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The words of a line, up to a comment. Nothing that we look for may be quoted or escaped. */
static struct words words_of(const char *p, const char *end, unsigned line)
{
	struct words w = {.line = line, .start = p};

	while (w.n < WORDS_MAX) {
		const char *start;

		while (p < end && is_blank(*p))
			p++;
		if (p == end || *p == '#')
			break;
		start = p;
		while (p < end && !is_blank(*p))
			p++;
		w.items[w.n++] = (struct span){.p = start, .n = (size_t)(p - start)};
	}
	return w;
}

int conf_spoe_parse(const char *file, const char *text, size_t n, const struct conf *conf,
	struct base_diag *diag)
{
	struct reader r = {.conf = conf, .diag = diag};
	const char *end = text + n;
	size_t before = diag->n_found;
	unsigned line = 1;

	snprintf(diag->file, sizeof(diag->file), "%s", file);
	for (const char *p = text; p < end; line++) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		struct words w = words_of(p, eol ? eol : end, line);

		on_line(&r, &w);
		p = eol ? eol + 1 : end;
	}
	end_section(&r);
	if (!r.has_agent)
		base_diag_add(diag, 0, 0, "no spoe-agent has the group 'identify'");
	if (!r.has_group)
		base_diag_add(diag, 0, 0, "no spoe-group 'identify' has messages");
	return diag->n_found == before ? 0 : -EINVAL;
}

static void close_file(FILE *f)
{
	if (f)
		fclose(f);
}

DEFINE_CLEANUP(file, FILE *, close_file)

int conf_spoe_load(const char *path, const struct conf *conf, struct base_diag *diag)
{
	cleanup(free) char *text = malloc(FILE_BYTES + 1);
	cleanup(file) FILE *f = fopen(path, "re");
	size_t n;

	if (!text)
		return -ENOMEM;
	n = f ? fread(text, 1, FILE_BYTES + 1, f) : 0;
	if (f && !ferror(f) && n <= FILE_BYTES)
		return conf_spoe_parse(path, text, n, conf, diag);
	snprintf(diag->file, sizeof(diag->file), "%s", path);
	base_diag_add(diag, 0, 0, "cannot be read: %s", f ? "too large" : strerror(errno));
	return -EINVAL;
}
