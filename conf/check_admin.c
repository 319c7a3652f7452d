/* The admin interface by TCP is for those alone who prove that they may. */
#include "base/cidr.h"
#include "conf/check_place.h"

static bool is_loopback(const char *host)
{
	static const char *const RANGES[] = {"127.0.0.0/8", "::1"};
	struct base_cidr range, address;

	if (base_cidr_parse(host, &address))
		return false;
	for (size_t i = 0; i < sizeof(RANGES) / sizeof(RANGES[0]); i++)
		if (!base_cidr_parse(RANGES[i], &range) && base_cidr_has(&range, address.bytes))
			return true;
	return false;
}

void conf_check_admin(const struct check *c)
{
	const struct base_doc *doc = where(c->doc, "admin");
	const struct conf *conf = c->conf;

	if (doc->kind != BASE_DOC_MAP)
		return;
	if (conf->admin.tls_cert && !conf->admin.tls_key)
		COMPLAIN(c, where(doc, "tls_cert"), "'tls_cert' needs 'tls_key'");
	if (!conf->admin.remote.tcp_host)
		return;
	if (!conf->admin.client_ca && !conf->admin.token_file && !conf->admin.read_token_file)
		COMPLAIN(c, where(doc, "tcp"),
			"'tcp' needs 'client_ca', 'token_file' or 'read_token_file'");
	if (!conf->admin.tls_cert && !is_loopback(conf->admin.remote.tcp_host))
		COMPLAIN(c, where(doc, "tcp"),
			"'tcp' needs 'tls_cert' where it is no loopback address");
}
