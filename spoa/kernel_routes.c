#include "spoa/kernel_routes.h"

#include "spoa/daemon.h"
#include "spoa/routes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <string.h>

#define GLASS_MAX_S (24 * 3600)

static void refuse(struct spoa_http_answer *answer, int err, const char *why)
{
	spoa_route_refuse(answer, err == -EINVAL ? 400 : 503, why);
}

/* Whose connections: an identity's, or the one from an address and port. */
struct victim {
	int64_t identity, port;
	uint8_t addr[16];
	struct spoa_kernel *kernel;
	unsigned n;
};

static bool read_address(const char *text, uint8_t addr[16])
{
	struct in6_addr a6;

	memset(addr, 0, 16);
	if (inet_pton(AF_INET, text, addr) == 1)
		return true;
	if (inet_pton(AF_INET6, text, &a6) != 1)
		return false;
	memcpy(addr, &a6, 16);
	return true;
}

static bool read_victim(const json_t *body, struct victim *v)
{
	const char *client = json_string_value(json_object_get(body, "client"));

	if (!client)
		return spoa_route_integer(body, "identity", 1, UINT32_MAX, &v->identity);
	return read_address(client, v->addr) &&
	       spoa_route_integer(body, "port", 1, 65535, &v->port);
}

static int revoke_from(void *arg, const struct bpfmap_flow_key *key, const struct bpfmap_flow *flow)
{
	struct victim *v = arg;
	unsigned n = 0;
	int err = 0;

	(void)flow;
	if (key->remote_port == v->port && !memcmp(key->remote_addr, v->addr, sizeof(v->addr)))
		err = bpfmap_revoke_flow(v->kernel->maps->map, key, &n);
	v->n += n;
	return err;
}

static int revoke_all(struct victim *v)
{
	struct bpfmap *map = v->kernel->maps->map;
	int err = v->identity ? bpfmap_revoke_identity(map, (uint32_t)v->identity, &v->n)
			      : bpfmap_flows_each(map, revoke_from, v);

	if (!err && v->n)
		spoa_kernel_end(v->kernel, false);
	return err;
}

static void log_kill(const struct victim *v)
{
	struct base_log log;

	if (!spoa_log_open(&log, BASE_LOG_WARNING, "operator_kill"))
		return;
	base_log_int(&log, "identity", v->identity);
	base_log_int(&log, "connections", v->n);
	spoa_log_close(&log);
}

void spoa_kernel_route_kill(
	void *arg, const struct spoa_http_request *request, struct spoa_http_answer *answer)
{
	struct spoa_daemon *daemon = arg;
	struct victim v = {.kernel = &daemon->kernel};
	json_t *body = spoa_route_body(request);
	bool good = body && read_victim(body, &v);
	int err;

	json_decref(body);
	if (!good) {
		refuse(answer, -EINVAL, "wanted: identity, or client and port");
		return;
	}
	if (!v.kernel->maps) {
		refuse(answer, -ENOENT, "nothing is enforced: there are no maps");
		return;
	}
	err = revoke_all(&v);
	if (err) {
		refuse(answer, err, strerror(-err));
		return;
	}
	log_kill(&v);
	spoa_kernel_audit_kill(v.kernel->audit, v.identity, v.n);
	spoa_route_say(answer, 200, json_pack("{s:I}", "connections", (json_int_t)v.n));
}

void spoa_kernel_route_break_glass(
	void *arg, const struct spoa_http_request *request, struct spoa_http_answer *answer)
{
	struct spoa_daemon *daemon = arg;
	json_t *body = spoa_route_body(request);
	const char *why = json_string_value(json_object_get(body, "why"));
	int64_t seconds = 0;
	struct base_now now;
	uint64_t until;
	int err;

	if (!why || !*why || !spoa_route_integer(body, "seconds", 0, GLASS_MAX_S, &seconds)) {
		json_decref(body);
		refuse(answer, -EINVAL, "wanted: seconds, 0 to 86400, and why");
		return;
	}
	base_clock_now(&now);
	until = seconds ? now.boot_ns + (uint64_t)seconds * (uint64_t)NS_PER_S : 0;
	err = spoa_kernel_break_glass(&daemon->kernel, until, seconds, why);
	json_decref(body);
	if (err)
		refuse(answer, err,
			err == -ENOENT ? "nothing is enforced: there are no maps" : strerror(-err));
	else
		spoa_route_say(answer, 200, json_pack("{s:I}", "seconds", (json_int_t)seconds));
}
