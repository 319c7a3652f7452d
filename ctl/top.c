/* What goes on, anew every few seconds: rates out of two scrapes of the metrics. */
#include "ctl/args.h"
#include "ctl/commands.h"
#include "ctl/fetch.h"
#include "ctl/options.h"
#include "ctl/out.h"
#include "ctl/samples.h"
#include "token/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define REASONS_SHOWN 8

enum { INTERVAL, COUNT };
static const struct ctl_option OPTIONS[] = {{"interval", 0, 0}, {"count", 0, 0}};

struct scrape {
	struct ctl_samples samples;
	double at; /* seconds */
};

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static enum ctl_exit scrape(const char *name, const char *socket_path, struct scrape *ret)
{
	cleanup(net_answer) struct net_answer *answer = NULL;
	enum ctl_exit rc = ctl_fetch(name, socket_path, "/metrics", &answer);

	if (rc)
		return rc;
	ctl_out_clean(answer->body, true);
	ret->at = now_s();
	return ctl_samples_read(strdup(answer->body), &ret->samples) ? CTL_FAILED : CTL_OK;
}

static double rate(
	const struct scrape *a, const struct scrape *b, const char *name, const char *label)
{
	return (ctl_samples_sum(&b->samples, name, label) -
		       ctl_samples_sum(&a->samples, name, label)) /
	       (b->at - a->at);
}

/* Times are shown in the unit that fits. */
static const char *duration(double s, char buf[32])
{
	if (s < 0)
		return "-";
	if (s < 1e-3)
		snprintf(buf, 32, "%.1f us", s * 1e6);
	else if (s < 1)
		snprintf(buf, 32, "%.1f ms", s * 1e3);
	else
		snprintf(buf, 32, isinf(s) ? "over 2 s" : "%.1f s", s);
	return buf;
}

/* {"allow": per second, ..., "reasons": {...}, ...}. */
static json_t *measure(const struct scrape *a, const struct scrape *b)
{
	static const char DECISIONS[] = "identityd_decisions_total";
	static const struct {
		const char *as, *name;
	} GAUGES[] = {{"connections", "identityd_spop_connections"},
		{"waiting", "identityd_spop_waiting"},
		{"cached_tokens", "identityd_token_cache_entries"}, {"flows", "identityd_flows"},
		{"revocations", "identityd_revocations"}, {"enforced", "identityd_enforced"},
		{"ready", "identityd_ready"}};
	static const char *const VERDICTS[] = {"allow", "deny", "error"};
	double cached = rate(a, b, "identityd_tokens_total", "from=\"cache\"");
	double verified = rate(a, b, "identityd_tokens_total", "from=\"verification\"");
	json_t *json = json_object(), *reasons = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(VERDICTS); i++) {
		char label[40];

		snprintf(label, sizeof(label), "verdict=\"%s\"", VERDICTS[i]);
		json_object_set_new(json, VERDICTS[i], json_real(rate(a, b, DECISIONS, label)));
	}
	for (size_t i = 0; i < b->samples.n; i++) {
		const char *at = strstr(b->samples.items[i].series, ",reason=\"");
		char label[100], word[80];
		double per_s;

		if (!at || strncmp(b->samples.items[i].series, DECISIONS, sizeof(DECISIONS) - 1))
			continue;
		snprintf(word, sizeof(word), "%.*s", (int)strcspn(at + 9, "\""), at + 9);
		snprintf(label, sizeof(label), "reason=\"%s\"", word);
		per_s = rate(a, b, DECISIONS, label);
		if (per_s > 0)
			json_object_set_new(reasons, word, json_real(per_s));
	}
	json_object_set_new(json, "reasons", reasons);
	json_object_set_new(json, "frame_p50_s",
		json_real(ctl_samples_quantile(
			&a->samples, &b->samples, "identityd_frame_seconds", 0.5)));
	json_object_set_new(json, "frame_p99_s",
		json_real(ctl_samples_quantile(
			&a->samples, &b->samples, "identityd_frame_seconds", 0.99)));
	json_object_set_new(json, "cpu", json_real(rate(a, b, "process_cpu_seconds_total", "")));
	json_object_set_new(json, "cache_hits",
		cached + verified > 0 ? json_real(cached / (cached + verified)) : json_null());
	for (size_t i = 0; i < ARRAY_SIZE(GAUGES); i++)
		json_object_set_new(json, GAUGES[i].as,
			json_real(ctl_samples_get(&b->samples, GAUGES[i].name)));
	return json;
}

