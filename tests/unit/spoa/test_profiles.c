/*
 * Profiles and the examples of docs/PROVIDERS.md: each is read from there, its
 * provider gets tokens of its real shape (tests/unit/spoa/profiles.json), and
 * what the profile stands for, written out, answers the same.
 */
#include "tests/unit/spoa/suites.h"

#include "conf/print.h"
#include "conf/profile.h"
#include "spoa/cert.h"
#include "tests/unit/spoa/help.h"
#include "tests/unit/token/ca.h"
#include "token/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DOCUMENT SOURCE_DIR "/docs/PROVIDERS.md"
#define CASES    SOURCE_DIR "/tests/unit/spoa/profiles.json"
#define FILES    "/etc/identityd/" /* where the examples have theirs */

static char dir[64];
static json_t *cases;

static char *read_document(void)
{
	FILE *f = fopen(DOCUMENT, "r");
	char *text = calloc(1, 256 * 1024);

	ck_assert(f && text);
	ck_assert_uint_gt(fread(text, 1, 256 * 1024 - 1, f), 0);
	fclose(f);
	return text;
}

/* A key file for each that an example names. */
static void write_files(void)
{
	static const struct test_cert_order CA = {.cn = "root",
		.constraints = "critical,CA:TRUE",
		.usage = "critical,keyCertSign",
		.from = HELP_NOW_S - 9,
		.to = HELP_NOW_S + 9};
	static const char *const BUNDLES[] = {"example.org.pem", "devices.pem"};
	struct test_cert *root = test_cert_new(&CA, NULL);
	cleanup(free) char *pem = test_cert_pem(root);
	char path[128];

	test_cert_free(root);
	for (size_t i = 0; i < ARRAY_SIZE(BUNDLES); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, BUNDLES[i]);
		help_write(path, pem);
	}
	snprintf(path, sizeof(path), "%s/legacy.secret", dir);
	help_write(path, TEST_SECRET "\n");
	ck_assert_int_eq(chmod(path, 0600), 0);
}

/* The YAML below this heading, with a head and our files (malloc). */
static char *example(const char *heading)
{
	cleanup(free) char *document = read_document();
	cleanup(free) char *title = NULL;
	char *text = NULL, *from, *to, *file;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	ck_assert_int_gt(asprintf(&title, "\n## %s\n", heading), 0);
	from = strstr(document, title);
	ck_assert_msg(from, "no section '%s'", heading);
	from = strstr(from, "\n```yaml\n");
	ck_assert_msg(from, "no example below '%s'", heading);
	from += strlen("\n```yaml\n");
	to = strstr(from, "```\n");
	*to = '\0';
	fputs(HELP_HEAD, out);
	for (; (file = strstr(from, FILES)); from = file + strlen(FILES))
		fprintf(out, "%.*s%s/", (int)(file - from), from, dir);
	fputs(from, out);
	fclose(out);
	return text;
}

/* What identityd --check --print says of it (malloc). */
static char *printed(const char *yaml)
{
	cleanup(conf) struct conf *conf = help_conf(yaml);
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	conf_print(conf, out);
	fclose(out);
	return text;
}

