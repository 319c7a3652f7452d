/*
 * The load generator's command line; one line of JSON comes out. See
 * docs/PERFORMANCE.md.
 */
#include "tests/bench/load.h"
#include "tests/bench/machine.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
	struct bench_load load;
	const char *tokens;
	size_t pad;
	int cpu;
};

static void set_where(struct options *o, const char *value)
{
	o->load.where = value;
}

static void set_conns(struct options *o, const char *value)
{
	o->load.n_conns = (size_t)atol(value);
}

static void set_depth(struct options *o, const char *value)
{
	o->load.depth = (size_t)atol(value);
}

static void set_tokens(struct options *o, const char *value)
{
	o->tokens = value;
}

static void set_pad(struct options *o, const char *value)
{
	o->pad = (size_t)atol(value);
}

static void set_raw(struct options *o, const char *value)
{
	o->load.raw_bytes = (size_t)atol(value);
}

static void set_verdict(struct options *o, const char *value)
{
	o->load.verdict = value;
}

static void set_actions(struct options *o, const char *value)
{
	o->load.actions = (size_t)atol(value);
}

static void set_warm(struct options *o, const char *value)
{
	o->load.warm_s = atof(value);
}

static void set_seconds(struct options *o, const char *value)
{
	o->load.measure_s = atof(value);
}

static void set_count(struct options *o, const char *value)
{
	o->load.count = strtoull(value, NULL, 10);
}

static void set_server(struct options *o, const char *value)
{
	o->load.server = (pid_t)atol(value);
}

static void set_cpu(struct options *o, const char *value)
{
	o->cpu = atoi(value);
}

static const struct {
	const char *name;
	void (*set)(struct options *o, const char *value);
	const char *help;
} OPTIONS[] = {
	{"--to", set_where, "PATH or ADDRESS:PORT of the agent"},
	{"--conns", set_conns, "connections (1)"},
	{"--depth", set_depth, "NOTIFYs in flight on each (1)"},
	{"--tokens", set_tokens, "file with a token on each line, sent in turn"},
	{"--pad", set_pad, "bytes of an argument that makes the NOTIFY longer (0)"},
	{"--raw", set_raw, "instead of NOTIFYs: so many bytes there and back"},
	{"--verdict", set_verdict, "that every ACK must end with (allow)"},
	{"--actions", set_actions, "variables that an ACK must name (any number)"},
	{"--warm", set_warm, "seconds before measuring (0.2)"},
	{"--seconds", set_seconds, "to measure (1)"},
	{"--count", set_count, "messages, instead of seconds"},
	{"--server", set_server, "process whose CPU time is measured"},
	{"--cpu", set_cpu, "core to stay on"},
};

static void usage(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(OPTIONS); i++)
		fprintf(stderr, "  %-10s %s\n", OPTIONS[i].name, OPTIONS[i].help);
	bench_die("load: --to and either --tokens or --raw are needed");
}

static void read_option(struct options *o, const char *name, const char *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(OPTIONS); i++) {
		if (strcmp(name, OPTIONS[i].name))
			continue;
		OPTIONS[i].set(o, value);
		return;
	}
	usage();
}

static void read_options(struct options *o, int argc, char **argv)
{
	if (argc % 2 == 0)
		usage();
	for (int i = 1; i < argc; i += 2)
		read_option(o, argv[i], argv[i + 1]);
	if (!o->load.where || !o->tokens == !o->load.raw_bytes)
		usage();
	if (!o->load.n_conns || !o->load.depth || o->load.depth > BENCH_DEPTH_MAX ||
		(o->load.raw_bytes && o->load.depth > 1))
		bench_die("load: 1 to %d in flight, 1 with --raw", BENCH_DEPTH_MAX);
}

static double us(const struct bench_histogram *h, double share)
{
	return (double)bench_histogram_at(h, share) / 1e3;
}

static void print(const struct bench_result *r)
{
	printf("{\"messages\": %" PRIu64 ", \"seconds\": %.4f, \"rate\": %.0f, "
	       "\"server_us\": %.4f, \"generator_busy\": %.3f, \"ack_bytes\": %.0f, "
	       "\"p50_us\": %.2f, \"p90_us\": %.2f, \"p99_us\": %.2f, \"p999_us\": %.2f, "
	       "\"max_us\": %.2f}\n",
		r->messages, r->seconds, (double)r->messages / r->seconds, r->server_us,
		r->generator_busy, r->ack_bytes, us(&r->latency, 0.5), us(&r->latency, 0.9),
		us(&r->latency, 0.99), us(&r->latency, 0.999), (double)r->latency.max / 1e3);
}

int main(int argc, char **argv)
{
	struct options o = {
		.load = {.n_conns = 1,
			.depth = 1,
			.verdict = "allow",
			.warm_s = 0.2,
			.measure_s = 1},
		.cpu = -1,
	};
	static struct bench_result result;
	struct bench_traffic traffic = {0};

	read_options(&o, argc, argv);
	bench_pin(o.cpu);
	if (o.tokens) {
		bench_traffic_load(&traffic, o.tokens, o.pad);
		o.load.traffic = &traffic;
	}
	bench_load_run(&o.load, &result);
	print(&result);
	bench_traffic_done(&traffic);
	return 0;
}
