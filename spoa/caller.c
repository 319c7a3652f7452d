#include "spoa/caller.h"

#include <string.h>

size_t spoa_caller_size(const struct spoa_caller *caller)
{
	return offsetof(struct spoa_caller, bytes) + caller->end[SPOA_TEXTS - 1];
}

struct span spoa_caller_text(const struct spoa_caller *caller, enum spoa_text which)
{
	size_t start = which ? caller->end[which - 1] : 0;

	return (struct span){.p = caller->bytes + start, .n = caller->end[which] - start};
}

struct span spoa_caller_iss(const struct spoa_caller *caller, const struct spoa_config *config)
{
	struct span text = spoa_caller_text(caller, SPOA_TEXT_ISS);

	return text.n ? text : span_of(config->rules[caller->provider].issuer);
}

bool spoa_caller_asks_request(const struct spoa_caller *caller, const struct spoa_config *config)
{
	struct span list = spoa_caller_text(caller, SPOA_TEXT_ROLES);

	for (; list.n >= sizeof(uint16_t); list.p += sizeof(uint16_t), list.n -= sizeof(uint16_t)) {
		uint16_t entry;

		memcpy(&entry, list.p, sizeof(entry));
		if (ident_role_asks_request(&config->roles[entry & ~SPOA_CALLER_UNKNOWN]))
			return true;
		if (!config->match_all)
			return false; /* an earlier one decides, or asks */
	}
	return false;
}

struct spoa_candidates spoa_caller_candidates(
	const struct spoa_caller *caller, const struct spoa_config *config)
{
	struct spoa_candidates all = {
		.config = config, .roles = spoa_caller_text(caller, SPOA_TEXT_ROLES)};

	if (!caller->united)
		all.labels = spoa_caller_text(caller, SPOA_TEXT_LABELS);
	return all;
}

/* The next piece of a list whose lengths we wrote ourselves. */
static struct span take_piece(struct span *list)
{
	struct span piece = {0};
	uint16_t n;

	if (list->n < sizeof(n))
		return piece;
	memcpy(&n, list->p, sizeof(n));
	piece = (struct span){list->p + sizeof(n), n};
	list->p += sizeof(n) + n;
	list->n -= sizeof(n) + n;
	return piece;
}

bool spoa_caller_next(struct spoa_candidates *rest, struct spoa_candidate *ret)
{
	uint16_t entry;

	if (rest->roles.n < sizeof(entry))
		return false;
	memcpy(&entry, rest->roles.p, sizeof(entry));
	rest->roles.p += sizeof(entry);
	rest->roles.n -= sizeof(entry);
	ret->role = &rest->config->roles[entry & ~SPOA_CALLER_UNKNOWN];
	ret->unknown = entry & SPOA_CALLER_UNKNOWN;
	if (!ret->role->template)
		ret->labels = span_of(ret->role->labels);
	else
		ret->labels = ret->unknown ? (struct span){0} : take_piece(&rest->labels);
	return true;
}

static bool is_audience(const struct token_provider *rules, struct span text)
{
	for (size_t i = 0; i < rules->n_audiences; i++)
		if (span_is(text, rules->audiences[i]))
			return true;
	return false;
}

bool spoa_caller_is_for(const struct spoa_caller *caller, const struct token_provider *rules)
{
	struct span rest = spoa_caller_text(caller, SPOA_TEXT_AUDIENCES);

	while (rest.n) {
		struct span text = {.p = rest.p, .n = strnlen(rest.p, rest.n)};

		if (is_audience(rules, text))
			return true;
		rest.p += text.n + 1;
		rest.n -= text.n + 1;
	}
	return false;
}
