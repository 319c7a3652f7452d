/*
 * Policies made ready to answer quickly: services by name, and for every
 * caller what the rules say about each of them. Made by one thread; judging is
 * for any number of threads, also while callers are added.
 */
#ifndef POLICY_INDEX_H
#define POLICY_INDEX_H

#include "policy/policy.h"

#define POLICY_SERVICES_MAX 4096
#define POLICY_CALLERS_MAX  65536

/* What a backend of HAProxy fronts. Borrowed while it is added, copied then. */
struct policy_service {
	const char *name;
	struct span labels;    /* canonical: "source:key=value;..." */
	uint16_t port;         /* of HTTP */
	const uint16_t *ports; /* further TCP ports */
	size_t n_ports;
	const struct policy_named_port *named;
	size_t n_named;
};

struct policy_index;

/* Takes over a ready set, in every case. NULL without memory. */
struct policy_index *policy_index_new(struct policy_set *set) must_check;
void policy_index_free(struct policy_index *index);
DEFINE_CLEANUP(policy_index, struct policy_index *, policy_index_free)

const struct policy_set *policy_index_set(const struct policy_index *index);

/* Before the first caller. 0; -EEXIST the name is taken; -E2BIG; -ENOMEM. */
int policy_index_service(
	struct policy_index *index, const struct policy_service *service) must_check;

/* The number of a service, from 0 in the order of their adding, or -1. */
int policy_index_find(const struct policy_index *index, struct span name);
size_t policy_index_services(const struct policy_index *index);
const char *policy_index_service_name(const struct policy_index *index, size_t service);

/* An identity, with its canonical labels. 0 and its number from 0; -E2BIG; -ENOMEM. */
int policy_index_caller(
	struct policy_index *index, struct span labels, uint32_t *ret_caller) must_check;
size_t policy_index_callers(const struct policy_index *index);

/* One HTTP request of a caller to a service, at its port. Allocates nothing. */
void policy_index_judge(const struct policy_index *index, uint32_t caller, size_t service,
	const struct policy_request *request, struct policy_scratch *scratch,
	struct policy_answer *ret_answer);

/* The same for any port, without a request: what the kernel can enforce. */
void policy_index_judge_l4(const struct policy_index *index, uint32_t caller, size_t service,
	enum policy_proto proto, uint16_t port, struct policy_answer *ret_answer);

/* Do rules for this caller at this service's port look at the request, and at its headers? */
bool policy_index_asks(const struct policy_index *index, uint32_t caller, size_t service);
bool policy_index_asks_headers(const struct policy_index *index, uint32_t caller, size_t service);

/* What the rules for a service, at all its ports, say about a party of this set. */
struct policy_view *policy_index_view(const struct policy_index *index, size_t service,
	const struct policy_party *party) must_check;

/* Its labels, canonical, and the port of HTTP. */
struct span policy_index_labels(const struct policy_index *index, size_t service);
uint16_t policy_index_port(const struct policy_index *index, size_t service);

/* The TCP ports of a service, the one of HTTP first. */
size_t policy_index_ports(const struct policy_index *index, size_t service, const uint16_t **ret);

#endif
