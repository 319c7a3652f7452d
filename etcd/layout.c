#include "etcd/layout.h"

#include "ident/number.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NAME_MAX_BYTES 32
#define CLUSTER_LABEL  "k8s:io.cilium.k8s.policy.cluster="

/* Bits of a number that are the cluster's own: 16 for up to 255 clusters, 15 for 511. */
static unsigned local_bits(const struct etcd_cluster *cluster)
{
	return cluster->clusters > 255 ? 15 : 16;
}

uint32_t etcd_layout_min(const struct etcd_cluster *cluster)
{
	return (uint32_t)cluster->id << local_bits(cluster) | IDENT_ALLOCATED_MIN;
}

uint32_t etcd_layout_max(const struct etcd_cluster *cluster)
{
	unsigned bits = local_bits(cluster);

	return (uint32_t)cluster->id << bits | ((UINT32_C(1) << bits) - 1);
}

static bool is_small(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool etcd_layout_is_name(const char *name)
{
	size_t n = strlen(name);

	if (!n || n > NAME_MAX_BYTES || !is_small(name[0]) || !is_small(name[n - 1]))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!is_small(name[i]) && name[i] != '-')
			return false;
	return true;
}

bool etcd_layout_is_node(const char *node)
{
	size_t n = strlen(node);

	for (size_t i = 0; i < n; i++)
		if (node[i] <= ' ' || node[i] > '~' || node[i] == '/')
			return false;
	return n && n <= ETCD_NODE_MAX && strcmp(node, ".") && strcmp(node, "..");
}

__attribute__((format(printf, 2, 3))) static struct span write_key(
	etcd_key_buf to, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(to, sizeof(etcd_key_buf), format, args);
	va_end(args);
	/* Every part has its own ceiling, and the buffer is their sum. */
	return (struct span){.p = to, .n = n < 0 ? 0 : strnlen(to, sizeof(etcd_key_buf) - 1)};
}

struct span etcd_layout_identities(const struct etcd_cluster *cluster, etcd_key_buf to)
{
	return write_key(to, "%s/state/identities/v1/", cluster->prefix);
}

struct span etcd_layout_ids(const struct etcd_cluster *cluster, etcd_key_buf to)
{
	return write_key(to, "%s/state/identities/v1/id/", cluster->prefix);
}

struct span etcd_layout_id(const struct etcd_cluster *cluster, uint32_t id, etcd_key_buf to)
{
	return write_key(to, "%s/state/identities/v1/id/%" PRIu32, cluster->prefix, id);
}

struct span etcd_layout_value(
	const struct etcd_cluster *cluster, const char *labels, etcd_key_buf to)
{
	return write_key(
		to, "%s/state/identities/v1/value/%s/%s", cluster->prefix, labels, cluster->node);
}

struct span etcd_layout_values(
	const struct etcd_cluster *cluster, const char *labels, etcd_key_buf to)
{
	return write_key(to, "%s/state/identities/v1/value/%s/", cluster->prefix, labels);
}

struct span etcd_layout_lock(
	const struct etcd_cluster *cluster, const char *labels, int64_t lease, etcd_key_buf to)
{
	return write_key(to, "%s/state/identities/v1/locks/%s/%" PRIx64, cluster->prefix, labels,
		(uint64_t)lease);
}

struct span etcd_layout_locks(
	const struct etcd_cluster *cluster, const char *labels, etcd_key_buf to)
{
	return write_key(to, "%s/state/identities/v1/locks/%s/", cluster->prefix, labels);
}

struct span etcd_layout_ip(const struct etcd_cluster *cluster, const char *address, etcd_key_buf to)
{
	return write_key(to, "%s/state/ip/v1/default/%s", cluster->prefix, address);
}

struct span etcd_layout_config(const struct etcd_cluster *cluster, etcd_key_buf to)
{
	return write_key(to, "%s/cluster-config/%s", cluster->prefix, cluster->name);
}

struct span etcd_layout_heartbeat(const struct etcd_cluster *cluster, etcd_key_buf to)
{
	return write_key(to, "%s/.heartbeat", cluster->prefix);
}

int etcd_layout_number(struct span text, uint32_t *ret_id)
{
	uint32_t id = 0;

	if (!text.n || text.n > 10 || (*text.p == '0' && text.n > 1))
		return -EINVAL;
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < '0' || text.p[i] > '9' || __builtin_mul_overflow(id, 10, &id) ||
			__builtin_add_overflow(id, (uint32_t)(text.p[i] - '0'), &id))
			return -EINVAL;
	*ret_id = id;
	return 0;
}

static bool begins(struct span *s, struct span with)
{
	if (s->n < with.n || memcmp(s->p, with.p, with.n))
		return false;
	s->p += with.n;
	s->n -= with.n;
	return true;
}

int etcd_layout_parse_id(const struct etcd_cluster *cluster, struct span key, uint32_t *ret_id)
{
	etcd_key_buf buf;
	uint32_t id;

	if (!begins(&key, etcd_layout_identities(cluster, buf)))
		return -EINVAL;
	if (!begins(&key, SPAN("id/")))
		return begins(&key, SPAN("value/")) || begins(&key, SPAN("locks/")) ? -ENOENT
										    : -EINVAL;
	if (etcd_layout_number(key, &id))
		return -EINVAL;
	if (!etcd_layout_has(cluster, id))
		return -ERANGE;
	*ret_id = id;
	return 0;
}

/* The label's value as it stands in canonical text, or an empty span. */
static struct span cluster_of(struct span labels)
{
	static const struct span NAME = SPAN(CLUSTER_LABEL);

	while (labels.n) {
		const char *end = memchr(labels.p, ';', labels.n);
		struct span one = {.p = labels.p, .n = end ? (size_t)(end - labels.p) : labels.n};

		labels.p += one.n + (end != NULL);
		labels.n -= one.n + (end != NULL);
		if (begins(&one, NAME))
			return one;
	}
	return (struct span){0};
}

int etcd_layout_labels_check(const struct etcd_cluster *cluster, struct span labels, bool mesh)
{
	char text[IDENT_LABELS_TEXT_MAX + 1];
	int rc;

	if (!labels.n || memchr(labels.p, '\0', labels.n))
		return -EINVAL;
	if (labels.n > IDENT_LABELS_TEXT_MAX)
		return -E2BIG;
	memcpy(text, labels.p, labels.n);
	text[labels.n] = '\0';
	rc = ident_labels_check(text);
	if (rc)
		return rc;
	return mesh && !span_is(cluster_of(labels), cluster->name) ? -EINVAL : 0;
}
