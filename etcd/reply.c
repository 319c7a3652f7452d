#include "etcd/reply.h"

#include "etcd/base64.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void json_free(json_t *json)
{
	json_decref(json);
}
DEFINE_CLEANUP(json, json_t *, json_free)

/* Where a parse is. */
struct parse {
	struct etcd_reply *reply;
	size_t room;   /* of reply->kvs */
	size_t n_used; /* of reply->bytes */
	size_t op;
};

static int digits(struct span s, int64_t *ret)
{
	bool negative = s.n && *s.p == '-';
	int64_t value = 0;

	s.p += negative;
	s.n -= negative;
	if (!s.n)
		return -EPROTO;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9' || __builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, s.p[i] - '0', &value))
			return -EPROTO;
	*ret = negative ? -value : value;
	return 0;
}

/* An int64 is text, an int32 a number; one that is not there is 0. */
static int number_of(const json_t *object, const char *name, int64_t *ret)
{
	const json_t *value = json_object_get(object, name);
	struct span text = {.p = json_string_value(value), .n = json_string_length(value)};

	if (!value) {
		*ret = 0;
		return 0;
	}
	if (json_is_integer(value)) {
		*ret = json_integer_value(value);
		return 0;
	}
	return json_is_string(value) ? digits(text, ret) : -EPROTO;
}

static int bool_of(const json_t *object, const char *name, bool *ret)
{
	const json_t *value = json_object_get(object, name);

	if (value && !json_is_boolean(value))
		return -EPROTO;
	*ret = json_is_true(value);
	return 0;
}

static int bytes_of(struct parse *p, const json_t *object, const char *name, struct span *ret)
{
	const json_t *value = json_object_get(object, name);
	struct span text = {.p = json_string_value(value), .n = json_string_length(value)};
	size_t n;

	*ret = (struct span){0};
	if (!value)
		return 0;
	/* Bytes are fewer than their text, and all texts are in the body: there is room. */
	if (!json_is_string(value) || etcd_base64_decode(text, p->reply->bytes + p->n_used, &n))
		return -EPROTO;
	*ret = (struct span){.p = p->reply->bytes + p->n_used, .n = n};
	p->n_used += n;
	return 0;
}

