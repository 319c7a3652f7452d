/* What the tests of the daemon share: a configuration, keys, requests, frames, answers. */
#ifndef TESTS_SPOA_HELP_H
#define TESTS_SPOA_HELP_H

#include "spoa/decide.h"
#include "spoa/request.h"
#include "spop/ack.h"
#include "spop/frame.h"
#include "spop/hello.h"
#include "spop/notify.h"
#include "tests/unit/spop/support.h"
#include "tests/unit/token/keys.h"

#include <check.h>

/* What time it is in tests that say so themselves. */
#define HELP_CACHE ((size_t)1 << 20) /* bytes for verified tokens */
#define HELP_NOW_S INT64_C(1800000000)
extern const struct base_now HELP_NOW;

/* Lines of YAML that most tests begin with: version, listen, and no kernel. */
#define HELP_HEAD                                                                                  \
	"version: 1\n"                                                                             \
	"listen: [{unix: /tmp/identityd-test.sock}]\n"                                             \
	"bpf: {mode: off}\n"

/* One provider, "a" for https://a with ES256, one role, "admin" with number 200. */
#define HELP_ONE                                                                                   \
	"providers:\n"                                                                             \
	"  - {name: a, issuer: 'https://a', audiences: [api], algorithms: [ES256]}\n"              \
	"roles:\n"                                                                                 \
	"  - {name: admin, when: [{claim: role, equals: admin}], labels: [role=admin],\n"          \
	"     number: 200, route: be_admin}\n"

/* The configuration that this text says; ends the test when it is not one. */
struct conf *help_conf(const char *yaml);
struct spoa_config *help_config(const char *yaml);

/* Enforcement off, and all providers without keys. */
struct spoa_snapshot *help_snapshot(struct spoa_config *config);

/* Gives provider i this key as its whole set, fetched at that time. */
void help_key(struct spoa_snapshot *snapshot, size_t i, const struct test_key *key, const char *kid,
	uint64_t fetched_at);

/*
 * A token (malloc) of https://a for api with sub "s", role "admin" and an exp
 * an hour after HELP_NOW; changes is a JSON object that replaces or adds
 * members, and removes those that it says are null.
 */
char *help_token(const struct test_key *key, const char *kid, const char *changes);

/* The same, for the real clock. */
char *help_token_now(const struct test_key *key, const char *kid, const char *changes);

/* Appends a NOTIFY frame with the message identify: this token (may be NULL), this path. */
void help_notify(
	struct wr *w, uint64_t stream_id, uint64_t frame_id, const char *token, const char *path);

/* Appends HAProxy's HELLO frame. */
void help_hello(struct wr *w, uint32_t max_frame, bool pipelining, bool healthcheck);

/* One ACK taken apart. */
#define HELP_ACTIONS 64
struct help_ack {
	uint64_t stream_id, frame_id;
	struct spop_action actions[HELP_ACTIONS];
	size_t n;
};

/* Asserts that it is an ACK with FIN and every name at most once. Spans borrow from the frame. */
struct help_ack help_ack(const struct spop_frame *frame);

/* The value of a variable that is set; NULL when it is unset. Asserts that it is mentioned. */
const struct spop_data *help_value(const struct help_ack *ack, const char *name);

/* Asserts that it is set to this text. */
void help_is(const struct help_ack *ack, const char *name, const char *text);

/* The status of a DISCONNECT frame; asserts that it is one. */
unsigned help_disconnect(const struct spop_frame *frame);

/* A folder of its own below /tmp; a second call gives another. Remove it with help_rmdir. */
void help_mkdir(char path[64]);
void help_rmdir(const char *path);
void help_write(const char *path, const char *text);

#define ASSERT_REASON(got, want) ck_assert_str_eq(base_reason_word(got), base_reason_word(want))

#endif
