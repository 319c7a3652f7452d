/*
 * What identities from claims cost: a lookup with few and with many of them, a
 * new one, and reading all of them at a start. Numbers come from a real store
 * in the folder that is given.
 *
 *   bench_identities FOLDER [HOW_MANY]
 */
#include "base/clock.h"
#include "spoa/allocator_local.h"
#include "spoa/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOKUPS 2000000
#define BATCH   200

static const char CONFIG[] =
	"version: 1\n"
	"listen: [{unix: /tmp/unused.sock}]\n"
	"identity: {max: 60000}\n"
	"providers: [{name: a, issuer: 'https://a', audiences: [api]}]\n"
	"roles: [{name: team, labels: ['team={claims.team}'], max_identities: 60000}]\n";

static void changed(void *arg)
{
	(void)arg;
}

static double now_s(void)
{
	struct base_now now;

	base_clock_now(&now);
	return (double)now.mono_ns / 1e9;
}

static void die(const char *what, const char *why)
{
	fprintf(stderr, "bench_identities: %s: %s\n", what, why);
	exit(1);
}

static struct spoa_config *make_config(void)
{
	struct base_diag diag;
	struct conf *conf = NULL;
	struct spoa_config *config = NULL;

	base_diag_init(&diag, "bench.yaml");
	if (conf_parse("bench.yaml", CONFIG, strlen(CONFIG), &conf, &diag) ||
		spoa_config_new(conf, NULL, &diag, &config))
		die("configuration", diag.n_items ? diag.items[0].text : "no memory");
	base_diag_done(&diag);
	return config;
}

static struct spoa_numbers *make_numbers(struct spoa_config *config,
	struct spoa_allocator_local *local, struct spoa_metrics *metrics)
{
	const struct spoa_numbers_owner owner = {.changed = changed, .wake = changed};
	struct spoa_allocator allocator = spoa_allocator_local(local);
	struct spoa_numbers *numbers = spoa_numbers_new(&allocator, &owner, metrics);
	struct spoa_identities *table = NULL;

	if (!numbers || spoa_numbers_prepare(numbers, config, NULL, &table))
		die("numbers", "no memory");
	spoa_numbers_adopt(numbers, config, NULL, table);
	return numbers;
}

static struct span labels_of(char text[160], unsigned i)
{
	snprintf(text, 160,
		"k8s:io.cilium.k8s.policy.cluster=default;"
		"k8s:io.kubernetes.pod.namespace=identity-edge;k8s:team=team-%05u;",
		i);
	return span_of(text);
}

static void look_up(const struct spoa_numbers *numbers, unsigned n)
{
	static char texts[1024][160];
	const struct spoa_identities *table = spoa_numbers_table(numbers);
	uint64_t sum = 0;
	double start;

	for (unsigned i = 0; i < 1024; i++)
		labels_of(texts[i], (i * 7919u) % n);
	start = now_s();
	for (unsigned i = 0; i < LOOKUPS; i++) {
		struct span labels = {texts[i % 1024], strlen(texts[i % 1024])};
		const struct spoa_identity *found =
			spoa_identities_find(table, spoa_identity_hash(labels), labels);

		sum += found->number.id;
	}
	printf("%6u identities: a lookup, hash included: %.0f ns (%s)\n", n,
		(now_s() - start) * 1e9 / LOOKUPS, sum ? "all found" : "none");
}

/* Brings the table from so many to so many, BATCH at a time, as requests that come together. */
static void grow(struct spoa_numbers *numbers, unsigned from, unsigned to)
{
	char text[160];
	double start = now_s();

	for (unsigned i = from; i < to;) {
		for (unsigned k = 0; k < BATCH && i < to; k++, i++)
			spoa_numbers_want(numbers, labels_of(text, i), SPAN("team"));
		spoa_numbers_send(numbers);
	}
	printf("%6u new ones, %u at a time, on disk: %.0f ms, %.0f each second\n", to - from, BATCH,
		(now_s() - start) * 1e3, (to - from) / (now_s() - start));
}

int main(int argc, char **argv)
{
	unsigned many = argc > 2 ? (unsigned)atoi(argv[2]) : 5000;
	struct spoa_allocator_local local = {0};
	struct spoa_metrics *metrics = calloc(1, sizeof(*metrics));
	struct spoa_config *config = make_config();
	struct spoa_numbers *numbers;
	char path[512], why[STORE_WHY] = "";
	double start;

	if (argc < 2 || many < 10 || !metrics)
		die("usage", "bench_identities FOLDER [HOW_MANY]");
	snprintf(path, sizeof(path), "%s/state.db", argv[1]);
	if (store_open(path, &local.store, why))
		die(path, why);
	numbers = make_numbers(config, &local, metrics);
	grow(numbers, 0, 10);
	look_up(numbers, 10);
	grow(numbers, 10, many);
	look_up(numbers, many);
	spoa_numbers_free(numbers);
	store_close(local.store);

	start = now_s();
	if (store_open(path, &local.store, why))
		die(path, why);
	numbers = make_numbers(config, &local, metrics);
	if (spoa_allocator_local_restore(&local, numbers))
		die(path, "the identities cannot be read");
	spoa_numbers_settle(numbers);
	printf("%6zu identities are there again after %.1f ms\n",
		spoa_numbers_table(numbers)->n_dynamic, (now_s() - start) * 1e3);
	spoa_numbers_free(numbers);
	spoa_config_unref(config);
	store_close(local.store);
	free(metrics);
	return 0;
}
