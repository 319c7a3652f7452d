#include "spoa/match.h"

static void take_first(struct spoa_match *match, const struct spoa_candidate *one)
{
	*match = (struct spoa_match){
		.role = one->role,
		.asserts = one->role,
		.sends = one->role,
		.names = span_of(one->role->name),
		.labels = one->labels,
		.route = one->role->route,
		.single = !one->role->template,
		.require_binding = one->role->require_binding,
		.kill_on_expiry = one->role->kill_on_expiry,
	};
}

static bool has_source(const struct ident_role *role)
{
	return role->has_srcaddr4 || role->has_srcaddr6;
}

static void take_more(struct spoa_match *match, const struct spoa_config *config,
	const struct spoa_candidate *one)
{
	const struct conf_role *roles = config->conf->roles;

	match->single = false;
	if (!match->route)
		match->route = one->role->route;
	if (!roles[match->asserts - config->roles].assertion &&
		roles[one->role - config->roles].assertion)
		match->asserts = one->role;
	if (!has_source(match->sends) && has_source(one->role))
		match->sends = one->role;
	match->require_binding |= one->role->require_binding;
	match->kill_on_expiry |= one->role->kill_on_expiry;
}

static enum base_reason first(struct spoa_candidates rest, const struct ident_request *request,
	struct spoa_match *ret_match)
{
	struct spoa_candidate one;

	while (spoa_caller_next(&rest, &one)) {
		if (!ident_role_of_request(one.role, request))
			continue;
		if (one.unknown)
			return BASE_REASON_GROUPS_UNKNOWN;
		take_first(ret_match, &one);
		return BASE_REASON_OK;
	}
	return BASE_REASON_NO_ROLE;
}

static void add_name(struct wr *names, const char *name)
{
	if (wr_len(names))
		wr_u8(names, ',');
	wr_bytes(names, name, strlen(name));
}

static enum base_reason all(const struct spoa_caller *caller, struct spoa_candidates rest,
	const struct ident_request *request, struct spoa_match_work *work,
	struct spoa_match *ret_match)
{
	struct wr names = wr_of(work->names, sizeof(work->names));
	struct spoa_match match = {0};
	struct spoa_candidate one;
	int rc = 0;

	work->all.n = 0;
	work->all.labels = (struct span){0};
	while (spoa_caller_next(&rest, &one)) {
		if (!ident_role_of_request(one.role, request))
			continue;
		if (one.unknown)
			return BASE_REASON_GROUPS_UNKNOWN;
		if (match.role)
			take_more(&match, rest.config, &one);
		else
			take_first(&match, &one);
		add_name(&names, one.role->name);
		if (!rc && !caller->united)
			rc = spoa_union_add(&work->all, one.labels);
	}
	if (!match.role)
		return BASE_REASON_NO_ROLE;
	match.names = (struct span){work->names, wr_len(&names)};
	match.labels =
		caller->united ? spoa_caller_text(caller, SPOA_TEXT_LABELS) : work->all.labels;
	if (rc || names.bad || !match.labels.n)
		return BASE_REASON_IDENTITY_UNAVAILABLE;
	*ret_match = match;
	return BASE_REASON_OK;
}

enum base_reason spoa_match(const struct spoa_caller *caller, const struct spoa_config *config,
	const struct ident_request *request, struct spoa_match_work *work,
	struct spoa_match *ret_match)
{
	struct spoa_candidates candidates = spoa_caller_candidates(caller, config);

	if (!config->match_all)
		return first(candidates, request, ret_match);
	return all(caller, candidates, request, work, ret_match);
}
