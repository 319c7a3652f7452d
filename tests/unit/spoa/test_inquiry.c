#include "tests/unit/spoa/suites.h"

#include "spoa/file.h"
#include "spoa/inquiry.h"
#include "tests/unit/spoa/help.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static char dir[64], path[100];

static void setup(void)
{
	help_mkdir(dir);
	snprintf(path, sizeof(path), "%s/secret", dir);
}

static void teardown(void)
{
	help_rmdir(dir);
}

static struct conf_introspection how(int auth)
{
	return (struct conf_introspection){
		.auth = auth, .client_id = (char *)"me:1", .client_secret_file = path};
}

START_TEST(forms)
{
	/* Each kind of client says who it is in its own way; every byte that means something is encoded. */
	static const struct {
		int auth;
		const char *body, *authorization;
	} ROWS[] = {
		{CONF_AUTH_BASIC, "token=a.b%2B%3D%26&token_type_hint=access_token",
			/* me%3A1:a%20s%25%26 */
			"Authorization: Basic bWUlM0ExOmElMjBzJTI1JTI2"},
		{CONF_AUTH_POST,
			"token=a.b%2B%3D%26&token_type_hint=access_token&client_id=me%3A1"
			"&client_secret=a%20s%25%26",
			NULL},
		{CONF_AUTH_CERTIFICATE,
			"token=a.b%2B%3D%26&token_type_hint=access_token&client_id=me%3A1", NULL},
	};

	help_write(path, "a s%&\n");
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		struct conf_introspection conf = how(ROWS[i].auth);
		cleanup(spoa_inquiry) char *body = NULL;
		cleanup(spoa_inquiry) char *authorization = NULL;
		char why[200] = "";

		ck_assert_int_eq(
			spoa_inquiry_make(&conf, SPAN("a.b+=&"), &body, &authorization, why), 0);
		ck_assert_str_eq(body, ROWS[i].body);
		ck_assert_pstr_eq(authorization, ROWS[i].authorization);
	}
}
END_TEST

START_TEST(no_secret)
{
	/* Without its secret nobody is asked, and the file is named. */
	struct conf_introspection conf = how(CONF_AUTH_BASIC);
	char *body = NULL, *authorization = NULL;
	char why[200] = "";

	ck_assert_int_eq(spoa_inquiry_make(&conf, SPAN("t"), &body, &authorization, why), -ENOENT);
	ck_assert_ptr_nonnull(strstr(why, path));
	help_write(path, " \n");
	ck_assert_int_eq(spoa_inquiry_make(&conf, SPAN("t"), &body, &authorization, why), -EBADMSG);
	ck_assert_ptr_null(body);
	ck_assert_ptr_null(authorization);
}
END_TEST

START_TEST(files)
{
	/* A word, a line, or nothing; never more than asked for. */
	static const struct {
		const char *text, *word, *line;
	} ROWS[] = {
		{"abc", "abc", "abc"},
		{" abc\r\n", "abc", "abc"},
		{"a b\n", NULL, "a b"},
		{"a\nb\n", NULL, NULL},
		{"a\tb", NULL, NULL},
		{"", NULL, NULL},
		{"\xc3\xa4", NULL, NULL},
		{"123456789", NULL, NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		cleanup(free) char *word = NULL;
		cleanup(free) char *line = NULL;

		help_write(path, ROWS[i].text);
		ck_assert_int_eq(spoa_file_word(path, 8, &word) == 0, ROWS[i].word != NULL);
		ck_assert_int_eq(spoa_file_line(path, 8, &line) == 0, ROWS[i].line != NULL);
		ck_assert_pstr_eq(word, ROWS[i].word);
		ck_assert_pstr_eq(line, ROWS[i].line);
	}
}
END_TEST

Suite *suite_inquiry(void)
{
	Suite *suite = suite_create("inquiry");
	TCase *tc = tcase_create("inquiry");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, forms);
	tcase_add_test(tc, no_secret);
	tcase_add_test(tc, files);
	suite_add_tcase(suite, tc);
	return suite;
}
