#include "tests/unit/spoa/suites.h"

#include "spoa/tls.h"
#include "tests/unit/spoa/help.h"
#include "tests/unit/spoa/pki.h"

#include <stdio.h>

static struct pki pki;
static struct conf_listen conf;
static struct base_diag diag;
static struct ssl_ctx_st *context;

static void setup(void)
{
	pki_new(&pki);
	base_diag_init(&diag, "f");
	conf = (struct conf_listen){
		.pos = {7, 3}, .tls = {.cert = pki.cert, .key = pki.key, .client_ca = pki.ca}};
}

static void teardown(void)
{
	spoa_tls_free(context);
	base_diag_done(&diag);
	pki_free(&pki);
}

START_TEST(good)
{
	/* Good files make a context; an entry without tls makes none. */
	ck_assert_int_eq(spoa_tls_new(&conf, &context, &diag), 0);
	ck_assert_ptr_nonnull(context);
	ck_assert_uint_eq(diag.n_found, 0);
	spoa_tls_free(context);
	conf.tls.cert = NULL;
	ck_assert_int_eq(spoa_tls_new(&conf, &context, &diag), 0);
	ck_assert_ptr_null(context);
}
END_TEST

static const struct {
	size_t member; /* which file is wrong */
	size_t other;  /* what stands there instead; 0: a file that is not there */
} BAD[] = {
	{offsetof(struct conf_listen, tls.cert), 0},
	{offsetof(struct conf_listen, tls.key), 0},
	{offsetof(struct conf_listen, tls.client_ca), 0},
	{offsetof(struct conf_listen, tls.cert), offsetof(struct pki, key)},
	{offsetof(struct conf_listen, tls.key), offsetof(struct pki, client_key)},
	{offsetof(struct conf_listen, tls.client_ca), offsetof(struct pki, key)},
};

START_TEST(bad)
{
	/* A file that is missing, or no certificate, or another's key, is one mistake with its place. */
	char **member = (char **)((char *)&conf + BAD[_i].member);
	char *missing = (char *)"/nonexistent.pem";

	*member = BAD[_i].other ? (char *)&pki + BAD[_i].other : missing;
	ck_assert_int_eq(spoa_tls_new(&conf, &context, &diag), 0);
	ck_assert_uint_eq(diag.n_found, 1);
	ck_assert_uint_eq(diag.items[0].line, 7);
	ck_assert_ptr_nonnull(strstr(diag.items[0].text, *member));
}
END_TEST

Suite *suite_tls(void)
{
	Suite *suite = suite_create("tls");
	TCase *tc = tcase_create("tls");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, good);
	tcase_add_loop_test(tc, bad, 0, ARRAY_SIZE(BAD));
	suite_add_tcase(suite, tc);
	return suite;
}
