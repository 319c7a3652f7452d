#include "tests/unit/spoa/help.h"

#include "spop/disconnect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct base_now HELP_NOW = {
	.wall_ns = HELP_NOW_S * NS_PER_S,
	.mono_ns = 1000 * (uint64_t)NS_PER_S,
	.boot_ns = 5000 * (uint64_t)NS_PER_S,
};

struct conf *help_conf(const char *yaml)
{
	struct conf *conf = NULL;
	struct base_diag diag;
	int rc;

	base_diag_init(&diag, "test");
	rc = conf_parse("test", yaml, strlen(yaml), &conf, &diag);
	if (rc)
		base_diag_print(&diag, stdout);
	base_diag_done(&diag);
	ck_assert_int_eq(rc, 0);
	return conf;
}

struct spoa_config *help_config(const char *yaml)
{
	struct spoa_config *config = NULL;
	struct base_diag diag;
	int rc;

	base_diag_init(&diag, "test");
	rc = spoa_config_new(help_conf(yaml), NULL, &diag, &config);
	if (rc)
		base_diag_print(&diag, stdout);
	base_diag_done(&diag);
	ck_assert_int_eq(rc, 0);
	return config;
}

struct spoa_snapshot *help_snapshot(struct spoa_config *config)
{
	struct spoa_snapshot *snapshot = spoa_snapshot_new(config, SPOA_ENFORCEMENT_OFF, NULL);

	ck_assert_ptr_nonnull(snapshot);
	return snapshot;
}

void help_key(struct spoa_snapshot *snapshot, size_t i, const struct test_key *key, const char *kid,
	uint64_t fetched_at)
{
	token_keyset_unref(snapshot->issuers[i].keys);
	snapshot->issuers[i].keys = test_keyset(key, kid);
	snapshot->ages[i] = (struct spoa_keys_age){
		.fetched_at = fetched_at,
		.refresh_from = fetched_at == UINT64_MAX ? UINT64_MAX : 0,
	};
}

static char *make_token(
	const struct test_key *key, const char *kid, const char *changes, int64_t now_s)
{
	json_t *claims = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "iss", "https://a", "aud",
		"api", "sub", "s", "role", "admin", "iat", (json_int_t)now_s, "exp",
		(json_int_t)now_s + 3600);
	json_t *other = changes ? json_loads(changes, JSON_ALLOW_NUL, NULL) : json_object();
	const char *name;
	json_t *value;
	char *payload;
	char *token;
	void *next;

	ck_assert_ptr_nonnull(claims);
	ck_assert_ptr_nonnull(other);
	json_object_foreach_safe(other, next, name, value)
	{
		if (json_is_null(value))
			json_object_del(claims, name);
		else
			json_object_set(claims, name, value);
	}
	payload = json_dumps(claims, JSON_COMPACT);
	token = test_token(key, kid, NULL, payload);
	free(payload);
	json_decref(claims);
	json_decref(other);
	return token;
}

char *help_token(const struct test_key *key, const char *kid, const char *changes)
{
	return make_token(key, kid, changes, HELP_NOW_S);
}

char *help_token_now(const struct test_key *key, const char *kid, const char *changes)
{
	struct base_now now;

	base_clock_now(&now);
	return make_token(key, kid, changes, base_clock_wall_s(&now));
}

static void put_text(struct wr *w, const char *name, const char *text)
{
	struct spop_data value = {.type = text ? SPOP_STR : SPOP_NULL};

	if (text)
		value.text = span_of(text);
	spop_arg_encode(w, span_of(name), &value);
}

void help_notify(
	struct wr *w, uint64_t stream_id, uint64_t frame_id, const char *token, const char *path)
{
	struct spop_frame_mark mark =
		spop_frame_begin(w, SPOP_NOTIFY, SPOP_FIN, stream_id, frame_id);

	spop_message_encode(w, SPAN("identify"), 3);
	put_text(w, "token", token);
	put_text(w, "method", "GET");
	put_text(w, "path", path);
	ck_assert_int_eq(spop_frame_end(w, mark, 65532), 0);
}

void help_hello(struct wr *w, uint32_t max_frame, bool pipelining, bool healthcheck)
{
	struct spop_frame_mark mark = spop_frame_begin(w, SPOP_HAPROXY_HELLO, SPOP_FIN, 0, 0);
	struct spop_hello hello = {
		.max_frame_size = max_frame,
		.pipelining = pipelining,
		.healthcheck = healthcheck,
		.engine_id = SPAN("test"),
	};

	spop_hello_encode_haproxy(w, &hello);
	ck_assert_int_eq(spop_frame_end(w, mark, 65532), 0);
}

struct help_ack help_ack(const struct spop_frame *frame)
{
	struct help_ack ack = {.stream_id = frame->stream_id, .frame_id = frame->frame_id};
	struct rd r = rd_span(frame->payload);
	int rc;

	ck_assert_uint_eq(frame->type, SPOP_ACK);
	ck_assert_uint_eq(frame->flags, SPOP_FIN);
	while ((rc = spop_action_next(&r, &ack.actions[ack.n])) > 0) {
		ck_assert_int_eq(ack.actions[ack.n].scope, SPOP_SCOPE_TXN);
		for (size_t i = 0; i < ack.n; i++)
			ck_assert(!span_eq(ack.actions[i].name, ack.actions[ack.n].name));
		ack.n++;
		ck_assert_uint_lt(ack.n, HELP_ACTIONS);
	}
	ck_assert_int_eq(rc, 0);
	return ack;
}

const struct spop_data *help_value(const struct help_ack *ack, const char *name)
{
	for (size_t i = 0; i < ack->n; i++)
		if (span_is(ack->actions[i].name, name))
			return ack->actions[i].set ? &ack->actions[i].value : NULL;
	ck_abort_msg("%s is neither set nor unset", name);
	return NULL;
}

void help_is(const struct help_ack *ack, const char *name, const char *text)
{
	const struct spop_data *value = help_value(ack, name);

	ck_assert_msg(value, "%s is unset", name);
	ck_assert_int_eq(value->type, SPOP_STR);
	ck_assert_msg(span_is(value->text, text), "%s is \"%.*s\", not \"%s\"", name,
		SPAN_ARG(value->text), text);
}

unsigned help_disconnect(const struct spop_frame *frame)
{
	struct spop_disconnect disconnect;

	ck_assert_uint_eq(frame->type, SPOP_AGENT_DISCONNECT);
	ck_assert_int_eq(spop_disconnect_parse(frame->payload, &disconnect), 0);
	return disconnect.status;
}

void help_mkdir(char path[64])
{
	snprintf(path, 64, "/tmp/identityd-spoa-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(path));
}

void help_rmdir(const char *path)
{
	char command[96];

	snprintf(command, sizeof(command), "rm -r %s", path);
	ck_assert_int_eq(system(command), 0);
}

void help_write(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}