static double number(const json_t *json, const char *key)
{
	return json_number_value(json_object_get(json, key));
}

static void render(const json_t *m, FILE *to)
{
	const json_t *hits = json_object_get(m, "cache_hits");
	const char *reason;
	char p50[32], p99[32], share[16] = "-";
	json_t *value;
	int left = REASONS_SHOWN;

	if (json_is_real(hits))
		snprintf(share, sizeof(share), "%.1f %%", 100 * json_real_value(hits));
	if (number(m, "ready") < 1)
		fprintf(to, "%s!! NOT READY: identityctl status says why%s\n",
			ctl_out_color(to, CTL_OUT_BAD), ctl_out_color(to, CTL_OUT_PLAIN));
	fprintf(to, "requests     %.0f/s: %.0f allow, %.0f deny, %.0f error\n",
		number(m, "allow") + number(m, "deny") + number(m, "error"), number(m, "allow"),
		number(m, "deny"), number(m, "error"));
	fprintf(to, "frames       half within %s, 99 of 100 within %s\n",
		duration(number(m, "frame_p50_s"), p50), duration(number(m, "frame_p99_s"), p99));
	fprintf(to, "processor    %.0f %% of one\n", 100 * number(m, "cpu"));
	fprintf(to, "connections  %.0f, %.0f requests wait\n", number(m, "connections"),
		number(m, "waiting"));
	fprintf(to, "tokens       %.0f remembered, %s of requests found theirs\n",
		number(m, "cached_tokens"), share);
	fprintf(to, "kernel       %s, %.0f flows; %.0f revocations\n",
		number(m, "enforced") > 0 ? "enforced" : "not enforced", number(m, "flows"),
		number(m, "revocations"));
	json_object_foreach (json_object_get(m, "reasons"), reason, value)
		if (left-- > 0)
			ctl_out_line(to, "  %-24s %.1f/s", reason, json_real_value(value));
}

static void show(const struct scrape *a, const struct scrape *b, bool as_json)
{
	cleanup(json) json_t *m = measure(a, b);

	if (as_json) {
		json_dumpf(m, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
		putchar('\n');
		return;
	}
	/* ECMA-48: cursor to the first place, erase the page. */
	if (isatty(STDOUT_FILENO))
		fputs("\033[H\033[2J", stdout);
	render(m, stdout);
	if (!isatty(STDOUT_FILENO))
		putchar('\n');
}

enum ctl_exit ctl_top(int argc, char **argv)
{
	struct scrape a = {0}, b = {0};
	long long interval = 2, count = 0;
	struct ctl_options o;
	enum ctl_exit rc = ctl_options_read(argc, argv, OPTIONS, ARRAY_SIZE(OPTIONS),
		CTL_TAKES_SOCKET | CTL_TAKES_OUTPUT, 0, 0, NULL, &o);

	if (rc)
		return rc;
	if (o.values[INTERVAL] && !ctl_options_number(o.values[INTERVAL], 1, 3600, &interval))
		return ctl_args_usage(argv[0], "--interval takes 1 to 3600 seconds");
	if (o.values[COUNT] && !ctl_options_number(o.values[COUNT], 1, 1000000, &count))
		return ctl_args_usage(argv[0], "--count takes 1 to 1000000");
	rc = scrape(argv[0], o.socket, &a);
	for (long long i = 0; !rc && (!count || i < count); i++) {
		sleep((unsigned)interval);
		rc = scrape(argv[0], o.socket, &b);
		if (rc)
			break;
		show(&a, &b, o.json);
		rc = fflush(stdout) ? CTL_FAILED : CTL_OK;
		ctl_samples_done(&a.samples);
		a = b;
		b = (struct scrape){0};
	}
	ctl_samples_done(&a.samples);
	return rc;
}
