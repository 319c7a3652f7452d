/* What a question about policies takes from the daemon's configuration. */

#include "ctl/args.h"
#include "ctl/policy_ask.h"
#include "ctl/policy_index.h"

#include <stdio.h>
#include <string.h>

/* "k8s:" in front of labels without a source, as the configuration means it. false: no room. */
static bool add_label(struct ctl_policy_ask *ask, struct span *labels, size_t *n, const char *key,
	const char *value)
{
	char *text;

	if (*n == CTL_POLICY_LABELS_MAX || ask->n_own == ARRAY_SIZE(ask->own) ||
		asprintf(&text, "%s%s%s%s", strchr(key, ':') ? "" : "k8s:", key, value ? "=" : "",
			value ? value : "") < 0)
		return false;
	ask->own[ask->n_own++] = text;
	labels[(*n)++] = span_of(text);
	return true;
}

static bool has_key(const struct span *labels, size_t n, const char *key)
{
	size_t len = strlen(key);

	for (size_t i = 0; i < n; i++) {
		const char *colon = memchr(labels[i].p, ':', labels[i].n);
		size_t skip = colon ? (size_t)(colon + 1 - labels[i].p) : 0;

		if (labels[i].n - skip >= len && !memcmp(labels[i].p + skip, key, len))
			return true;
	}
	return false;
}

static bool add_common(
	struct ctl_policy_ask *ask, struct span *labels, size_t *n, const char *namespace)
{
	static const char NAMESPACE[] = "io.kubernetes.pod.namespace";
	static const char CLUSTER[] = "io.cilium.k8s.policy.cluster";

	return (has_key(labels, *n, NAMESPACE) ||
		       add_label(ask, labels, n, NAMESPACE, namespace)) &&
	       (has_key(labels, *n, CLUSTER) || add_label(ask, labels, n, CLUSTER, ask->cluster));
}

static bool add_service(struct ctl_policy_ask *ask, const struct conf_service *service)
{
	bool good = true;

	for (size_t i = 0; good && i < service->labels.n; i++)
		good = add_label(ask, ask->dst, &ask->n_dst, service->labels.items[i], NULL);
	for (size_t i = 0; good && i < service->named_ports.n; i++)
		good = ctl_policy_ask_named(ask, service->named_ports.items[i]);
	if (!ask->has_port)
		ask->port_number = (uint16_t)service->port;
	return good && add_common(ask, ask->dst, &ask->n_dst, service->namespace);
}

static const struct conf_service *find_service(const struct conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->n_services; i++)
		if (!strcmp(conf->services[i].name, name))
			return &conf->services[i];
	return NULL;
}

enum ctl_exit ctl_policy_ask_config(const char *name, struct ctl_policy_ask *ask)
{
	const struct conf_service *service = NULL;
	enum ctl_exit rc = ctl_policy_conf(name, ask->config, &ask->conf);
	bool good = true;

	if (rc)
		return rc;
	for (size_t i = 0; !ask->n_policies && i < ask->conf->policy.paths.n; i++)
		ask->paths[i] = ask->conf->policy.paths.items[i];
	ask->n_paths = ask->n_policies ? ask->n_policies : ask->conf->policy.paths.n;
	if (!ask->cluster)
		ask->cluster = ask->conf->identity.cluster;
	if (ask->service) {
		service = find_service(ask->conf, ask->service);
		if (!service)
			return ctl_args_usage(
				name, "there is no service '%s' in %s", ask->service, ask->config);
		good = add_service(ask, service);
	}
	if (good && ask->n_labels)
		good = add_common(ask, ask->labels, &ask->n_labels, ask->conf->identity.namespace);
	return good ? CTL_OK : ctl_args_usage(name, "too many labels");
}
