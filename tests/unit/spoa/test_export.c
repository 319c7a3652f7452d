#include "tests/unit/spoa/suites.h"

#include "spoa/export.h"
#include "tests/unit/spoa/help.h"
#include "token/json.h"

#include <stdlib.h>
#include <string.h>

static const char CONFIG[] = HELP_HEAD
	"exports: [email, team]\n"
	"providers:\n"
	"  - {name: a, issuer: 'https://a', audiences: [api], exports: [{name: team, claim: "
	"['https://ns/x', team.name]}, {name: only_a, claim: z}]}\n"
	"  - {name: b, issuer: 'https://b', audiences: [api]}\n"
	"roles: [{name: r, labels: [a=b]}]\n";

static const struct {
	const char *json;
	enum spop_type type;
	const char *text;
} VALUES[] = {
	{"{\"email\":\"a@b\"}", SPOP_STR, "a@b"},
	{"{\"email\":\"\"}", SPOP_STR, ""},
	{"{\"email\":\"a\\nb\"}", SPOP_NULL, NULL},
	{"{\"email\":\"a\\u0000b\"}", SPOP_NULL, NULL},
	{"{\"email\":7}", SPOP_INT64, NULL},
	{"{\"email\":7.5}", SPOP_NULL, NULL},
	{"{\"email\":true}", SPOP_BOOL, NULL},
	{"{\"email\":null}", SPOP_NULL, NULL},
	{"{\"email\":{}}", SPOP_NULL, NULL},
	{"{\"email\":[\"x\"]}", SPOP_STR, "x"},
	{"{\"email\":[\"x\",\"y z\"]}", SPOP_STR, "x,y z"},
	{"{\"email\":[]}", SPOP_NULL, NULL},
	{"{\"email\":[\"x\",\"\"]}", SPOP_NULL, NULL},
	{"{\"email\":[\"x\",\"y,z\"]}", SPOP_NULL, NULL},
	{"{\"email\":[\"x\",7]}", SPOP_NULL, NULL},
	{"{\"email\":[\"x\",\"y\\r\"]}", SPOP_NULL, NULL},
	{"{}", SPOP_NULL, NULL},
};

static json_t *json_of(const char *text)
{
	json_t *json = json_loads(text, JSON_ALLOW_NUL, NULL);

	ck_assert_ptr_nonnull(json);
	return json;
}

START_TEST(values)
{
	/* Row 36: what goes to HAProxy is typed and printable, and a list can be taken apart again. */
	cleanup(spoa_config) struct spoa_config *config = help_config(CONFIG);
	cleanup(json) json_t *claims = json_of(VALUES[_i].json);
	char buf[SPOA_EXPORT_TEXT];
	struct spop_data value = spoa_export_value(&config->exports, 0, 0, claims, buf);

	ck_assert_msg(value.type == VALUES[_i].type, "%s", VALUES[_i].json);
	if (VALUES[_i].text)
		ck_assert(span_is(value.text, VALUES[_i].text));
}
END_TEST

START_TEST(paths)
{
	/* Each provider has a variable where it says; else the claim of that name; else nothing. */
	cleanup(spoa_config) struct spoa_config *config = help_config(CONFIG);
	cleanup(json) json_t *claims = json_of(
		"{\"team\":\"top\",\"https://ns/x\":{\"team.name\":\"deep\"},\"z\":\"zz\"}");
	static const char *const NAMES[] = {"email", "team", "only_a"};
	static const char *const WANT[2][3] = {{NULL, "deep", "zz"}, {NULL, "top", NULL}};
	char buf[SPOA_EXPORT_TEXT];

	ck_assert_uint_eq(config->exports.n, 3);
	for (size_t p = 0; p < 2; p++)
		for (size_t i = 0; i < 3; i++) {
			struct spop_data value =
				spoa_export_value(&config->exports, i, p, claims, buf);

			ck_assert_str_eq(config->exports.names[i], NAMES[i]);
			ck_assert_int_eq(value.type, WANT[p][i] ? SPOP_STR : SPOP_NULL);
			if (WANT[p][i])
				ck_assert(span_is(value.text, WANT[p][i]));
		}
}
END_TEST

START_TEST(long_list)
{
	/* A list that is longer than its text may be is unset, not cut. */
	cleanup(spoa_config) struct spoa_config *config = help_config(CONFIG);
	cleanup(json) json_t *claims = json_pack("{s:[]}", "email");
	char buf[SPOA_EXPORT_TEXT];

	for (int i = 0; i < SPOA_EXPORT_TEXT / 2; i++)
		json_array_append_new(json_object_get(claims, "email"), json_string("x"));
	ck_assert_int_eq(spoa_export_value(&config->exports, 0, 0, claims, buf).type, SPOP_STR);
	json_array_append_new(json_object_get(claims, "email"), json_string("x"));
	ck_assert_int_eq(spoa_export_value(&config->exports, 0, 0, claims, buf).type, SPOP_NULL);
}
END_TEST

Suite *suite_export(void)
{
	Suite *suite = suite_create("export");
	TCase *tc = tcase_create("export");

	tcase_add_loop_test(tc, values, 0, ARRAY_SIZE(VALUES));
	tcase_add_test(tc, paths);
	tcase_add_test(tc, long_list);
	suite_add_tcase(suite, tc);
	return suite;
}