static int room_for_one(struct parse *p)
{
	size_t room = p->room ? p->room * 2 : 64;
	struct etcd_kv *grown;

	if (p->reply->n_kvs < p->room)
		return 0;
	if (p->reply->n_kvs >= ETCD_REPLY_KVS)
		return -EPROTO;
	grown = realloc(p->reply->kvs, room * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	p->reply->kvs = grown;
	p->room = room;
	return 0;
}

static int take_kv(struct parse *p, const json_t *kv, bool deleted)
{
	struct etcd_kv to = {.op = p->op, .deleted = deleted};
	int rc = room_for_one(p);

	if (rc)
		return rc;
	if (!json_is_object(kv) || bytes_of(p, kv, "key", &to.key) ||
		bytes_of(p, kv, "value", &to.value) ||
		number_of(kv, "create_revision", &to.created) ||
		number_of(kv, "mod_revision", &to.modified) || number_of(kv, "lease", &to.lease) ||
		!to.key.n)
		return -EPROTO;
	p->reply->kvs[p->reply->n_kvs++] = to;
	return 0;
}

static int take_header(struct parse *p, const json_t *from)
{
	const json_t *header = json_object_get(from, "header");

	return json_is_object(header) ? number_of(header, "revision", &p->reply->revision)
				      : -EPROTO;
}

static int take_kvs(struct parse *p, const json_t *from)
{
	const json_t *kvs = json_object_get(from, "kvs");
	int rc = kvs && !json_is_array(kvs) ? -EPROTO : 0;

	for (size_t i = 0; !rc && i < json_array_size(kvs); i++)
		rc = take_kv(p, json_array_get(kvs, i), false);
	return rc;
}

static int take_range(struct parse *p, const json_t *from)
{
	int rc = take_header(p, from);

	if (!rc)
		rc = bool_of(from, "more", &p->reply->more);
	return rc ? rc : take_kvs(p, from);
}

static int take_txn(struct parse *p, const json_t *from)
{
	const json_t *responses = json_object_get(from, "responses");
	int rc = take_header(p, from);

	if (!rc)
		rc = bool_of(from, "succeeded", &p->reply->succeeded);
	if (responses && !json_is_array(responses))
		return -EPROTO;
	for (p->op = 0; !rc && p->op < json_array_size(responses); p->op++) {
		const json_t *one = json_array_get(responses, p->op);
		const json_t *range = json_object_get(one, "response_range");

		if (!json_is_object(one) || (range && !json_is_object(range)))
			return -EPROTO;
		if (range)
			rc = take_kvs(p, range);
	}
	return rc;
}

static int take_grant(struct parse *p, const json_t *from)
{
	int rc = take_header(p, from);

	if (!rc)
		rc = number_of(from, "ID", &p->reply->lease);
	if (!rc)
		rc = number_of(from, "TTL", &p->reply->ttl);
	return rc || (p->reply->lease && p->reply->ttl >= 0) ? rc : -EPROTO;
}

static int take_event(struct parse *p, const json_t *event)
{
	const char *type = json_string_value(json_object_get(event, "type"));
	bool deleted = type && !strcmp(type, "DELETE");

	if (!json_is_object(event) || (json_object_get(event, "type") && !type))
		return -EPROTO;
	if (type && !deleted && strcmp(type, "PUT") != 0)
		return -EPROTO;
	return take_kv(p, json_object_get(event, "kv"), deleted);
}

static int take_watch(struct parse *p, const json_t *from)
{
	const json_t *events = json_object_get(from, "events");
	int rc = take_header(p, from);

	if (!rc)
		rc = bool_of(from, "canceled", &p->reply->canceled);
	if (!rc)
		rc = bool_of(from, "fragment", &p->reply->fragment);
	if (!rc)
		rc = number_of(from, "compact_revision", &p->reply->compacted);
	if (events && !json_is_array(events))
		return -EPROTO;
	for (size_t i = 0; !rc && i < json_array_size(events); i++)
		rc = take_event(p, json_array_get(events, i));
	return rc;
}

static int take_auth(struct parse *p, const json_t *from)
{
	const json_t *token = json_object_get(from, "token");
	size_t n = json_string_length(token);

	if (!n || n >= sizeof(p->reply->token) || memchr(json_string_value(token), '\0', n))
		return -EPROTO;
	for (size_t i = 0; i < n; i++)
		if (json_string_value(token)[i] <= ' ' || json_string_value(token)[i] > '~')
			return -EPROTO;
	memcpy(p->reply->token, json_string_value(token), n + 1);
	return take_header(p, from);
}

static int take_nothing(struct parse *p, const json_t *from)
{
	return take_header(p, from);
}

/* What an answer of each kind says, and whether it is one message of a stream. */
static const struct {
	int (*take)(struct parse *p, const json_t *from);
	bool stream;
} KINDS[] = {
	[ETCD_RANGE] = {take_range, false},
	[ETCD_PUT] = {take_nothing, false},
	[ETCD_TXN] = {take_txn, false},
	[ETCD_GRANT] = {take_grant, false},
	[ETCD_KEEPALIVE] = {take_grant, true},
	[ETCD_REVOKE] = {take_nothing, false},
	[ETCD_WATCH] = {take_watch, true},
	[ETCD_AUTH] = {take_auth, false},
};
_Static_assert(ARRAY_SIZE(KINDS) == ETCD_KINDS, "a row for every kind");

int etcd_reply_parse(enum etcd_kind kind, struct span body, struct etcd_reply **ret)
{
	cleanup(etcd_reply) struct etcd_reply *reply = calloc(1, sizeof(*reply));
	cleanup(json) json_t *root = NULL;
	struct parse p = {.reply = reply};
	const json_t *from;
	int rc;

	if (!reply)
		return -ENOMEM;
	reply->bytes = malloc(body.n + 1);
	if (!reply->bytes)
		return -ENOMEM;
	root = json_loadb(
		body.p ? body.p : "", body.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	from = KINDS[kind].stream ? json_object_get(root, "result") : root;
	if (!json_is_object(from))
		return -EPROTO;
	rc = KINDS[kind].take(&p, from);
	if (rc)
		return rc;
	*ret = TAKE_PTR(reply);
	return 0;
}

void etcd_reply_free(struct etcd_reply *reply)
{
	if (!reply)
		return;
	free(reply->kvs);
	free(reply->bytes);
	explicit_bzero(reply->token, sizeof(reply->token));
	free(reply);
}

/* google.golang.org/grpc/codes. */
static const struct {
	json_int_t code;
	int error;
} CODES[] = {
	{4, -EAGAIN},  /* DEADLINE_EXCEEDED */
	{5, -ENOENT},  /* NOT_FOUND */
	{7, -EACCES},  /* PERMISSION_DENIED */
	{8, -ENOSPC},  /* RESOURCE_EXHAUSTED */
	{11, -ERANGE}, /* OUT_OF_RANGE */
	{14, -EAGAIN}, /* UNAVAILABLE */
	{16, -EACCES}, /* UNAUTHENTICATED */
};

static void printable(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

int etcd_reply_error(long status, struct span body, char why[160])
{
	cleanup(json) json_t *root = json_loadb(body.p ? body.p : "", body.n, 0, NULL);
	const json_t *inside = json_object_get(root, "error");
	const json_t *from = json_is_object(inside) ? inside : root; /* of a stream */
	const char *says = json_string_value(json_object_get(from, "message"));
	json_int_t code = json_integer_value(json_object_get(from, "code"));

	if (!says)
		says = json_string_value(json_object_get(from, "error"));
	snprintf(why, 160, "etcd answered %ld: %.120s", status, says ? says : "no reason given");
	printable(why);
	for (size_t i = 0; i < ARRAY_SIZE(CODES); i++)
		if (CODES[i].code == code)
			return CODES[i].error;
	return status == 503 ? -EAGAIN : -EPROTO;
}
