#include "conf/conf.h"

#include "conf/bind.h"
#include "conf/check.h"
#include "conf/keys.h"
#include "conf/provider.h"
#include "conf/text.h"
#include "conf/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* Media types do not mind case, and "application/" goes without saying (RFC 7515 4.1.9). */
static void settle_type(char *type)
{
	static const char PREFIX[] = "application/";
	size_t prefix = strlen(PREFIX);

	for (char *p = type; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	if (!strncmp(type, PREFIX, prefix) && !strchr(type + prefix, '/') && type[prefix])
		memmove(type, type + prefix, strlen(type + prefix) + 1);
}

/* What is derived from good values. */
static int settle(struct conf *conf)
{
	for (size_t i = 0; i < conf->n_providers; i++) {
		for (size_t k = 0; k < conf->providers[i].types.n; k++)
			settle_type(conf->providers[i].types.items[k]);
		if (conf_provider_settle(&conf->providers[i]))
			return -ENOMEM;
	}
	return 0;
}

int conf_parse(const char *file, const char *text, size_t n, struct conf **ret_conf,
	struct base_diag *diag)
{
	cleanup(conf) struct conf *conf = calloc(1, sizeof(*conf));
	size_t found = diag->n_found;
	int err;

	snprintf(diag->file, sizeof(diag->file), "%s", file);
	if (!conf)
		return -ENOMEM;
	err = conf_yaml_parse(text, n, &conf->doc, diag);
	if (err)
		return err;
	if (conf->doc->kind != BASE_DOC_MAP) {
		base_diag_add(diag, conf->doc->line, conf->doc->column,
			"the file is %s; it must be a map of keys",
			conf_text_found(conf->doc).text);
		return -EINVAL;
	}
	err = conf_bind(&conf_keys, conf->doc, conf, diag);
	if (err)
		return err;
	conf_check(conf, conf->doc, diag);
	if (diag->n_found != found)
		return -EINVAL;
	err = settle(conf);
	if (err)
		return err;
	*ret_conf = TAKE_PTR(conf);
	return 0;
}

/* Up to size bytes; one more than allowed is how the parser sees a file that is too large. */
static ssize_t read_all(int fd, char *text, size_t size)
{
	size_t n = 0;

	while (n < size) {
		ssize_t got = read(fd, text + n, size - n);

		if (got == 0)
			break;
		if (got < 0 && errno != EINTR)
			return -errno;
		n += got > 0 ? (size_t)got : 0;
	}
	return (ssize_t)n;
}

int conf_load(const char *path, struct conf **ret_conf, struct base_diag *diag)
{
	cleanup(free) char *text = malloc(CONF_YAML_BYTES + 1);
	cleanup(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -errno : 0;

	if (!text)
		return -ENOMEM;
	if (n == 0)
		n = read_all(fd, text, CONF_YAML_BYTES + 1);
	if (n >= 0)
		return conf_parse(path, text, (size_t)n, ret_conf, diag);
	snprintf(diag->file, sizeof(diag->file), "%s", path);
	base_diag_add(diag, 0, 0, "cannot be read: %s", strerror((int)-n));
	return -EINVAL;
}

void conf_free(struct conf *conf)
{
	if (!conf)
		return;
	conf_bind_clear(&conf_keys, conf);
	base_doc_free(conf->doc);
	free(conf);
}
