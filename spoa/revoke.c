#include "spoa/revoke.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define YEAR_S INT64_C(31622400)

/* What has expired is kept for so long: a wall clock that steps back makes it count again. */
#define KEPT_S INT64_C(7200)

struct spoa_revoke {
	struct store *store;
	struct token_revocations *list;
	struct spoa_revoke_owner owner;
};

static int refuse(int r, const char *text, char why[STORE_WHY])
{
	snprintf(why, STORE_WHY, "%s", text);
	return r;
}

static struct token_revocation in_memory(const struct store_revocation *entry)
{
	return (struct token_revocation){
		.id = entry->id,
		.fields =
			{
				[TOKEN_REVOKE_ISS] = entry->iss,
				[TOKEN_REVOKE_SUB] = entry->sub,
				[TOKEN_REVOKE_SID] = entry->sid,
				[TOKEN_REVOKE_JTI] = entry->jti,
				[TOKEN_REVOKE_CLIENT] = entry->client,
			},
		.issued_before = entry->issued_before,
		.expires = entry->expires,
	};
}

struct loading {
	struct token_revocations *list;
	int64_t now_s;
};

static int load(void *arg, const struct store_revocation *entry)
{
	const struct loading *loading = arg;
	struct token_revocation what = in_memory(entry);

	return token_revocations_add(loading->list, &what, loading->now_s);
}

/* All of them must fit: one that is left out would be a token that is good again. */
static int load_all(struct spoa_revoke *revoke, int64_t now_s, char why[STORE_WHY])
{
	struct loading loading = {revoke->list, now_s};
	int rc = store_revocations_purge(revoke->store, now_s - KEPT_S);

	if (!rc)
		rc = store_revocations(revoke->store, now_s - KEPT_S, load, &loading);
	if (rc == -ENOSPC)
		return refuse(rc, "the store holds more than revocation.max_entries", why);
	return rc ? refuse(rc, "the revocations cannot be read", why) : 0;
}

int spoa_revoke_new(struct store *store, size_t max, const struct spoa_revoke_owner *owner,
	int64_t now_s, struct spoa_revoke **ret, char why[STORE_WHY])
{
	cleanup(spoa_revoke) struct spoa_revoke *revoke = calloc(1, sizeof(*revoke));
	int rc;

	if (revoke)
		revoke->list = token_revocations_new(max);
	if (!revoke || !revoke->list)
		return refuse(-ENOMEM, "out of memory", why);
	revoke->store = store;
	revoke->owner = *owner;
	rc = load_all(revoke, now_s, why);
	if (rc)
		return rc;
	*ret = TAKE_PTR(revoke);
	return 0;
}

void spoa_revoke_free(struct spoa_revoke *revoke)
{
	if (!revoke)
		return;
	token_revocations_unref(revoke->list);
	free(revoke);
}

struct token_revocations *spoa_revoke_list(struct spoa_revoke *revoke)
{
	return revoke->list;
}

/* Without what has long expired, in memory and on disk. */
static void tidy(struct spoa_revoke *revoke, int64_t now_s)
{
	struct token_revocations *next = token_revocations_compact(revoke->list, now_s - KEPT_S);

	if (!next)
		return;
	token_revocations_unref(revoke->list);
	revoke->list = next;
	(void)!store_revocations_purge(revoke->store, now_s - KEPT_S);
	revoke->owner.changed(revoke->owner.arg);
}

static int check(const struct spoa_revoke *revoke, const struct store_revocation *entry,
	int64_t now_s, char why[STORE_WHY])
{
	size_t max = token_revocations_max(revoke->list);

	if (!entry->iss.n && !entry->sub.n && !entry->sid.n && !entry->jti.n && !entry->client.n)
		return refuse(-EINVAL, "one of iss, sub, sid, jti and client must be given", why);
	if (entry->expires <= now_s)
		return refuse(-EINVAL, "it would have expired already", why);
	if (token_revocations_count(revoke->list, now_s) < max)
		return 0;
	snprintf(why, STORE_WHY,
		"there are %zu revocations already, and revocation.max_entries allows no more",
		max);
	return -ENOSPC;
}

