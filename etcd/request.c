#include "etcd/request.h"

#include "etcd/base64.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const PATHS[] = {
	[ETCD_RANGE] = "/v3/kv/range",
	[ETCD_PUT] = "/v3/kv/put",
	[ETCD_TXN] = "/v3/kv/txn",
	[ETCD_GRANT] = "/v3/lease/grant",
	[ETCD_KEEPALIVE] = "/v3/lease/keepalive",
	[ETCD_REVOKE] = "/v3/lease/revoke",
	[ETCD_WATCH] = "/v3/watch",
	[ETCD_AUTH] = "/v3/auth/authenticate",
};
_Static_assert(ARRAY_SIZE(PATHS) == ETCD_KINDS, "a path for every kind");

const char *etcd_request_path(enum etcd_kind kind)
{
	return PATHS[kind];
}

static json_t *bytes(struct span s)
{
	cleanup(free) char *text = malloc(ETCD_BASE64_SIZE(s.n) + 1);

	if (!text)
		return NULL;
	etcd_base64_encode(s, text);
	return json_string(text);
}

static json_t *number(int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	return json_string(text);
}

/* Sets a member; object becomes NULL when there is no memory. */
static void set(json_t **object, const char *name, json_t *value)
{
	if (*object && value && json_object_set_new(*object, name, value) == 0)
		return;
	if (!*object)
		json_decref(value);
	json_decref(TAKE_PTR(*object));
}

/* The first key behind all keys with this prefix, which has a byte below 255. */
static json_t *behind(struct span prefix)
{
	cleanup(free) char *end = malloc(prefix.n + 1);
	size_t n = prefix.n;

	assert(n && (unsigned char)prefix.p[0] != 0xff);
	if (!end)
		return NULL;
	memcpy(end, prefix.p, n);
	while (n > 1 && (unsigned char)end[n - 1] == 0xff)
		n--;
	end[n - 1] = (char)((unsigned char)end[n - 1] + 1);
	return bytes((struct span){.p = end, .n = n});
}

json_t *etcd_request_range(const struct etcd_range *range)
{
	json_t *r = json_object();

	set(&r, "key", bytes(range->from.n ? range->from : range->key));
	if (range->prefix)
		set(&r, "range_end", behind(range->key));
	if (range->limit)
		set(&r, "limit", number(range->limit));
	if (range->revision)
		set(&r, "revision", number(range->revision));
	if (range->keys_only)
		set(&r, "keys_only", json_true());
	if (range->oldest) {
		set(&r, "sort_order", json_string("ASCEND"));
		set(&r, "sort_target", json_string("CREATE"));
	}
	return r;
}

json_t *etcd_request_put(struct span key, struct span value, int64_t lease)
{
	json_t *r = json_object();

	set(&r, "key", bytes(key));
	set(&r, "value", bytes(value));
	if (lease)
		set(&r, "lease", number(lease));
	return r;
}

json_t *etcd_request_grant(int64_t ttl_s)
{
	json_t *r = json_object();

	set(&r, "TTL", number(ttl_s));
	return r;
}

json_t *etcd_request_lease(int64_t lease)
{
	json_t *r = json_object();

	set(&r, "ID", number(lease));
	return r;
}

json_t *etcd_request_watch(struct span prefix, int64_t revision)
{
	json_t *watch = json_object();
	json_t *r = json_object();

	set(&watch, "key", bytes(prefix));
	set(&watch, "range_end", behind(prefix));
	set(&watch, "start_revision", number(revision));
	set(&watch, "progress_notify", json_true());
	set(&watch, "fragment", json_true());
	set(&r, "create_request", watch);
	return r;
}

json_t *etcd_request_auth(const char *user, const char *password)
{
	json_t *r = json_object();

	set(&r, "name", json_string(user));
	set(&r, "password", json_string(password));
	return r;
}

void etcd_txn_init(struct etcd_txn *txn)
{
	*txn = (struct etcd_txn){json_array(), json_array(), json_array()};
}

/* array becomes NULL when there is no memory. */
static void append(json_t **array, json_t *value)
{
	if (*array && value && json_array_append_new(*array, value) == 0)
		return;
	if (!*array)
		json_decref(value);
	json_decref(TAKE_PTR(*array));
}

static void compare(
	struct etcd_txn *txn, const char *target, struct span key, const char *name, json_t *value)
{
	json_t *c = json_object();

	set(&c, "target", json_string(target));
	set(&c, "result", json_string("EQUAL"));
	set(&c, "key", bytes(key));
	set(&c, name, value);
	append(&txn->compare, c);
}

void etcd_txn_if_created(struct etcd_txn *txn, struct span key, int64_t revision)
{
	compare(txn, "CREATE", key, "create_revision", number(revision));
}

void etcd_txn_if_modified(struct etcd_txn *txn, struct span key, int64_t revision)
{
	compare(txn, "MOD", key, "mod_revision", number(revision));
}

void etcd_txn_if_lease(struct etcd_txn *txn, struct span key, int64_t lease)
{
	compare(txn, "LEASE", key, "lease", number(lease));
}

void etcd_txn_if_value(struct etcd_txn *txn, struct span key, struct span value)
{
	compare(txn, "VALUE", key, "value", bytes(value));
}

static json_t *operation(const char *name, json_t *request)
{
	json_t *r = json_object();

	set(&r, name, request);
	return r;
}

void etcd_txn_then_put(struct etcd_txn *txn, struct span key, struct span value, int64_t lease)
{
	append(&txn->then, operation("request_put", etcd_request_put(key, value, lease)));
}

void etcd_txn_then_delete(struct etcd_txn *txn, struct span key)
{
	json_t *r = json_object();

	set(&r, "key", bytes(key));
	append(&txn->then, operation("request_delete_range", r));
}

void etcd_txn_then_range(struct etcd_txn *txn, const struct etcd_range *range)
{
	append(&txn->then, operation("request_range", etcd_request_range(range)));
}

void etcd_txn_else_range(struct etcd_txn *txn, const struct etcd_range *range)
{
	append(&txn->otherwise, operation("request_range", etcd_request_range(range)));
}

json_t *etcd_txn_done(struct etcd_txn *txn)
{
	json_t *r = json_object();

	set(&r, "compare", TAKE_PTR(txn->compare));
	set(&r, "success", TAKE_PTR(txn->then));
	set(&r, "failure", TAKE_PTR(txn->otherwise));
	return r;
}
