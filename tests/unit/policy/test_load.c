#include "policy/load.h"

#include "policy/config.h"
#include "tests/unit/conf/fail.h"
#include "tests/unit/policy/help.h"
#include "tests/unit/policy/suites.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/identityd-policy-XXXXXX";
static char path[4096];

static const char *in_folder(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void write_file(const char *name, const char *text)
{
	FILE *f = fopen(in_folder(name), "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	fclose(f);
}

static void open_folder(void)
{
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void close_folder(void)
{
	static const char *const NAMES[] = {
		"a.yaml", "b.yml", "c.json", "note.txt", ".hidden.yaml", "big.yaml", "conf"};

	for (size_t i = 0; i < ARRAY_SIZE(NAMES); i++)
		unlink(in_folder(NAMES[i]));
	rmdir(folder);
}

#define ONE(name)                                                                                  \
	"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: " name              \
	", namespace: shop}\n"                                                                     \
	"spec: {endpointSelector: {}, ingress: [{fromEntities: [all]}]}\n"

static size_t mistakes, files;
static char first[400];

static void said(void *arg, const struct base_diag *diag, const struct base_diag *notes)
{
	(void)arg;
	(void)notes;
	files++;
	if (diag->n_items && !mistakes)
		snprintf(first, sizeof(first), "%s:%u: %s", strrchr(diag->file, '/') + 1,
			diag->items[0].line, diag->items[0].text);
	mistakes += diag->n_found;
}

static int load(struct policy_set **ret_set)
{
	static const struct policy_options NONE = {0};
	const char *paths[] = {folder};

	mistakes = files = 0;
	*ret_set = policy_set_new(&NONE);
	return *ret_set ? policy_load(*ret_set, paths, 1, said, NULL) : -ENOMEM;
}

/* Goal: a folder is its YAML and JSON files, each with any number of documents. */
START_TEST(folders_are_read)
{
	struct policy_set *set;

	write_file("a.yaml", "---\n---\n" ONE("p1") "---\n" ONE("p2"));
	write_file("b.yml", ONE("p3"));
	write_file("c.json",
		"{\"apiVersion\": \"cilium.io/v2\", \"kind\": "
		"\"CiliumClusterwideNetworkPolicy\", \"metadata\": {\"name\": \"p4\"}, "
		"\"spec\": {\"endpointSelector\": {}, \"ingress\": [{}]}}");
	write_file("note.txt", "no policy");
	write_file(".hidden.yaml", "no policy");
	ck_assert_int_eq(load(&set), 0);
	ck_assert_uint_eq(policy_set_policies(set), 4);
	ck_assert_uint_eq(policy_set_rules(set), 4);
	ck_assert_uint_eq(files, 3);
	policy_set_free(set);
}
END_TEST

/* Goal: one wrong document makes the whole load fail, with the file's name. */
START_TEST(all_or_nothing)
{
	struct policy_set *set;

	write_file("a.yaml", ONE("p1"));
	write_file("b.yml", ONE("p2") "---\nmetadata: {}\n");
	ck_assert_int_eq(load(&set), -EINVAL);
	ck_assert_uint_eq(mistakes, 1);
	ck_assert_str_eq(first, "b.yml:6: needs 'apiVersion', 'kind' and 'metadata'");
	policy_set_free(set);
}
END_TEST

/* Goal: what cannot be read, and what is no YAML, is said. */
START_TEST(files_that_are_none)
{
	static const struct policy_options NONE = {0};
	struct policy_set *set = policy_set_new(&NONE);
	const char *missing[] = {"/tmp/identityd-policy-none/x.yaml"};

	mistakes = 0;
	ck_assert_int_eq(policy_load(set, missing, 1, said, NULL), -EINVAL);
	ck_assert_str_eq(first, "x.yaml:0: cannot be read: No such file or directory");
	policy_set_free(set);
	write_file("a.yaml", "a: [\n");
	ck_assert_int_eq(load(&set), -EINVAL);
	ck_assert_uint_eq(mistakes, 1);
	policy_set_free(set);
}
END_TEST

/* Goal: the stamp changes when a file changes, comes or goes, and only then. */
START_TEST(stamps_tell_changes)
{
	const char *paths[] = {folder};
	uint64_t stamps[4];

	write_file("a.yaml", ONE("p1"));
	stamps[0] = policy_load_stamp(paths, 1);
	ck_assert(policy_load_stamp(paths, 1) == stamps[0]);
	write_file("a.yaml", ONE("p1") "# more\n");
	stamps[1] = policy_load_stamp(paths, 1);
	write_file("b.yml", ONE("p2"));
	stamps[2] = policy_load_stamp(paths, 1);
	unlink(in_folder("a.yaml"));
	stamps[3] = policy_load_stamp(paths, 1);
	for (size_t i = 0; i < 4; i++)
		for (size_t k = 0; k < i; k++)
			ck_assert(stamps[i] != stamps[k]);
}
END_TEST

static const char CONF[] =
	"version: 1\nlisten: [{tcp: 127.0.0.1:9909}]\nproviders: [{name: p, issuer: "
	"'https://i', audiences: [a]}]\nroles: [{name: r, labels: [a=b]}]\n"
	"policy: {paths: [%s]}\n"
	"services: [{name: be, namespace: shop, labels: [app=web], port: 80, named_ports: "
	"[http=80], addresses: [10.0.0.1, '10.1.0.0/16']}]\n";

static int configure(const char *text, struct base_diag *diag, struct policy_index **ret)
{
	struct base_diag notes;
	struct conf *conf = NULL;
	int err;

	base_diag_init(&notes, "conf");
	ck_assert_int_eq(conf_parse("conf", text, strlen(text), &conf, diag), 0);
	err = policy_config(conf, diag, &notes, ret);
	base_diag_done(&notes);
	conf_free(conf);
	return err;
}

/* Goal: the configuration's policies and services become an index. */
START_TEST(configuration_is_read)
{
	struct base_diag diag;
	struct policy_index *index = NULL;
	char text[1024];

	write_file("a.yaml", ONE("p1"));
	snprintf(text, sizeof(text), CONF, folder);
	base_diag_init(&diag, "conf");
	ck_assert_int_eq(configure(text, &diag, &index), 0);
	ck_assert_int_eq(policy_index_find(index, SPAN("be")), 0);
	policy_index_free(index);
	write_file("b.yml", "metadata: {}\n");
	ck_assert_int_eq(configure(text, &diag, &index), -EINVAL);
	ck_assert_uint_eq(diag.items[0].line, 5);
	ck_assert_ptr_nonnull(
		strstr(diag.items[0].text, "/b.yml:1:1: needs 'apiVersion', 'kind' and"));
	base_diag_done(&diag);
}
END_TEST

static const struct {
	const char *from, *to, *want;
} SERVICES[] = {
	{"app=web", "reserved:host", "belongs to Cilium's own identities"},
	{"http=80", "http", "is not NAME=NUMBER"},
	{"http=80", "http=0", "is not NAME=NUMBER"},
	{"10.0.0.1", "10.0.0.1/33", "is no address or range"},
};

/* Goal: mistakes of services are named at their place. */
START_TEST(services_are_checked)
{
	struct base_diag diag;
	struct policy_index *index = NULL;
	char text[1024], *at;

	snprintf(text, sizeof(text), CONF, folder);
	at = strstr(text, SERVICES[_i].from);
	memmove(at + strlen(SERVICES[_i].to), at + strlen(SERVICES[_i].from),
		strlen(at + strlen(SERVICES[_i].from)) + 1);
	memcpy(at, SERVICES[_i].to, strlen(SERVICES[_i].to));
	write_file("a.yaml", ONE("p1"));
	base_diag_init(&diag, "conf");
	ck_assert_int_eq(configure(text, &diag, &index), -EINVAL);
	ck_assert_ptr_null(index);
	ck_assert_uint_eq(diag.items[0].line, 6);
	ck_assert_msg(
		strstr(diag.items[0].text, SERVICES[_i].want) != NULL, "%s", diag.items[0].text);
	base_diag_done(&diag);
}
END_TEST

/* Goal: whichever allocation fails, loading and judging end with -ENOMEM or NULL, and leak nothing. */
START_TEST(memory_may_run_out)
{
	long n = 0;
	bool failed = true;

	write_file("a.yaml",
		"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: p}\n"
		"spec:\n  endpointSelector: {matchLabels: {a: b}}\n"
		"  ingress: [{fromCIDRSet: [{cidr: 10.0.0.0/8, except: [10.1.0.0/16]}], toPorts: "
		"[{ports: [{port: '80', protocol: TCP}], rules: {http: [{path: /a, headers: ['A: "
		"b']}, {path: 'a.b'}]}}]}]\n");
	for (; failed; n++) {
		struct policy_set *set = NULL;
		int err;

		fail_after(n);
		err = load(&set);
		if (!err)
			err = policy_set_ready(set);
		failed = fail_stop();
		ck_assert_msg(err == (failed ? -ENOMEM : 0), "allocation %ld: %d", n, err);
		policy_set_free(set);
	}
	ck_assert_int_gt(n, 40);
}
END_TEST

Suite *load_suite(void)
{
	Suite *suite = suite_create("policy/load");
	TCase *tc = tcase_create("load");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, open_folder, close_folder);
	tcase_add_test(tc, folders_are_read);
	tcase_add_test(tc, all_or_nothing);
	tcase_add_test(tc, files_that_are_none);
	tcase_add_test(tc, stamps_tell_changes);
	tcase_add_test(tc, configuration_is_read);
	tcase_add_loop_test(tc, services_are_checked, 0, ARRAY_SIZE(SERVICES));
	tcase_add_test(tc, memory_may_run_out);
	suite_add_tcase(suite, tc);
	return suite;
}
