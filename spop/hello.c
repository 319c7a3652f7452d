#include "spop/hello.h"

#include "spop/frame.h"
#include "spop/kv.h"

#include <assert.h>

#define VERSION "2.0"
#define MAJOR   2
#define MINOR   0

/* HAPROXY-HELLO says supported-versions, AGENT-HELLO version; the rest they share. */
enum { VERSIONS, FRAME_SIZE, CAPABILITIES, HEALTHCHECK, ENGINE_ID, N_KEYS };

static const struct spop_kv_key haproxy_keys[] = {
	[VERSIONS] = {"supported-versions", SPOP_KV_STR},
	[FRAME_SIZE] = {"max-frame-size", SPOP_KV_INT},
	[CAPABILITIES] = {"capabilities", SPOP_KV_STR},
	[HEALTHCHECK] = {"healthcheck", SPOP_KV_BOOL},
	[ENGINE_ID] = {"engine-id", SPOP_KV_STR},
};
static_assert(ARRAY_SIZE(haproxy_keys) == N_KEYS, "every key has its row");
static_assert(N_KEYS <= SPOP_KV_MAX, "the list holds them all");

static const struct spop_kv_key agent_keys[] = {
	[VERSIONS] = {"version", SPOP_KV_STR},
	[FRAME_SIZE] = {"max-frame-size", SPOP_KV_INT},
	[CAPABILITIES] = {"capabilities", SPOP_KV_STR},
};

