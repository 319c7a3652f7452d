#include "policy/config.h"

#include "ident/labels.h"
#include "ident/template.h"
#include "policy/load.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NAMESPACE_LABEL "k8s:io.kubernetes.pod.namespace="
#define CLUSTER_LABEL   "k8s:io.cilium.k8s.policy.cluster="
#define LABEL_BYTES     512
#define NAMED_MAX       32

struct report {
	struct base_diag *diag, *notes;
	struct conf_pos at;
};

static void copy_items(
	struct base_diag *to, const struct conf_pos *at, const struct base_diag *from)
{
	for (size_t i = 0; i < from->n_items; i++)
		base_diag_add(to, at->line, at->column, "%.100s:%u:%u: %s", from->file,
			from->items[i].line, from->items[i].column, from->items[i].text);
}

static void said(void *arg, const struct base_diag *diag, const struct base_diag *notes)
{
	struct report *report = arg;

	copy_items(report->diag, &report->at, diag);
	copy_items(report->notes, &report->at, notes);
}

/* Labels as written and the two that everybody carries, as canonical text. */
static int make_labels(const struct conf_strings *own, const char *namespace, const char *cluster,
	char **ret_text, char why[160])
{
	size_t n = own->n;
	cleanup(free) struct ident_label *labels = calloc(n + 2, sizeof(*labels));
	cleanup(free) char *bufs = calloc(n + 2, LABEL_BYTES);
	char common[2][256];
	int err = labels && bufs ? 0 : -ENOMEM;

	snprintf(common[0], sizeof(common[0]), NAMESPACE_LABEL "%s", namespace);
	snprintf(common[1], sizeof(common[1]), CLUSTER_LABEL "%s", cluster);
	for (size_t i = 0; !err && i < n + 2; i++)
		err = ident_label_parse(i < n ? own->items[i] : common[i - n],
			bufs + i * LABEL_BYTES, LABEL_BYTES, &labels[i], why);
	return err ? err : ident_labels_canonical(labels, n + 2, ret_text, why);
}

int policy_config_role(
	const struct conf *conf, const struct conf_role *role, char **ret_text, char why[160])
{
	size_t n = role->labels.n;
	cleanup(free) char *bufs = calloc(n + 1, LABEL_BYTES);
	cleanup(free) char **items = calloc(n + 1, sizeof(*items));
	const struct conf_strings labels = {items, n};

	if (!bufs || !items)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		items[i] = bufs + i * LABEL_BYTES;
		if (ident_template_sample(role->labels.items[i], items[i], LABEL_BYTES)) {
			snprintf(why, 160, "a label is too long");
			return -EINVAL;
		}
	}
	return make_labels(
		&labels, conf->identity.namespace, conf->identity.cluster, ret_text, why);
}

static int service_labels(const struct conf *conf, const struct conf_service *service,
	struct base_diag *diag, char **ret_text)
{
	char why[160] = "";
	int err = make_labels(
		&service->labels, service->namespace, conf->identity.cluster, ret_text, why);

	if (err && err != -ENOMEM)
		base_diag_add(diag, service->labels_pos.line, service->labels_pos.column,
			"service %.40s: %s", service->name, why);
	return err == -ENOMEM ? err : err ? -EINVAL : 0;
}

/* NAME=NUMBER; name gets a copy that ends with a NUL. */
static bool read_named(const char *text, char name[16], struct policy_named_port *ret)
{
	const char *equals = strchr(text, '=');
	size_t n = equals ? (size_t)(equals - text) : 0;
	unsigned port = 0;

	if (!n || n > 15 || !equals[1] || strlen(equals + 1) > 5 ||
		strspn(equals + 1, "0123456789") != strlen(equals + 1))
		return false;
	for (size_t i = 0; i < n; i++) /* names compare without case */
		name[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] | 0x20) : text[i];
	name[n] = '\0';
	port = (unsigned)strtoul(equals + 1, NULL, 10);
	*ret = (struct policy_named_port){name, (uint16_t)port};
	return port >= 1 && port <= 65535;
}

static int check_addresses(const struct conf_service *service, struct base_diag *diag)
{
	int err = 0;

	for (size_t i = 0; i < service->addresses.n; i++) {
		struct policy_range range;

		if (!policy_range_parse(service->addresses.items[i], &range))
			continue;
		base_diag_add(diag, service->addresses_pos.line, service->addresses_pos.column,
			"service %.40s: %.60s is no address or range", service->name,
			service->addresses.items[i]);
		err = -EINVAL;
	}
	return err;
}

static int add_service(struct policy_index *index, const struct conf *conf,
	const struct conf_service *from, struct base_diag *diag)
{
	cleanup(free) char *labels = NULL;
	struct policy_named_port named[NAMED_MAX];
	char names[NAMED_MAX][16];
	struct policy_service service = {
		.name = from->name,
		.port = (uint16_t)from->port,
		.ports = from->ports,
		.n_ports = from->n_ports,
		.named = named,
	};
	int err = service_labels(conf, from, diag, &labels);

	for (size_t i = 0; i < from->named_ports.n; i++)
		if (!read_named(from->named_ports.items[i], names[i], &named[service.n_named++])) {
			base_diag_add(diag, from->named_pos.line, from->named_pos.column,
				"service %.40s: %.40s is not NAME=NUMBER", from->name,
				from->named_ports.items[i]);
			err = err ? err : -EINVAL;
		}
	if (!err)
		err = check_addresses(from, diag);
	if (err)
		return err;
	service.labels = span_of(labels);
	return policy_index_service(index, &service);
}

static int load_set(const struct conf *conf, struct report *report, struct policy_set **ret_set)
{
	const struct policy_options options = {
		.cluster = conf->identity.cluster, .audit = conf->policy.mode == CONF_POLICY_AUDIT};
	cleanup(policy_set) struct policy_set *set = policy_set_new(&options);
	int err = set ? policy_load(set, (const char *const *)conf->policy.paths.items,
				conf->policy.paths.n, said, report)
		      : -ENOMEM;

	if (!err)
		err = policy_set_ready(set);
	if (err)
		return err;
	*ret_set = TAKE_PTR(set);
	return 0;
}

int policy_config(const struct conf *conf, struct base_diag *diag, struct base_diag *notes,
	struct policy_index **ret_index)
{
	struct report report = {diag, notes, conf->policy.paths_pos};
	cleanup(policy_index) struct policy_index *index = NULL;
	struct policy_set *set = NULL;
	int worst = 0, err;

	*ret_index = NULL;
	if (!conf->policy.paths.n)
		return 0;
	err = load_set(conf, &report, &set);
	if (err)
		return err;
	index = policy_index_new(set);
	if (!index)
		return -ENOMEM;
	for (size_t i = 0; i < conf->n_services; i++) {
		err = add_service(index, conf, &conf->services[i], diag);
		if (err == -ENOMEM)
			return err;
		worst = err ? -EINVAL : worst;
	}
	if (!worst)
		*ret_index = TAKE_PTR(index);
	return worst;
}