int spoa_revoke_add(struct spoa_revoke *revoke, struct store_revocation *entry, int64_t now_s,
	char why[STORE_WHY])
{
	struct token_revocation what;
	int rc = check(revoke, entry, now_s, why);

	if (!rc)
		rc = store_revoke(revoke->store, entry, why);
	if (rc)
		return rc;
	what = in_memory(entry);
	rc = token_revocations_add(revoke->list, &what, now_s);
	if (rc)
		return refuse(
			rc, "it is stored, but not in force before a restart: no memory", why);
	if (revoke->owner.revoked)
		revoke->owner.revoked(revoke->owner.arg, &what);
	if (revoke->owner.shared)
		revoke->owner.shared(revoke->owner.arg, entry, false);
	tidy(revoke, now_s);
	return 0;
}

/* The one that is to go. */
struct going {
	const struct spoa_revoke *revoke;
	int64_t id;
};

static int share_end(void *arg, const struct store_revocation *entry)
{
	const struct going *going = arg;
	const struct spoa_revoke_owner *owner = &going->revoke->owner;

	if (entry->id != going->id)
		return 0;
	owner->shared(owner->arg, entry, true);
	return 1;
}

int spoa_revoke_remove(struct spoa_revoke *revoke, int64_t id, char why[STORE_WHY])
{
	struct going going = {revoke, id};
	int rc;

	if (revoke->owner.shared)
		(void)!store_revocations(revoke->store, 0, share_end, &going);
	rc = store_unrevoke(revoke->store, id, why);

	if (rc == -ENOENT)
		return refuse(rc, "there is no revocation with this id", why);
	if (!rc)
		(void)token_revocations_remove(revoke->list, id);
	return rc;
}

static int set_text(json_t *object, const char *name, struct span text)
{
	return text.n ? json_object_set_new(object, name, json_stringn(text.p, text.n)) : 0;
}

static int set_time(json_t *object, const char *name, int64_t time)
{
	return time ? json_object_set_new(object, name, json_integer(time)) : 0;
}

static int show(void *arg, const struct store_revocation *entry)
{
	json_t *all = arg;
	json_t *one = json_pack("{s:I}", "id", (json_int_t)entry->id);

	if (json_array_size(all) == SPOA_REVOKE_SHOWN) {
		json_decref(one);
		return -E2BIG;
	}
	if (set_text(one, "iss", entry->iss) || set_text(one, "sub", entry->sub) ||
		set_text(one, "sid", entry->sid) || set_text(one, "jti", entry->jti) ||
		set_text(one, "client", entry->client) ||
		set_time(one, "issued_before", entry->issued_before) ||
		set_time(one, "expires", entry->expires) || set_time(one, "added", entry->added) ||
		set_text(one, "source", entry->source)) {
		json_decref(one);
		return -ENOMEM;
	}
	return json_array_append_new(all, one) ? -ENOMEM : 0;
}

json_t *spoa_revoke_json(struct spoa_revoke *revoke, int64_t now_s)
{
	json_t *all = json_array();
	int rc = all ? store_revocations(revoke->store, now_s, show, all) : -ENOMEM;

	if (rc && rc != -E2BIG) {
		json_decref(all);
		return NULL;
	}
	return json_pack("{s:o, s:I, s:I}", "revocations", all, "count",
		(json_int_t)spoa_revoke_count(revoke, now_s), "max",
		(json_int_t)token_revocations_max(revoke->list));
}

size_t spoa_revoke_count(const struct spoa_revoke *revoke, int64_t now_s)
{
	return token_revocations_count(revoke->list, now_s);
}

int64_t spoa_revoke_ttl(const struct conf *conf)
{
	int64_t longest = 0;

	for (size_t i = 0; i < conf->n_providers; i++) {
		const struct conf_provider *provider = &conf->providers[i];
		int64_t lives = (provider->max_lifetime + 2 * provider->leeway) / 1000 + 1;

		if (!provider->max_lifetime)
			lives = YEAR_S;
		if (lives > longest)
			longest = lives;
	}
	return longest;
}
