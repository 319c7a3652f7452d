#include "ctl/claims.h"

#include "ctl/args.h"

#include <errno.h>
#include <string.h>

#define CLAIMS_MAX_BYTES (64 * 1024)

static void unref(json_t *json)
{
	json_decref(json);
}
DEFINE_CLEANUP(claims_json, json_t *, unref)

/* {} for none. NULL and errno, or errno 0 for a text that is not a JSON object. */
static json_t *base_claims(const char *text)
{
	cleanup(free) char *data = NULL;
	cleanup(claims_json) json_t *claims = NULL;
	size_t n;
	int rc = 0;

	if (!text)
		return json_object();
	if (*text == '@')
		rc = ctl_args_read_file(text + 1, CLAIMS_MAX_BYTES, &data, &n);
	errno = -rc;
	if (rc)
		return NULL;
	if (data)
		claims = json_loadb(data, n, JSON_REJECT_DUPLICATES, NULL);
	else
		claims = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	errno = 0;
	return json_is_object(claims) ? TAKE_PTR(claims) : NULL;
}

static int set_text(json_t *claims, const char *key, const char *text)
{
	return text ? json_object_set_new(claims, key, json_string(text)) : 0;
}

static int set_time(json_t *claims, const char *key, int64_t seconds)
{
	if (json_object_get(claims, key))
		return 0;
	return json_object_set_new(claims, key, json_integer(seconds));
}

/* RFC 7519 4.1.3: one audience may be a plain string. */
static int set_audience(json_t *claims, const struct ctl_claims *wanted)
{
	json_t *list;
	int rc = 0;

	if (wanted->n_aud <= 1)
		return set_text(claims, "aud", wanted->aud[0]);
	list = json_array();
	for (size_t i = 0; i < wanted->n_aud; i++)
		rc |= json_array_append_new(list, json_string(wanted->aud[i]));
	rc |= json_object_set_new(claims, "aud", list);
	return rc;
}

enum ctl_exit ctl_claims_make(
	const char *name, const struct ctl_claims *wanted, int64_t now_s, json_t **ret_claims)
{
	cleanup(claims_json) json_t *claims = base_claims(wanted->text);
	int64_t exp_s;
	int rc = 0;

	if (!claims && errno) {
		ctl_args_complain(name, "%s: %s", wanted->text + 1, strerror(errno));
		return CTL_FAILED;
	}
	if (!claims)
		return ctl_args_usage(name, "the claims are not a JSON object");
	if (__builtin_add_overflow(now_s, wanted->ttl_s, &exp_s))
		return ctl_args_usage(name, "the ttl is too long");
	rc |= set_text(claims, "iss", wanted->iss);
	rc |= set_text(claims, "sub", wanted->sub);
	rc |= set_audience(claims, wanted);
	rc |= set_time(claims, "iat", now_s);
	rc |= set_time(claims, "exp", exp_s);
	if (rc)
		return ctl_args_usage(name, "a claim is not valid UTF-8");
	*ret_claims = TAKE_PTR(claims);
	return CTL_OK;
}
