/* Any bytes as etcd's answer of each kind, and its keys and labels as Cilium's. */
#include "tests/fuzz/fuzz.h"

#include "etcd/layout.h"
#include "etcd/reply.h"
#include "ident/number.h"

static const struct etcd_cluster CLUSTER = {
	.prefix = "cilium", .node = "n", .id = 3, .clusters = 255, .name = "cluster3"};

static void look_at_kv(const struct etcd_kv *kv)
{
	uint32_t id = 0;
	int rc = etcd_layout_parse_id(&CLUSTER, kv->key, &id);

	FUZZ_CHECK(kv->key.n && kv->key.p);
	FUZZ_CHECK((rc == 0) == (id != 0));
	if (!rc)
		FUZZ_CHECK(etcd_layout_has(&CLUSTER, id) && id >> 16 == 3);
	if (etcd_layout_labels_check(&CLUSTER, kv->value, true) == 0)
		FUZZ_CHECK(kv->value.p[kv->value.n - 1] == ';' &&
			   kv->value.n <= IDENT_LABELS_TEXT_MAX);
}

static void look(enum etcd_kind kind, struct span body)
{
	struct etcd_reply *reply = NULL;
	size_t n = 0;

	if (etcd_reply_parse(kind, body, &reply)) {
		FUZZ_CHECK(!reply);
		return;
	}
	for (size_t i = 0; i < reply->n_kvs; i++) {
		look_at_kv(&reply->kvs[i]);
		n += reply->kvs[i].key.n + reply->kvs[i].value.n;
	}
	FUZZ_CHECK(n <= body.n && reply->n_kvs <= ETCD_REPLY_KVS);
	etcd_reply_free(reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = fuzz_copy(data, size);
	struct span body = {.p = (const char *)copy, .n = size};
	char why[160];

	for (unsigned kind = 0; kind < ETCD_KINDS; kind++)
		look((enum etcd_kind)kind, body);
	FUZZ_CHECK(etcd_reply_error(500, body, why) < 0 && strlen(why) < sizeof(why));
	free(copy);
	return 0;
}
