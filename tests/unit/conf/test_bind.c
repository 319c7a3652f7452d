#include "conf/bind.h"

#include "conf/conf.h"
#include "fail.h"
#include "say.h"
#include "suites.h"

#include <errno.h>
#include <string.h>

static const struct say_row ROWS[] = {
	{MINIMAL "lsiten: []\n", "f:5:1: unknown key 'lsiten'; did you mean 'listen'?\n"},
	{MINIMAL "spop: {deadlines: 5ms}\n",
		"f:5:8: unknown key 'deadlines'; did you mean 'deadline'?\n"},
	{MINIMAL "banana: 1\n",
		"f:5:1: unknown key 'banana'; identityd --keys lists all there are\n"},
	{MINIMAL "\"\\e[2J\": 1\n",
		"f:5:1: unknown key '?[2J'; identityd --keys lists all there are\n"},
	{MINIMAL "'': 1\n", "f:5:1: unknown key ''; identityd --keys lists all there are\n"},
	/* A section whose lines are all commented out is empty, not wrong. */
	{MINIMAL "log:\nspop:\n", ""},
	{MINIMAL "log: ''\n", "f:5:6: 'log' is empty in quotes; it takes a map of keys\n"},
	{MINIMAL "log: [a]\n", "f:5:6: 'log' is a list; it takes a map of keys\n"},
	{"version: 1\nlisten: {tcp: 127.0.0.1:1}\n",
		"f:1:1: 'providers' is missing; it takes a list of maps, for example [{name: corp, "
		"...}]\n"
		"f:1:1: 'roles' is missing; it takes a list of maps, for example [{name: admin, "
		"...}]\n"
		"f:2:9: 'listen' is a map; it takes a list of maps, for example [{tcp: "
		"127.0.0.1:9909}]\n"},
	{"version: 2\nlisten: []\nproviders: [x]\nroles:\n  - [y]\n  -\n",
		"f:1:10: 'version' is too large: at most 1\n"
		"f:2:9: 'listen' is too small: at least 1 entries\n"
		"f:3:13: an entry of 'providers' is 'x'; it must be a map of keys\n"
		"f:5:5: an entry of 'roles' is a list; it must be a map of keys\n"
		"f:6:4: an entry of 'roles' is empty; it must be a map of keys\n"},
	{"version: 1\nlisten: [{tcp: 127.0.0.1:1}]\nproviders:\n  - name: a\nroles:\n  - number: "
	 "5\n",
		"f:4:5: 'issuer' is missing; it takes a text, for example https://idp.example.com\n"
		"f:4:5: 'audiences' is missing; it takes a list of texts, for example [api]\n"
		"f:6:5: 'name' is missing; it takes a name of a-z, 0-9 and '-', for example admin\n"
		"f:6:5: 'labels' is missing; it takes a list of texts, for example [role=admin, "
		"k8s:app=edge]\n"
		"f:6:13: 'number' is too small: at least 128\n"},
};

START_TEST(names_every_mistake)
{
	/* All mistakes of a file come in one run, each at its place. */
	ck_assert_str_eq(say_conf(ROWS[_i].text), ROWS[_i].said);
}
END_TEST

/* Every section of the table, the root first. */
static size_t sections(const struct conf_section *section, const struct conf_section **found)
{
	size_t n = 0;

	found[n++] = section;
	for (size_t i = 0; i < section->n_keys; i++)
		if (section->keys[i].section)
			n += sections(section->keys[i].section, found + n);
	return n;
}

START_TEST(misses_what_is_required)
{
	/* Each section complains about exactly its required rows when nothing is written. */
	const struct conf_section *all[32];
	size_t n = sections(&conf_keys, all);
	const struct base_doc nothing = {.kind = BASE_DOC_MAP, .line = 3, .column = 7};

	ck_assert_uint_ge(n, 13);
	ck_assert_uint_le(n, ARRAY_SIZE(all));
	for (size_t i = 0; i < n; i++) {
		cleanup(free) struct conf *base = calloc(1, sizeof(*base));
		struct base_diag diag;
		size_t required = 0;

		base_diag_init(&diag, "f");
		ck_assert_int_eq(conf_bind(all[i], &nothing, base, &diag), 0);
		for (size_t k = 0; k < all[i]->n_keys; k++) {
			char start[64];

			if (!all[i]->keys[k].required)
				continue;
			snprintf(start, sizeof(start), "f:3:7: '%s' is missing; ",
				all[i]->keys[k].name);
			ck_assert_ptr_nonnull(strstr(say_diag(&diag), start));
			required++;
		}
		ck_assert_uint_eq(diag.n_found, required);
		conf_bind_clear(all[i], base);
		base_diag_done(&diag);
	}
}
END_TEST

/* The condition's values; asserts that this is its test. */
static const struct conf_strings *values_of(
	const struct conf_condition *condition, enum conf_test want)
{
	const struct conf_strings *values;

	ck_assert_int_eq(conf_condition_test(condition, &values), want);
	ck_assert_int_eq(conf_condition_about(condition), CONF_ABOUT_CLAIM);
	return values;
}