static const char *text_in(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static void setup(void)
{
	cases = json_load_file(CASES, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_ptr_nonnull(cases);
	help_mkdir(dir);
	write_files();
}

static void teardown(void)
{
	json_decref(cases);
	help_rmdir(dir);
}

static const struct test_key *key_of(const json_t *c)
{
	int alg = token_alg_find(span_of(text_in(c, "alg")));

	ck_assert_int_ge(alg, 0);
	return test_key_of((enum token_alg)alg);
}

/* As the provider publishes it: the case's changes to the JWK made. */
static void publish(struct spoa_snapshot *snapshot, const json_t *c)
{
	const json_t *kid = json_object_get(json_object_get(c, "header"), "kid");
	const char *name;
	json_t *jwk, *value;

	snapshot->ages[0] = (struct spoa_keys_age){UINT64_MAX, UINT64_MAX, UINT64_MAX, NULL};
	if (token_alg_info(key_of(c)->alg)->kty == TOKEN_KTY_OCT)
		return;
	jwk = test_key_jwk(key_of(c), json_string_value(kid));
	json_object_foreach (json_object_get(c, "jwk"), name, value) {
		if (json_is_null(value))
			json_object_del(jwk, name);
		else
			json_object_set(jwk, name, value);
	}

	cleanup(free) char *set = test_jwks(jwk, NULL);

	/* A set without a usable key is none, and was never fetched. */
	if (token_keyset_parse(span_of(set), snapshot->config->rules[0].algs,
		    &snapshot->issuers[0].keys, NULL))
		snapshot->ages[0].fetched_at = 0;
}

static char *token_of(const json_t *c)
{
	cleanup(free) char *header = json_dumps(json_object_get(c, "header"), JSON_COMPACT);
	cleanup(free) char *payload = json_dumps(json_object_get(c, "payload"), JSON_COMPACT);

	ck_assert(header && payload);
	return json_is_true(json_object_get(c, "padded"))
		       ? test_sign_padded(key_of(c), header, payload)
		       : test_sign(key_of(c), header, payload);
}

static void check_text(const json_t *c, const char *name, struct span got)
{
	ck_assert_msg(span_is(got, text_in(c, name)), "%s: %s: %s is '%.*s'",
		text_in(c, "provider"), text_in(c, "why"), name, SPAN_ARG(got));
}

static void check_exports(
	const json_t *c, const struct spoa_config *config, const struct spoa_caller *caller)
{
	struct rd values = rd_span(spoa_caller_text(caller, SPOA_TEXT_EXPORTS));
	const json_t *want = json_object_get(c, "exports");

	for (size_t i = 0; i < config->exports.n; i++) {
		struct spop_data value;

		spop_data_parse(&values, &value);
		ck_assert_int_eq(value.type, SPOP_STR);
		check_text(want, config->exports.names[i], value.text);
	}
	ck_assert_uint_eq(config->exports.n, json_object_size(want));
}

static void check_caller(
	const json_t *c, const struct spoa_config *config, const struct spoa_decision *decision)
{
	const struct spoa_caller *caller = decision->caller;

	check_text(c, "sub", spoa_caller_text(caller, SPOA_TEXT_SUB));
	check_text(c, "client_id", spoa_caller_text(caller, SPOA_TEXT_CLIENT_ID));
	check_text(c, "actor", spoa_caller_text(caller, SPOA_TEXT_ACTOR));
	check_text(c, "role", span_of(decision->role ? decision->role->name : ""));
	if (json_object_get(c, "scope"))
		check_text(c, "scope", spoa_caller_text(caller, SPOA_TEXT_SCOPE));
	if (json_object_get(c, "iss"))
		check_text(c, "iss", spoa_caller_iss(caller, config));
	if (decision->role)
		check_exports(c, config, caller);
}

/* Decides the case with this configuration; every role has a number. */
static void check_case(const json_t *c, const char *yaml)
{
	cleanup(spoa_config) struct spoa_config *config = help_config(yaml);
	cleanup(spoa_snapshot) struct spoa_snapshot *snapshot = NULL;
	cleanup(free) char *token = token_of(c);
	const struct spoa_request request = {.token = span_of(token)};
	struct spoa_decision decision;
	struct spoa_need need;
	struct spoa_state state;

	for (size_t i = 0; i < config->conf->n_roles; i++)
		config->roles[i].number.id = 300 + (uint32_t)i;
	snapshot = help_snapshot(config);
	publish(snapshot, c);
	ck_assert_int_eq(spoa_state_init(&state, HELP_CACHE), 0);
	ck_assert(spoa_decide(snapshot, &state, &request, 1, &HELP_NOW, &need, &decision));
	check_text(c, "reason", span_of(base_reason_word(decision.reason)));
	if (decision.valid)
		check_caller(c, config, &decision);
	spoa_state_done(&state);
}

START_TEST(real_shapes)
{
	/* Each provider's tokens get the answer of the case, with the profile and with what it stands for. */
	const json_t *c;
	size_t i;

	json_array_foreach (cases, i, c) {
		cleanup(free) char *yaml = example(text_in(c, "provider"));
		cleanup(free) char *plain = printed(yaml);

		ck_assert_msg(!strstr(plain, "profile"), "%s", plain);
		check_case(c, yaml);
		check_case(c, plain);
	}
	ck_assert_uint_gt(i, 40);
}
END_TEST

static bool has_case(const char *provider, const char *reason)
{
	const json_t *c;
	size_t i;

	json_array_foreach (cases, i, c)
		if (!strcmp(text_in(c, "provider"), provider) &&
			!strcmp(text_in(c, "reason"), "ok") == !strcmp(reason, "ok"))
			return true;
	return false;
}

START_TEST(every_profile)
{
	/* Each profile has a section, a token that is accepted, and one that is refused. */
	cleanup(free) char *words = strdup(CONF_PROFILES);
	char *next = words, *word;
	size_t n = 0;

	while ((word = strsep(&next, " "))) {
		if (!strcmp(word, "none"))
			continue;
		free(example(word));
		ck_assert_msg(has_case(word, "ok"), "%s: nothing accepted", word);
		ck_assert_msg(has_case(word, "no"), "%s: nothing refused", word);
		n++;
	}
	ck_assert_uint_eq(n, 13);
}
END_TEST

START_TEST(printed_again)
{
	/* What is printed reads as the same configuration: printed again it is the same text. */
	cleanup(free) char *document = read_document();
	size_t n = 0;

	for (char *at = document; (at = strstr(at, "\n## ")); at++) {
		char heading[128];

		snprintf(heading, sizeof(heading), "%.*s", (int)strcspn(at + 4, "\n"), at + 4);

		cleanup(free) char *yaml = example(heading);
		cleanup(free) char *once = printed(yaml);
		cleanup(free) char *twice = printed(once);

		ck_assert_str_eq(once, twice);
		n++;
	}
	ck_assert_uint_eq(n, 16);
}
END_TEST

Suite *suite_profiles(void)
{
	Suite *suite = suite_create("profiles");
	TCase *tc = tcase_create("profiles");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, real_shapes);
	tcase_add_test(tc, every_profile);
	tcase_add_test(tc, printed_again);
	suite_add_tcase(suite, tc);
	return suite;
}
