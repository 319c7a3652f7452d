#include "say.h"

#include "conf/yaml.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *say_diag(const struct base_diag *diag)
{
	static char said[32768];
	FILE *to = fmemopen(said, sizeof(said), "w");

	said[0] = '\0';
	base_diag_print(diag, to);
	fclose(to);
	return said;
}

const char *say_conf(const char *text)
{
	struct base_diag diag;
	struct conf *conf = NULL;
	const char *said;
	int err;

	base_diag_init(&diag, "f");
	err = conf_parse("f", text, strlen(text), &conf, &diag);
	ck_assert_int_eq(err, diag.n_found ? -EINVAL : 0);
	ck_assert((conf == NULL) == (diag.n_found != 0));
	said = say_diag(&diag);
	conf_free(conf);
	base_diag_done(&diag);
	return said;
}

const char *say_yaml(const char *text, size_t n)
{
	struct base_diag diag;
	struct base_doc *doc = NULL;
	const char *said;
	int err;

	base_diag_init(&diag, "f");
	err = conf_yaml_parse(text, n, &doc, &diag);
	ck_assert_int_eq(err, diag.n_found ? -EINVAL : 0);
	ck_assert((doc == NULL) == (diag.n_found != 0));
	said = say_diag(&diag);
	base_doc_free(doc);
	base_diag_done(&diag);
	return said;
}

struct conf *say_good(const char *text)
{
	struct base_diag diag;
	struct conf *conf = NULL;
	int err;

	base_diag_init(&diag, "f");
	err = conf_parse("f", text, strlen(text), &conf, &diag);
	ck_assert_msg(err == 0, "%s", say_diag(&diag));
	base_diag_done(&diag);
	return conf;
}
