#include "conf/conf.h"
#include "conf/yaml.h"
#include "fail.h"
#include "say.h"
#include "suites.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A file with this content; its name lives until the next call. */
static const char *write_file(const char *text, size_t n)
{
	static char path[64];
	int fd;

	snprintf(path, sizeof(path), "/tmp/conf-test-XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, n), (ssize_t)n);
	close(fd);
	return path;
}

START_TEST(loads_a_file)
{
	/* A good file is read, and the messages about a bad one carry its name. */
	const char *path = write_file(MINIMAL, strlen(MINIMAL));
	struct conf *conf = NULL;
	struct base_diag diag;
	char said[128];

	base_diag_init(&diag, "");
	ck_assert_int_eq(conf_load(path, &conf, &diag), 0);
	ck_assert_str_eq(diag.file, path);
	ck_assert_str_eq(conf->roles[0].name, "r");
	conf_free(conf);
	unlink(path);

	conf = NULL;
	path = write_file("a\n", 2);
	ck_assert_int_eq(conf_load(path, &conf, &diag), -EINVAL);
	ck_assert_ptr_null(conf);
	snprintf(said, sizeof(said), "%s:1:1: the file is 'a'; it must be a map of keys\n", path);
	ck_assert_str_eq(say_diag(&diag), said);
	unlink(path);
	base_diag_done(&diag);
}
END_TEST

START_TEST(names_what_cannot_be_read)
{
	/* A missing file, a folder and a file that is too large are mistakes of the file as a whole. */
	cleanup(free) char *large = calloc(1, CONF_YAML_BYTES + 9);
	const char *path;
	struct conf *conf = NULL;
	struct base_diag diag;
	char said[512];

	memset(large, '#', CONF_YAML_BYTES + 9);
	path = write_file(large, CONF_YAML_BYTES + 9);
	base_diag_init(&diag, "");
	ck_assert_int_eq(conf_load("/nonexistent/x", &conf, &diag), -EINVAL);
	ck_assert_str_eq(
		say_diag(&diag), "/nonexistent/x: cannot be read: No such file or directory\n");
	ck_assert_int_eq(conf_load("/", &conf, &diag), -EINVAL);
	ck_assert_int_eq(conf_load(path, &conf, &diag), -EINVAL);
	snprintf(said, sizeof(said),
		"%s: cannot be read: No such file or directory\n%s: cannot be read: Is a "
		"directory\n"
		"%s: larger than 1048576 bytes\n",
		path, path, path);
	ck_assert_str_eq(say_diag(&diag), said);
	ck_assert_ptr_null(conf);
	unlink(path);
	base_diag_done(&diag);
}
END_TEST

START_TEST(wants_a_map)
{
	/* A list, a text or nothing at all is no configuration. */
	ck_assert_str_eq(say_conf("[a]"), "f:1:1: the file is a list; it must be a map of keys\n");
	ck_assert_str_eq(say_conf("---\n"), "f:2:1: the file is empty; it must be a map of keys\n");
	ck_assert_str_eq(say_conf(""), "f:1:1: there is nothing in this file\n");
}
END_TEST

static const char *const TEXTS[] = {
	"version: 1\n"
	"listen:\n  - unix: /x/y\n  - tcp: '[::1]:99'\n"
	"exports: [a, b]\n"
	"bpf: {ports: [80]}\n"
	"providers: [{name: p, issuer: https://h, audiences: [a, b]}]\n"
	"roles:\n"
	"  - {name: r, labels: [a=b], when: [{claim: [a, b], all: [x, y]}]}\n"
	"  - {name: s, labels: [c=d], provider: p}\n",
	"version: 1\n"
	"listen: [{tcp: x}]\n"
	"exports: [a, {b: c}]\n"
	"providers: [{name: p, audiences: [a, b]}, 5]\n"
	"roles:\n"
	"  - {name: r, labels: [a=b], when: [{claim: [a, b], all: [x, y], any: z}]}\n",
};

START_TEST(survives_no_memory)
{
	/*
	 * Whichever allocation of a whole load fails: never a configuration that is not whole, never
	 * a good one for a bad file, no leak.
	 */
	const char *path = write_file(TEXTS[_i], strlen(TEXTS[_i]));
	struct base_diag diag;
	struct conf *conf = NULL;
	bool failed = true;
	long n = 0;
	int err = 0;

	for (; failed; n++) {
		base_diag_init(&diag, "");
		fail_after(n);
		err = conf_load(path, &conf, &diag);
		failed = fail_stop();
		if (failed)
			ck_assert(err == -ENOMEM || (err == -EINVAL && diag.n_found && _i == 1));
		ck_assert((err == 0) == (conf != NULL));
		base_diag_done(&diag);
	}
	ck_assert_int_gt(n, 100);
	ck_assert_int_eq(err, _i == 0 ? 0 : -EINVAL);
	ck_assert(fail_reached_libyaml());
	conf_free(conf);
	unlink(path);
}
END_TEST

START_TEST(frees_nothing)
{
	/* NULL is fine. */
	conf_free(NULL);
}
END_TEST

SUITE(load, ONE(loads_a_file), ONE(names_what_cannot_be_read), ONE(wants_a_map),
	EACH(survives_no_memory, TEXTS), ONE(frees_nothing))
