#include "spoa/share.h"

#include "base/clock.h"
#include "spoa/log.h"
#include "token/claims.h"
#include "token/hash.h"
#include "token/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct spoa_share {
	struct etcd_notes *notes;
	struct store *store;
	struct spoa_revoke *revoke;
	struct spoa_log_limit lines;
	bool telling; /* what is revoked right now comes from etcd */
};

static const struct token_json_caps CAPS = {.depth = 2, .elements = 16};

static const char *const FIELDS[] = {"iss", "sub", "sid", "jti", "client"};

static struct span *field(struct store_revocation *entry, size_t i)
{
	struct span *const fields[] = {
		&entry->iss, &entry->sub, &entry->sid, &entry->jti, &entry->client};

	return fields[i];
}

static struct span text_of(const struct store_revocation *entry, size_t i)
{
	return *field((struct store_revocation *)entry, i);
}

/* SHA-256 over each field's length and bytes, and whether there is a date: as the store's rows. */
void spoa_share_name(const struct store_revocation *entry, char to[ETCD_NOTE_NAME + 1])
{
	char all[5 * (TOKEN_TEXT_MAX + 24) + 8];
	uint8_t hash[TOKEN_HASH_BYTES];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(FIELDS); i++) {
		struct span text = text_of(entry, i);

		n += (size_t)snprintf(all + n, 24, "%zu:", text.n);
		if (text.n > TOKEN_TEXT_MAX)
			text.n = TOKEN_TEXT_MAX;
		if (text.n)
			memcpy(all + n, text.p, text.n);
		n += text.n;
	}
	all[n++] = entry->issued_before ? 'd' : 'u';
	token_hash_of((struct span){.p = all, .n = n}, hash);
	for (size_t i = 0; i < sizeof(hash); i++)
		snprintf(to + 2 * i, 3, "%02x", hash[i]);
}

char *spoa_share_text(const struct store_revocation *entry, bool removed)
{
	json_t *root =
		json_pack("{s:I, s:I, s:I}", "issued_before", (json_int_t)entry->issued_before,
			"expires", (json_int_t)entry->expires, "at", (json_int_t)entry->added);
	bool bad = !root;
	char *text = NULL;

	for (size_t i = 0; !bad && i < ARRAY_SIZE(FIELDS); i++) {
		struct span value = text_of(entry, i);

		if (value.n)
			bad = json_object_set_new(
				      root, FIELDS[i], json_stringn(value.p, value.n)) != 0;
	}
	if (!bad && entry->source.n)
		bad = json_object_set_new(
			      root, "source", json_stringn(entry->source.p, entry->source.n)) != 0;
	if (!bad && removed)
		bad = json_object_set_new(root, "removed", json_true()) != 0;
	if (!bad)
		text = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(root);
	if (text && strlen(text) > ETCD_NOTE_VALUE)
		free(TAKE_PTR(text));
	return text;
}

static bool read_time(const json_t *root, const char *name, int64_t *ret)
{
	const json_t *value = json_object_get(root, name);

	*ret = json_integer_value(value);
	return json_is_integer(value) && *ret >= 0;
}