START_TEST(fills_the_structs)
{
	/* A full file arrives in the structs as it was written, with the places others report at. */
	struct conf *conf = say_good(
		"version: 1\n"
		"listen:\n  - unix: /x/y\n    mode: 0600\n    group: '12'\n  - tcp: '[::1]:99'\n"
		"spop: {deadline: 100ms, max_connections: 5}\n"
		"bpf: {mode: required, ports: [80, 443]}\n"
		"providers:\n"
		"  - {name: p, issuer: http://h, allow_http: true, audiences: a, types: [AT+jwt, "
		"application/JWT], algorithms: EdDSA, leeway: 1m, max_token_size: 1KiB}\n"
		"roles:\n"
		"  - name: r\n"
		"    provider: p\n"
		"    when: [{claim: [a, b.c], all: [x, y]}, {claim: s, equals: no}, {claim: e, "
		"exists: true}, {claim: f, any: 5}]\n"
		"    labels: [a=b, c:d=e]\n"
		"    number: 200\n"
		"    kill_on_expiry: true\n");

	ck_assert_uint_eq(conf->n_listen, 2);
	ck_assert_str_eq(conf->listen[0].unix_path, "/x/y");
	ck_assert_int_eq(conf->listen[0].mode, 0600);
	ck_assert_str_eq(conf->listen[0].group, "12");
	ck_assert_ptr_null(conf->listen[1].unix_path);
	ck_assert_str_eq(conf->listen[1].tcp_host, "::1");
	ck_assert_uint_eq(conf->listen[1].tcp_port, 99);
	ck_assert(conf->listen[1].pos.line == 6 && conf->listen[1].pos.column == 5);
	ck_assert_int_eq(conf->spop.deadline, 100);
	ck_assert_int_eq(conf->spop.max_connections, 5);
	ck_assert_int_eq(conf->bpf.mode, CONF_BPF_REQUIRED);
	ck_assert_uint_eq(conf->bpf.n_ports, 2);
	ck_assert_uint_eq(conf->bpf.ports[1], 443);

	const struct conf_provider *provider = &conf->providers[0];

	ck_assert_uint_eq(conf->n_providers, 1);
	ck_assert_str_eq(provider->issuer, "http://h");
	ck_assert(provider->allow_http);
	ck_assert_uint_eq(provider->types.n, 2);
	ck_assert_str_eq(provider->types.items[0], "at+jwt");
	ck_assert_str_eq(provider->types.items[1], "jwt");
	ck_assert_uint_eq(provider->algorithms.n, 1);
	ck_assert_int_eq(provider->leeway, 60000);
	ck_assert_int_eq(provider->max_token_size, 1024);

	const struct conf_role *role = &conf->roles[0];

	ck_assert_uint_eq(role->n_when, 4);
	ck_assert_uint_eq(role->when[0].claim.n, 2);
	ck_assert_str_eq(role->when[0].claim.items[1], "b.c");
	ck_assert_uint_eq(values_of(&role->when[0], CONF_TEST_ALL)->n, 2);
	ck_assert_str_eq(values_of(&role->when[1], CONF_TEST_EQUALS)->items[0], "no");
	ck_assert_uint_eq(values_of(&role->when[2], CONF_TEST_EXISTS)->n, 0);
	ck_assert_str_eq(values_of(&role->when[3], CONF_TEST_ANY)->items[0], "5");
	ck_assert_uint_eq(role->number, 200);
	ck_assert(role->number_pos.line == 16 && role->number_pos.column == 13);
	ck_assert(role->labels_pos.line == 15 && role->labels_pos.column == 13);
	ck_assert(role->kill_on_expiry && !role->require_binding);
	conf_free(conf);
}
END_TEST

START_TEST(fills_in_defaults)
{
	/* What a minimal file leaves out has the table's defaults. */
	struct conf *conf = say_good(MINIMAL);

	ck_assert_int_eq(conf->listen[0].mode, 0660);
	ck_assert_int_eq(conf->spop.max_frame_size, 16380);
	ck_assert_int_eq(conf->spop.deadline, 150);
	ck_assert_int_eq(conf->spop.hello_timeout, 5000);
	ck_assert_int_eq(conf->workers, 1);
	ck_assert_str_eq(conf->admin.unix_path, "/run/identityd/admin.sock");
	ck_assert_ptr_null(conf->admin.group);
	ck_assert_int_eq(conf->bpf.mode, CONF_BPF_AUTO);
	ck_assert_uint_eq(conf->bpf.n_ports, 0);
	ck_assert_int_eq(conf->log.level, 2);
	ck_assert_int_eq(conf->identity.local_max, 65535);
	ck_assert_uint_eq(conf->exports.n, 0);
	ck_assert_uint_eq(conf->providers[0].algorithms.n, 2);
	ck_assert_int_eq(conf->providers[0].refresh, 600000);
	ck_assert_ptr_null(conf->providers[0].jwks_uri);
	ck_assert_uint_eq(conf->roles[0].n_when, 0);
	ck_assert_uint_eq(conf->roles[0].number, 0);
	ck_assert_ptr_null(conf->roles[0].provider);
	conf_free(conf);
}
END_TEST

SUITE(bind, EACH(names_every_mistake, ROWS), ONE(misses_what_is_required), ONE(fills_the_structs),
	ONE(fills_in_defaults))
