#include "token/purpose.h"

static bool is_listed(const char *typ, const struct token_provider *rules)
{
	for (size_t i = 0; i < rules->n_types; i++)
		if (!strcmp(typ, rules->types[i]))
			return true;
	return false;
}

/* Never a credential unless somebody names it. */
static bool is_reserved(const char *typ)
{
	return !strcmp(typ, "logout+jwt") || !strcmp(typ, "dpop+jwt");
}

static bool is_typ_allowed(const char *typ, const struct token_provider *rules)
{
	if (!*typ)
		return !rules->type_required;
	return rules->n_types ? is_listed(typ, rules) : !is_reserved(typ);
}

static bool is_logout(const json_t *claims)
{
	return json_object_get(json_object_get(claims, "events"), TOKEN_LOGOUT_EVENT) != NULL;
}

static bool is_id_token(const char *typ, const json_t *claims)
{
	static const char *const MEMBERS[] = {"at_hash", "c_hash", "nonce"};

	if (!strcmp(typ, "at+jwt"))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(MEMBERS); i++)
		if (json_object_get(claims, MEMBERS[i]))
			return true;
	return false;
}

enum base_reason token_purpose_check(
	const char *typ, const json_t *claims, const struct token_provider *rules)
{
	if (!is_typ_allowed(typ, rules))
		return BASE_REASON_TYP_NOT_ALLOWED;
	if (is_logout(claims) && !is_listed("logout+jwt", rules))
		return BASE_REASON_TYP_NOT_ALLOWED;
	if (!rules->id_tokens && is_id_token(typ, claims))
		return BASE_REASON_TYP_NOT_ALLOWED;
	return BASE_REASON_OK;
}
