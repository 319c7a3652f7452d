#include "spoa/workload_of.h"

#include "ident/number.h"
#include "spoa/case.h"

#include <errno.h>
#include <string.h>

static const char *const NAMES[] = {
	[SPOA_WHERE_NOT_LOOKED] = "not looked",
	[SPOA_WHERE_OUTSIDE] = "outside",
	[SPOA_WHERE_NOWHERE] = "nowhere",
	[SPOA_WHERE_WORLD] = "world",
	[SPOA_WHERE_NAMELESS] = "nameless",
	[SPOA_WHERE_UNAVAILABLE] = "unavailable",
	[SPOA_WHERE_KNOWN] = "known",
};
_Static_assert(ARRAY_SIZE(NAMES) == SPOA_WHERES, "a word for each");

const char *spoa_where_name(enum spoa_where where)
{
	return NAMES[where];
}

/*
 * The caller's own address, as the kernel has it. HAProxy's idea of the client
 * (set-src, a PROXY header) must be the same: otherwise what the kernel knows
 * is a proxy, whether or not somebody thought of saying so.
 */
static bool own_address(const struct spoa_request *request, uint8_t ret[16])
{
	uint8_t client[16];

	if (!request->vouched || request->proxied || !request->src.len)
		return false;
	base_cidr_address(request->src.bytes, request->src.len, ret);
	if (!request->client.len)
		return true;
	base_cidr_address(request->client.bytes, request->client.len, client);
	return !memcmp(client, ret, sizeof(client));
}

/* Do pods and the operator's own identities have such numbers? */
static bool is_workload(uint32_t number)
{
	enum ident_range range = ident_range_of(number);

	return range == IDENT_RANGE_WELL_KNOWN || range == IDENT_RANGE_USER ||
	       range == IDENT_RANGE_CLUSTER || range == IDENT_RANGE_MESH;
}

static void ask_ipcache(
	const struct spoa_workloads *workloads, const uint8_t address[16], struct spoa_workload *to)
{
	int err;

	to->where = SPOA_WHERE_NOWHERE;
	if (!workloads || (!workloads->ipcache && !workloads->lost))
		return;
	to->where = SPOA_WHERE_UNAVAILABLE;
	if (!workloads->ipcache)
		return;
	err = bpfmap_ipcache_find(workloads->ipcache, address, &to->number);
	if (err == -ENOENT)
		to->where = SPOA_WHERE_NOWHERE;
	if (err)
		return;
	to->where = SPOA_WHERE_WORLD;
	if (!is_workload(to->number))
		return;
	to->labels = spoa_workloads_labels(workloads, to->number);
	to->where = to->labels.n ? SPOA_WHERE_KNOWN : SPOA_WHERE_NAMELESS;
}

struct spoa_workload spoa_workload_find(
	const struct spoa_snapshot *snapshot, const struct spoa_request *request)
{
	const struct spoa_workload_rules *rules = &snapshot->config->workloads;
	struct spoa_workload found = {.where = SPOA_WHERE_OUTSIDE};
	const struct spoa_workload_entry *entry;
	uint8_t address[16];

	if (!rules->n_ranges || !own_address(request, address) ||
		!spoa_workload_rules_in_range(rules, address))
		return found;
	entry = spoa_workload_rules_find(rules, address);
	if (!entry) {
		ask_ipcache(snapshot->workloads, address, &found);
		return found;
	}
	found.where = SPOA_WHERE_KNOWN;
	found.labels = span_of(entry->labels);
	found.pod = entry->pod;
	return found;
}

const struct spoa_workload *spoa_workload_of(struct spoa_case *c)
{
	if (c->workload.where == SPOA_WHERE_NOT_LOOKED)
		c->workload = spoa_workload_find(c->snapshot, c->request);
	return &c->workload;
}

struct span spoa_workload_label(struct span labels, const char *name)
{
	size_t n = strlen(name);

	while (labels.n) {
		const char *end = memchr(labels.p, ';', labels.n);
		size_t len = end ? (size_t)(end - labels.p) : labels.n;

		if (len > n && labels.p[n] == '=' && !memcmp(labels.p, name, n))
			return (struct span){labels.p + n + 1, len - n - 1};
		labels.p += end ? len + 1 : len;
		labels.n -= end ? len + 1 : len;
	}
	return (struct span){0};
}
