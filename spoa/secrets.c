#include "spoa/secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static void free_one(struct span secret)
{
	if (secret.p)
		explicit_bzero((char *)secret.p, secret.n);
	free((char *)secret.p);
}

/* What is wrong with the file, or NULL. */
static const char *read_file(const char *path, char *text, ssize_t *ret_n)
{
	cleanup(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st))
		return strerror(errno);
	if (st.st_mode & 007)
		return "others may use it: its mode must end in 0";
	n = read(fd, text, SPOA_SECRET_MAX + 2);
	if (n < 0)
		return strerror(errno);
	if (n && text[n - 1] == '\n')
		n--;
	if (n < SPOA_SECRET_MIN)
		return "it is shorter than 32 bytes";
	if (n > SPOA_SECRET_MAX)
		return "it is longer than 4096 bytes";
	*ret_n = n;
	return NULL;
}

static int read_one(
	const struct conf_assertion *assertion, struct base_diag *diag, struct span *ret_secret)
{
	char *text = calloc(1, SPOA_SECRET_MAX + 2);
	const char *why;
	ssize_t n = 0;

	if (!text)
		return -ENOMEM;
	why = read_file(assertion->secret_file, text, &n);
	if (why) {
		base_diag_add(diag, assertion->pos.line, assertion->pos.column,
			"assertion %s: %s: %s", assertion->name, assertion->secret_file, why);
		free_one((struct span){text, SPOA_SECRET_MAX + 2});
		return 0;
	}
	*ret_secret = (struct span){.p = text, .n = (size_t)n};
	return 0;
}

int spoa_secrets_new(const struct conf *conf, struct base_diag *diag, struct span **ret)
{
	struct span *secrets = calloc(conf->n_assertions + 1, sizeof(*secrets));
	int rc = secrets ? 0 : -ENOMEM;

	for (size_t i = 0; !rc && i < conf->n_assertions; i++)
		if (conf->assertions[i].secret_file)
			rc = read_one(&conf->assertions[i], diag, &secrets[i]);
	if (rc) {
		spoa_secrets_free(secrets, conf->n_assertions);
		return rc;
	}
	*ret = secrets;
	return 0;
}

void spoa_secrets_free(struct span *secrets, size_t n)
{
	for (size_t i = 0; secrets && i < n; i++)
		free_one(secrets[i]);
	free(secrets);
}
