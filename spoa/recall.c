#include "spoa/recall.h"

#include "base/clock.h"
#include "spoa/log.h"

#include <errno.h>
#include <stdio.h>

#define NAME_MAX_BYTES 8192 /* a name, three URLs, a path: conf allows no more */

/*
 * What a set is remembered under: everything that says where it came from.
 * Whoever changes that may do so because the old place is not to be trusted.
 */
static void name_of(const struct conf_provider *p, char ret_name[NAME_MAX_BYTES])
{
	snprintf(ret_name, NAME_MAX_BYTES, "%s %s %s %s %s %s", p->name, p->issuer,
		p->allow_http ? "http" : "https", p->jwks_uri ? p->jwks_uri : "-",
		p->ca_file ? p->ca_file : "-", p->proxy ? p->proxy : "-");
}

static int64_t wall_s(void)
{
	struct base_now now;

	base_clock_now(&now);
	return base_clock_wall_s(&now);
}

void spoa_recall_put(struct store *store, const struct conf_provider *provider, struct span json)
{
	char name[NAME_MAX_BYTES];
	char why[STORE_WHY] = "";

	if (!store)
		return;
	name_of(provider, name);
	if (store_keys_put(store, name, json, wall_s(), why))
		spoa_log(BASE_LOG_WARNING, "keys_not_remembered", "why", why);
}

void spoa_recall_touch(struct store *store, const struct conf_provider *provider)
{
	char name[NAME_MAX_BYTES];
	char why[STORE_WHY] = "";

	if (!store)
		return;
	name_of(provider, name);
	if (store_keys_touch(store, name, wall_s(), why))
		spoa_log(BASE_LOG_WARNING, "keys_not_remembered", "why", why);
}

int spoa_recall_get(struct store *store, const struct conf_provider *provider, char **ret_json,
	size_t *ret_n, int64_t *ret_age_s)
{
	char name[NAME_MAX_BYTES];
	cleanup(free) char *json = NULL;
	int64_t fetched_at;
	int64_t age_s;
	size_t n;

	if (!store)
		return -ENOENT;
	name_of(provider, name);
	if (store_keys_get(store, name, &json, &n, &fetched_at))
		return -ENOENT;
	age_s = wall_s() - fetched_at;
	/* Of tomorrow: the clock was set back, and nobody knows how old it is. */
	if (age_s < 0 || age_s >= provider->keep / 1000)
		return -ENOENT;
	*ret_json = TAKE_PTR(json);
	*ret_n = n;
	*ret_age_s = age_s;
	return 0;
}
