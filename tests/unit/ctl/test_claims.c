#include "tests/unit/ctl/suites.h"

#include "ctl/claims.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct {
	struct ctl_claims wanted;
	enum ctl_exit code;
	const char *json; /* compact, keys sorted */
} ROWS[] = {
	{{.ttl_s = 300}, CTL_OK, "{\"exp\":1300,\"iat\":1000}"},
	{{.ttl_s = -60}, CTL_OK, "{\"exp\":940,\"iat\":1000}"},
	{{.text = "{\"iat\":1,\"exp\":2}", .ttl_s = 300}, CTL_OK, "{\"exp\":2,\"iat\":1}"},
	{{.text = "{\"exp\":null}"}, CTL_OK, "{\"exp\":null,\"iat\":1000}"},
	{{.text = "{\"sub\":\"a\",\"x\":[1]}", .sub = "b", .iss = "i"}, CTL_OK,
		"{\"exp\":1000,\"iat\":1000,\"iss\":\"i\",\"sub\":\"b\",\"x\":[1]}"},
	{{.aud = {"a"}, .n_aud = 1}, CTL_OK, "{\"aud\":\"a\",\"exp\":1000,\"iat\":1000}"},
	{{.aud = {"a", "b"}, .n_aud = 2}, CTL_OK,
		"{\"aud\":[\"a\",\"b\"],\"exp\":1000,\"iat\":1000}"},
	{{.text = ""}, CTL_USAGE, NULL},
	{{.text = "[1]"}, CTL_USAGE, NULL},
	{{.text = "{\"a\":1,\"a\":2}"}, CTL_USAGE, NULL},
	{{.text = "{} x"}, CTL_USAGE, NULL},
	{{.sub = "\xff"}, CTL_USAGE, NULL},
	{{.aud = {"a", "\xff"}, .n_aud = 2}, CTL_USAGE, NULL},
	{{.ttl_s = INT64_MAX}, CTL_USAGE, NULL},
	{{.text = "@/nonexistent"}, CTL_FAILED, NULL},
};

/* Complaints go to stderr; a test run need not show them. */
static enum ctl_exit make_quietly(const struct ctl_claims *wanted, json_t **ret)
{
	int saved = dup(2);
	enum ctl_exit code;

	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
	code = ctl_claims_make("test", wanted, 1000, ret);
	fflush(stderr);
	dup2(saved, 2);
	close(saved);
	return code;
}

START_TEST(claims)
{
	/* Goal: options override the text, the clock fills what is missing, nonsense is refused. */
	json_t *made = NULL;
	char *json;

	ck_assert_int_eq(make_quietly(&ROWS[_i].wanted, &made), ROWS[_i].code);
	ck_assert_int_eq(made != NULL, ROWS[_i].code == CTL_OK);
	if (!made)
		return;
	json = json_dumps(made, JSON_COMPACT | JSON_SORT_KEYS);
	ck_assert_str_eq(json, ROWS[_i].json);
	free(json);
	json_decref(made);
}
END_TEST

START_TEST(from_file)
{
	/* Goal: @FILE reads the claims from there. */
	char text[64];
	struct ctl_claims wanted = {.text = text};
	json_t *made = NULL;
	FILE *f;

	snprintf(text, sizeof(text), "@/tmp/unit_ctl.%d.claims", (int)getpid());
	f = fopen(text + 1, "w");
	ck_assert_ptr_nonnull(f);
	fputs("{\"sub\":\"from-file\"}\n", f);
	fclose(f);
	ck_assert_int_eq(make_quietly(&wanted, &made), CTL_OK);
	unlink(text + 1);
	ck_assert_str_eq(json_string_value(json_object_get(made, "sub")), "from-file");
	json_decref(made);
}
END_TEST

Suite *suite_claims(void)
{
	Suite *s = suite_create("ctl/claims");
	TCase *tc = tcase_create("claims");

	tcase_add_loop_test(tc, claims, 0, ARRAY_SIZE(ROWS));
	tcase_add_test(tc, from_file);
	suite_add_tcase(s, tc);
	return s;
}