int spoa_share_parse(struct span text, json_t **ret_tree, struct spoa_shared *ret)
{
	cleanup(json) json_t *root = token_json_parse(text, CAPS);
	struct spoa_shared shared = {0};
	bool any = false;

	if (!json_is_object(root) ||
		!read_time(root, "issued_before", &shared.entry.issued_before) ||
		!read_time(root, "expires", &shared.entry.expires) ||
		!read_time(root, "at", &shared.entry.added))
		return -EBADMSG;
	for (size_t i = 0; i < ARRAY_SIZE(FIELDS); i++) {
		struct span value = token_json_text(root, FIELDS[i], TOKEN_TEXT_MAX);

		if (json_object_get(root, FIELDS[i]) && !value.n)
			return -EBADMSG;
		*field(&shared.entry, i) = value;
		any |= value.n != 0;
	}
	if (!any)
		return -EBADMSG;
	shared.entry.source = token_json_text(root, "source", 64);
	shared.removed = json_is_true(json_object_get(root, "removed"));
	*ret = shared;
	*ret_tree = TAKE_PTR(root);
	return 0;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int on_merge(
	void *arg, struct span first, struct span second, char merged[ETCD_NOTE_VALUE], size_t *n)
{
	cleanup(json) json_t *tree_a = NULL, *tree_b = NULL;
	struct spoa_shared a, b;
	char *text;

	(void)arg;
	if (spoa_share_parse(second, &tree_b, &b))
		return 0;
	if (spoa_share_parse(first, &tree_a, &a)) {
		a = b; /* what is there says nothing */
		a.entry.added = -1;
	}
	if (a.removed == b.removed && a.entry.expires >= b.entry.expires &&
		a.entry.issued_before >= b.entry.issued_before)
		return 0;
	if (a.removed != b.removed && a.entry.added > b.entry.added)
		return 0;
	if (a.removed == b.removed) {
		b.entry.expires = later(a.entry.expires, b.entry.expires);
		b.entry.issued_before = later(a.entry.issued_before, b.entry.issued_before);
		b.entry.added = later(a.entry.added, b.entry.added);
	}
	text = spoa_share_text(&b.entry, b.removed);
	if (!text)
		return 0;
	*n = strlen(text);
	memcpy(merged, text, *n);
	free(text);
	return 1;
}

static int64_t wall_s(void)
{
	struct base_now now;

	base_clock_now(&now);
	return base_clock_wall_s(&now);
}

static void put(struct spoa_share *share, const struct store_revocation *entry, bool removed)
{
	char name[ETCD_NOTE_NAME + 1];
	char *text = spoa_share_text(entry, removed);

	spoa_share_name(entry, name);
	if (text)
		etcd_notes_put(share->notes, name, span_of(text), entry->expires);
	free(text);
}

bool spoa_share_tell(struct spoa_share *share, const struct store_revocation *entry, bool removed)
{
	struct store_revocation what = *entry;

	if (share->telling)
		return false;
	if (removed)
		what.added = wall_s();
	put(share, &what, removed);
	return true;
}

/* What is revoked here under the same name; its id is 0 if nothing is. */
struct same {
	const char *name;
	int64_t id, added;
	struct store_revocation entry; /* times only */
};

static int find_same(void *arg, const struct store_revocation *entry)
{
	struct same *same = arg;
	char name[ETCD_NOTE_NAME + 1];

	spoa_share_name(entry, name);
	if (strcmp(name, same->name))
		return 0;
	same->id = entry->id;
	same->added = entry->added;
	return 1;
}

/* One that is not in force here, though it is elsewhere. */
static void lost(struct spoa_share *share, const char *why)
{
	struct base_now now;
	uint64_t n;

	base_clock_now(&now);
	if (spoa_log_allowed(&share->lines, 1, now.mono_ns, &n))
		spoa_log(BASE_LOG_ERROR, "revocation_lost", "why", why);
}

static void take_back(struct spoa_share *share, const struct spoa_shared *shared, const char *name)
{
	struct same same = {.name = name};
	char why[STORE_WHY];

	if (store_revocations(share->store, 0, find_same, &same) == 1 &&
		same.added <= shared->entry.added)
		(void)!spoa_revoke_remove(share->revoke, same.id, why);
}

static void on_note(void *arg, struct span name, struct span text)
{
	struct spoa_share *share = arg;
	cleanup(json) json_t *tree = NULL;
	char expected[ETCD_NOTE_NAME + 1];
	char why[STORE_WHY] = "";
	struct spoa_shared shared;

	if (spoa_share_parse(text, &tree, &shared)) {
		etcd_notes_malformed(share->notes);
		return;
	}
	spoa_share_name(&shared.entry, expected);
	if (!span_is(name, expected)) {
		etcd_notes_malformed(share->notes);
		return;
	}
	if (shared.entry.expires <= wall_s())
		return;
	share->telling = true;
	if (shared.removed)
		take_back(share, &shared, expected);
	else if (spoa_revoke_add(share->revoke, &shared.entry, wall_s(), why))
		lost(share, why);
	share->telling = false;
}

/* All that one answer of etcd tells waits for the disk once. */
static void on_batch(void *arg, bool begins)
{
	struct spoa_share *share = arg;
	char why[STORE_WHY] = "";
	int rc = begins ? store_begin(share->store, why) : store_end(share->store, true, why);

	if (rc)
		lost(share, why);
}

static int offer(void *arg, const struct store_revocation *entry)
{
	put(arg, entry, false);
	return 0;
}

static void on_offer(void *arg)
{
	struct spoa_share *share = arg;

	(void)!store_revocations(share->store, wall_s(), offer, share);
}

struct spoa_share *spoa_share_new(
	struct etcd_client *client, struct store *store, struct spoa_revoke *revoke)
{
	cleanup(spoa_share) struct spoa_share *share = calloc(1, sizeof(*share));
	const struct etcd_notes_owner owner = {on_note, on_batch, on_offer, on_merge, share};

	if (!share)
		return NULL;
	share->store = store;
	share->revoke = revoke;
	share->notes = etcd_notes_new(client, SPOA_SHARE_PREFIX, &owner);
	return share->notes ? TAKE_PTR(share) : NULL;
}

void spoa_share_free(struct spoa_share *share)
{
	if (share)
		etcd_notes_free(share->notes);
	free(share);
}

uint64_t spoa_share_tick(struct spoa_share *share, uint64_t now_ns, int64_t wall)
{
	return etcd_notes_tick(share->notes, now_ns, wall);
}

struct etcd_notes_stats spoa_share_stats(const struct spoa_share *share)
{
	return etcd_notes_stats(share->notes);
}