static const struct capability {
	const char *name;
	size_t offset; /* of its bool in struct spop_hello */
} capabilities[] = {
	{"pipelining", offsetof(struct spop_hello, pipelining)},
	{"async", offsetof(struct spop_hello, async)},
	{"fragmentation", offsetof(struct spop_hello, fragmentation)},
};

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct span trim(struct span s)
{
	while (s.n && is_space(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* Takes the next item off a comma-separated list, without the spaces around it. */
static bool list_next(struct span *list, struct span *ret_item)
{
	struct span item = *list;
	const char *comma;

	if (!list->n)
		return false;
	comma = memchr(list->p, ',', list->n);
	if (comma)
		item.n = (size_t)(comma - list->p);
	list->p += item.n;
	list->n -= item.n;
	if (comma) {
		list->p++;
		list->n--;
	}
	*ret_item = trim(item);
	return true;
}

/* A decimal number up to 999 off the front; -1 when there is none. */
static int number_next(struct span *s)
{
	int v = -1;

	while (s->n && s->p[0] >= '0' && s->p[0] <= '9') {
		v = (v < 0 ? 0 : v * 10) + (s->p[0] - '0');
		if (v > 999)
			return -1;
		s->p++;
		s->n--;
	}
	return v;
}

/* "Major.Minor", the way HAProxy itself reads it; false for anything else. */
static bool parse_version(struct span s, int *ret_major, int *ret_minor)
{
	int major = number_next(&s);
	int minor;

	if (major < 0 || !s.n || s.p[0] != '.')
		return false;
	s.p++;
	s.n--;
	minor = number_next(&s);
	if (minor < 0 || s.n)
		return false;
	*ret_major = major;
	*ret_minor = minor;
	return true;
}

/*
 * Whoever speaks 2.x speaks 2.0 too (SPOE.txt 3.2.4). An item that cannot be
 * read is a version that we do not know, not a broken frame.
 */
static bool offers_our_version(struct span list)
{
	struct span item;
	int major;
	int minor;

	while (list_next(&list, &item)) {
		if (parse_version(item, &major, &minor) && major == MAJOR)
			return true;
	}
	return false;
}

static bool is_our_version(struct span text)
{
	int major;
	int minor;

	return parse_version(trim(text), &major, &minor) && major == MAJOR && minor == MINOR;
}

static void parse_capabilities(struct span list, struct spop_hello *hello)
{
	struct span item;

	while (list_next(&list, &item)) {
		for (size_t i = 0; i < ARRAY_SIZE(capabilities); i++) {
			if (span_is(item, capabilities[i].name))
				*(bool *)((char *)hello + capabilities[i].offset) = true;
		}
	}
}

/*
 * The three mandatory values, version first: what another version would say
 * about the rest, we cannot know.
 */
static enum spop_status check(const struct spop_kv *kv, bool (*version_ok)(struct span))
{
	const struct spop_data *v = kv->values;
	uint64_t size;

	if (v[VERSIONS].type == SPOP_NULL)
		return SPOP_STATUS_NO_VERSION;
	if (!version_ok(v[VERSIONS].text))
		return SPOP_STATUS_BAD_VERSION;
	if (v[FRAME_SIZE].type == SPOP_NULL)
		return SPOP_STATUS_NO_FRAME_SIZE;
	size = spop_kv_uint(&v[FRAME_SIZE]);
	if (size < SPOP_FRAME_SIZE_MIN || size > UINT32_MAX)
		return SPOP_STATUS_BAD_FRAME_SIZE;
	if (v[CAPABILITIES].type == SPOP_NULL)
		return SPOP_STATUS_NO_CAPABILITIES;
	return SPOP_STATUS_NORMAL;
}

enum spop_status spop_hello_parse(struct span payload, struct spop_hello *ret_hello)
{
	struct spop_hello hello = {0};
	enum spop_status status;
	struct spop_kv kv;

	if (spop_kv_parse(payload, haproxy_keys, N_KEYS, &kv))
		return SPOP_STATUS_INVALID;
	status = check(&kv, offers_our_version);
	if (status != SPOP_STATUS_NORMAL)
		return status;
	hello.max_frame_size = (uint32_t)spop_kv_uint(&kv.values[FRAME_SIZE]);
	parse_capabilities(kv.values[CAPABILITIES].text, &hello);
	if (kv.values[HEALTHCHECK].type == SPOP_BOOL)
		hello.healthcheck = kv.values[HEALTHCHECK].boolean;
	if (kv.values[ENGINE_ID].type == SPOP_STR)
		hello.engine_id = kv.values[ENGINE_ID].text;
	*ret_hello = hello;
	return SPOP_STATUS_NORMAL;
}

enum spop_status spop_hello_parse_agent(struct span payload, struct spop_agent_hello *ret_hello)
{
	struct spop_hello hello = {0};
	enum spop_status status;
	struct spop_kv kv;

	if (spop_kv_parse(payload, agent_keys, ARRAY_SIZE(agent_keys), &kv))
		return SPOP_STATUS_INVALID;
	status = check(&kv, is_our_version);
	if (status != SPOP_STATUS_NORMAL)
		return status;
	parse_capabilities(kv.values[CAPABILITIES].text, &hello);
	*ret_hello = (struct spop_agent_hello){
		.max_frame_size = (uint32_t)spop_kv_uint(&kv.values[FRAME_SIZE]),
		.pipelining = hello.pipelining,
		.fragmentation = hello.fragmentation,
	};
	return SPOP_STATUS_NORMAL;
}

/* What every HELLO carries, in the order of the specification. */
static void encode(
	struct wr *w, const struct spop_kv_key *keys, uint32_t max_frame_size, struct span list)
{
	spop_kv_encode_str(w, keys[VERSIONS].name, SPAN(VERSION));
	spop_kv_encode_uint32(w, keys[FRAME_SIZE].name, max_frame_size);
	spop_kv_encode_str(w, keys[CAPABILITIES].name, list);
}

static void capability_put(struct wr *list, const char *name, bool have)
{
	if (!have)
		return;
	if (wr_len(list))
		wr_u8(list, ',');
	wr_bytes(list, name, strlen(name));
}

static struct span list_of(const struct wr *list)
{
	return (struct span){.p = (const char *)list->start, .n = wr_len(list)};
}

/* The three names and two commas are 30 bytes. */
#define LIST_MAX 64

void spop_hello_encode_agent(struct wr *w, const struct spop_agent_hello *hello)
{
	char text[LIST_MAX];
	struct wr list = wr_of(text, sizeof(text));

	capability_put(&list, "pipelining", hello->pipelining);
	capability_put(&list, "fragmentation", hello->fragmentation);
	encode(w, agent_keys, hello->max_frame_size, list_of(&list));
}

void spop_hello_encode_haproxy(struct wr *w, const struct spop_hello *hello)
{
	char text[LIST_MAX];
	struct wr list = wr_of(text, sizeof(text));

	for (size_t i = 0; i < ARRAY_SIZE(capabilities); i++)
		capability_put(&list, capabilities[i].name,
			*(const bool *)((const char *)hello + capabilities[i].offset));
	encode(w, haproxy_keys, hello->max_frame_size, list_of(&list));
	if (hello->healthcheck)
		spop_kv_encode_bool(w, haproxy_keys[HEALTHCHECK].name, true);
	if (hello->engine_id.n)
		spop_kv_encode_str(w, haproxy_keys[ENGINE_ID].name, hello->engine_id);
}
