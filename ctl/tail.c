/* Decisions as they happen: what is new is asked for, a few times a second. */
#include "ctl/args.h"
#include "ctl/commands.h"
#include "ctl/fetch.h"
#include "ctl/flow_line.h"
#include "ctl/options.h"
#include "ctl/out.h"
#include "token/json.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOOK_US (250 * 1000)

enum { IDENTITY, LABEL, VERDICT, LINES, NO_FOLLOW };
static const struct ctl_option OPTIONS[] = {{"identity", 0, 0}, {"label", 0, 0}, {"verdict", 0, 0},
	{"lines", 0, 0}, {"no-follow", 1, 0}};

struct filter {
	long long identity; /* 0: every one */
	const char *label, *verdict;
};

static bool has_label(const json_t *flow, const char *wanted)
{
	const json_t *labels = json_object_get(json_object_get(flow, "source"), "labels");
	const json_t *label;
	size_t i;

	json_array_foreach (labels, i, label) {
		const char *text = json_string_value(label);
		const char *key = text ? strchr(text, ':') : NULL;

		/* With or without the source in front. */
		if (text && (!strcmp(text, wanted) || (key && !strcmp(key + 1, wanted))))
			return true;
	}
	return false;
}

static bool passes(const struct filter *filter, const json_t *flow)
{
	const json_t *id = json_object_get(json_object_get(flow, "source"), "identity");

	return (!filter->identity || json_integer_value(id) == filter->identity) &&
	       (!filter->label || has_label(flow, filter->label)) &&
	       (!filter->verdict || !strcmp(ctl_flow_verdict(flow), filter->verdict));
}

static void print(const json_t *line, bool as_json)
{
	const json_t *flow = json_object_get(line, "flow");
	const char *time = json_string_value(json_object_get(line, "time"));

	if (as_json) {
		json_dumpf(line, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
		putchar('\n');
		return;
	}
	/* "2026-11-25T17:03:05.123456789Z": the time of day to the millisecond. */
	ctl_out_text(stdout, "%.12s ", time && strlen(time) > 23 ? time + 11 : "-");
	ctl_flow_print(flow, stdout);
}

/* Prints what is new; the daemon's number of the last in *after. */
static enum ctl_exit look(const char *name, const struct ctl_options *o,
	const struct filter *filter, long long limit, long long *after, long long *lost)
{
	cleanup(json) json_t *news = NULL;
	const json_t *line;
	long long now_lost;
	char path[100];
	enum ctl_exit rc;
	size_t i;

	snprintf(path, sizeof(path), "/api/v1/decisions?after=%lld&limit=%lld", *after, limit);
	rc = ctl_fetch_json(name, o->socket, path, NULL, &news);
	if (rc)
		return rc;
	json_array_foreach (json_object_get(news, "decisions"), i, line)
		if (passes(filter, json_object_get(line, "flow")))
			print(line, o->json);
	now_lost = json_integer_value(json_object_get(news, "lost"));
	if (*lost >= 0 && now_lost > *lost)
		ctl_args_complain(
			name, "%lld decisions were too many to be shown", now_lost - *lost);
	*lost = now_lost;
	*after = json_integer_value(json_object_get(news, "next"));
	return CTL_OK;
}

static enum ctl_exit follow(
	const char *name, const struct ctl_options *o, const struct filter *filter, long long lines)
{
	long long after = 0, lost = -1;
	enum ctl_exit rc = look(name, o, filter, lines, &after, &lost);

	while (!rc && !o->values[NO_FOLLOW]) {
		if (fflush(stdout))
			return CTL_FAILED;
		usleep(LOOK_US);
		rc = look(name, o, filter, 1024, &after, &lost);
	}
	return rc;
}

enum ctl_exit ctl_tail(int argc, char **argv)
{
	static const char *const VERDICTS[] = {"allow", "deny", "error", "audit"};
	struct filter filter = {0};
	struct ctl_options o;
	long long lines = 10;
	enum ctl_exit rc = ctl_options_read(argc, argv, OPTIONS, ARRAY_SIZE(OPTIONS),
		CTL_TAKES_SOCKET | CTL_TAKES_OUTPUT, 0, 0, NULL, &o);
	bool known = !o.values[VERDICT];

	if (rc)
		return rc;
	filter.label = o.values[LABEL];
	filter.verdict = o.values[VERDICT];
	for (size_t i = 0; !known && i < ARRAY_SIZE(VERDICTS); i++)
		known = !strcmp(filter.verdict, VERDICTS[i]);
	if (!known)
		return ctl_args_usage(argv[0], "--verdict takes allow, deny, error or audit");
	if (o.values[IDENTITY] &&
		!ctl_options_number(o.values[IDENTITY], 1, UINT32_MAX, &filter.identity))
		return ctl_args_usage(argv[0], "'%s' is no identity", o.values[IDENTITY]);
	if (o.values[LINES] && !ctl_options_number(o.values[LINES], 0, 1024, &lines))
		return ctl_args_usage(argv[0], "--lines takes 0 to 1024");
	return follow(argv[0], &o, &filter, lines);
}
