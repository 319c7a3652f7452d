#include "policy/index.h"

#include "policy/model.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

struct service {
	struct policy_target *http; /* its one port */
	struct policy_target *all;
	struct span labels; /* in the index's arena */
	uint16_t *ports;
	size_t n_ports;
};

/* What the rules say about one caller: entries of service s from starts[s] to starts[s + 1]. */
struct caller {
	struct policy_party *party;
	uint32_t *starts;
	struct policy_entry *items;
};

struct policy_index {
	struct policy_set *set;
	struct policy_arena arena;
	struct policy_names names; /* a service's number is that of its name, less 1 */
	struct service *services;
	size_t n_services, room_services;
	struct caller **callers; /* room for POLICY_CALLERS_MAX from the start */
	atomic_uint n_callers;
};

static void free_caller(struct caller *caller)
{
	if (!caller)
		return;
	policy_party_free(caller->party);
	free(caller->starts);
	free(caller->items);
	free(caller);
}
DEFINE_CLEANUP(caller, struct caller *, free_caller)

static void done_service(struct service *service)
{
	policy_target_free(service->http);
	policy_target_free(service->all);
	free(service->ports);
}

static void cleanup_fn_service(struct service *service)
{
	done_service(service);
}

struct policy_index *policy_index_new(struct policy_set *set)
{
	cleanup(policy_set) struct policy_set *owned = set;
	cleanup(policy_index) struct policy_index *index = calloc(1, sizeof(*index));

	if (!index)
		return NULL;
	atomic_init(&index->n_callers, 0);
	index->set = TAKE_PTR(owned);
	index->callers = calloc(POLICY_CALLERS_MAX, sizeof(*index->callers));
	if (!index->callers)
		return NULL;
	return TAKE_PTR(index);
}

void policy_index_free(struct policy_index *index)
{
	if (!index)
		return;
	for (size_t i = 0; i < policy_index_callers(index); i++)
		free_caller(index->callers[i]);
	for (size_t i = 0; i < index->n_services; i++)
		done_service(&index->services[i]);
	free(index->callers);
	free(index->services);
	policy_names_done(&index->names);
	policy_arena_done(&index->arena);
	policy_set_free(index->set);
	free(index);
}

const struct policy_set *policy_index_set(const struct policy_index *index)
{
	return index->set;
}

static int make_service(
	struct policy_index *index, const struct policy_service *from, struct service *to)
{
	cleanup(policy_party) struct policy_party *party =
		policy_party_of_text(index->set, from->labels);
	struct policy_endpoint endpoint = {.party = party,
		.named = from->named,
		.n_named = from->n_named,
		.proto = POLICY_PROTO_TCP,
		.port = from->port};

	to->ports = calloc(from->n_ports + 1, sizeof(*to->ports));
	if (!party || !to->ports)
		return -ENOMEM;
	to->labels.n = from->labels.n;
	to->labels.p = policy_arena_text(&index->arena, from->labels.p, from->labels.n);
	if (!to->labels.p)
		return -ENOMEM;
	to->ports[to->n_ports++] = from->port;
	for (size_t i = 0; i < from->n_ports; i++)
		if (from->ports[i] != from->port)
			to->ports[to->n_ports++] = from->ports[i];
	to->all = policy_target_new(index->set, &endpoint);
	endpoint.only = true;
	to->http = policy_target_new(index->set, &endpoint);
	return to->all && to->http ? 0 : -ENOMEM;
}

int policy_index_service(struct policy_index *index, const struct policy_service *service)
{
	cleanup(service) struct service made = {0};
	uint32_t name;
	int err;

	if (policy_index_find(index, span_of(service->name)) >= 0)
		return -EEXIST;
	if (index->n_services == POLICY_SERVICES_MAX)
		return -E2BIG;
	err = policy_set_room(&index->services, index->n_services, &index->room_services,
		sizeof(*index->services));
	if (!err)
		err = make_service(index, service, &made);
	if (!err)
		err = policy_names_add(&index->names, &index->arena, span_of(service->name), &name);
	if (err)
		return err;
	index->services[index->n_services++] = made;
	made = (struct service){0};
	return 0;
}

int policy_index_find(const struct policy_index *index, struct span name)
{
	uint32_t number = policy_names_find(&index->names, name);

	return number == POLICY_NAME_OTHER ? -1 : (int)number - 1;
}

size_t policy_index_services(const struct policy_index *index)
{
	return index->n_services;
}

const char *policy_index_service_name(const struct policy_index *index, size_t service)
{
	return policy_names_text(&index->names, (uint32_t)service + 1);
}

static int fill_caller(const struct policy_index *index, struct caller *caller)
{
	cleanup(free) uint64_t *hits = calloc(policy_hit_words(index->set) + 1, sizeof(*hits));
	struct policy_entries entries = {0};
	int err = hits ? 0 : -ENOMEM;

	if (!err)
		policy_lookup_find(index->set, caller->party, hits);
	for (size_t i = 0; !err && i < index->n_services; i++) {
		caller->starts[i] = (uint32_t)entries.n;
		err = policy_target_view(
			index->set, index->services[i].http, caller->party, hits, &entries);
	}
	caller->starts[index->n_services] = (uint32_t)entries.n;
	caller->items = entries.items;
	return err;
}

int policy_index_caller(struct policy_index *index, struct span labels, uint32_t *ret_caller)
{
	cleanup(caller) struct caller *caller = calloc(1, sizeof(*caller));
	unsigned n = atomic_load_explicit(&index->n_callers, memory_order_relaxed);

	if (n == POLICY_CALLERS_MAX)
		return -E2BIG;
	if (!caller)
		return -ENOMEM;
	caller->party = policy_party_of_text(index->set, labels);
	caller->starts = calloc(index->n_services + 1, sizeof(*caller->starts));
	if (!caller->party || !caller->starts || fill_caller(index, caller))
		return -ENOMEM;
	index->callers[n] = TAKE_PTR(caller);
	atomic_store_explicit(&index->n_callers, n + 1, memory_order_release);
	*ret_caller = n;
	return 0;
}

size_t policy_index_callers(const struct policy_index *index)
{
	return atomic_load_explicit(&index->n_callers, memory_order_acquire);
}

void policy_index_judge(const struct policy_index *index, uint32_t caller, size_t service,
	const struct policy_request *request, struct policy_scratch *scratch,
	struct policy_answer *ret_answer)
{
	const struct caller *who = index->callers[caller];
	const struct service *what = &index->services[service];
	const struct policy_question question = {POLICY_PROTO_TCP, what->ports[0], request};
	uint32_t start = who->starts[service];

	policy_judge_entries(index->set, what->http, who->items + start,
		who->starts[service + 1] - start, &question, scratch, ret_answer);
}

static bool group_asks(
	const struct policy_index *index, const struct policy_entry *entry, bool headers)
{
	if (!(entry->flags & POLICY_ENTRY_L7))
		return false;
	return !headers || index->set->rules[entry->rule].groups[entry->group].has_headers;
}

static bool asks(const struct policy_index *index, uint32_t caller, size_t service, bool headers)
{
	const struct caller *who = index->callers[caller];
	const struct policy_entries *anybody = &index->services[service].http->anybody;

	for (size_t i = 0; i < anybody->n; i++)
		if (group_asks(index, &anybody->items[i], headers))
			return true;
	for (uint32_t i = who->starts[service]; i < who->starts[service + 1]; i++)
		if (group_asks(index, &who->items[i], headers))
			return true;
	return false;
}

bool policy_index_asks(const struct policy_index *index, uint32_t caller, size_t service)
{
	return asks(index, caller, service, false);
}

bool policy_index_asks_headers(const struct policy_index *index, uint32_t caller, size_t service)
{
	return index->set->needs_headers && asks(index, caller, service, true);
}

void policy_index_judge_l4(const struct policy_index *index, uint32_t caller, size_t service,
	enum policy_proto proto, uint16_t port, struct policy_answer *ret_answer)
{
	const struct service *what = &index->services[service];
	cleanup(policy_view) struct policy_view *view =
		policy_view_new(index->set, what->all, index->callers[caller]->party);

	if (view)
		policy_view_judge(index->set, view, proto, port, NULL, NULL, ret_answer);
	else
		*ret_answer = (struct policy_answer){.verdict = POLICY_ERROR, .l4 = POLICY_ERROR};
}

struct policy_view *policy_index_view(
	const struct policy_index *index, size_t service, const struct policy_party *party)
{
	return policy_view_new(index->set, index->services[service].all, party);
}

const struct policy_target *policy_index_target(const struct policy_index *index, size_t service)
{
	return index->services[service].all;
}

const struct policy_party *policy_index_party(const struct policy_index *index, uint32_t caller)
{
	return index->callers[caller]->party;
}

struct span policy_index_labels(const struct policy_index *index, size_t service)
{
	return index->services[service].labels;
}

uint16_t policy_index_port(const struct policy_index *index, size_t service)
{
	return index->services[service].ports[0];
}

size_t policy_index_ports(const struct policy_index *index, size_t service, const uint16_t **ret)
{
	*ret = index->services[service].ports;
	return index->services[service].n_ports;
}
