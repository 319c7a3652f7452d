/*
 * Requests to etcd as its HTTP/JSON gateway takes them (etcd 3.4:
 * Documentation/dev-guide/api_grpc_gateway.md; fields of rpc.proto): keys and
 * values in base64, 64-bit numbers as text.
 *
 * Each function makes a new reference, or NULL without memory; those that
 * take one take it over in every case, and NULL then stays NULL, so only the
 * last result has to be looked at.
 */
#ifndef ETCD_REQUEST_H
#define ETCD_REQUEST_H

#include "base/mem.h"
#include "base/span.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum etcd_kind {
	ETCD_RANGE,
	ETCD_PUT,
	ETCD_TXN,
	ETCD_GRANT,
	ETCD_KEEPALIVE,
	ETCD_REVOKE,
	ETCD_WATCH,
	ETCD_AUTH,
};
#define ETCD_KINDS (ETCD_AUTH + 1)

/* Operations in one transaction that etcd allows (--max-txn-ops). */
#define ETCD_TXN_MAX 128

/* The URL's path: "/v3/kv/range". */
const char *etcd_request_path(enum etcd_kind kind);

struct etcd_range {
	struct span key;
	bool prefix;      /* all keys that begin with key */
	struct span from; /* with prefix: only those from here on; empty: all */
	int64_t limit;    /* 0: none */
	int64_t revision; /* 0: now */
	bool keys_only;
	bool oldest; /* sorted by when they were created */
};

json_t *etcd_request_range(const struct etcd_range *range) must_check;
/* lease 0: none. */
json_t *etcd_request_put(struct span key, struct span value, int64_t lease) must_check;
json_t *etcd_request_grant(int64_t ttl_s) must_check;
/* For keepalive and revoke. */
json_t *etcd_request_lease(int64_t lease) must_check;
/* All keys of a prefix, from a revision on. */
json_t *etcd_request_watch(struct span prefix, int64_t revision) must_check;
json_t *etcd_request_auth(const char *user, const char *password) must_check;

/*
 * A transaction: what must hold, what happens then, and else. Compares with a
 * revision of 0 mean that the key is not there.
 */
struct etcd_txn {
	json_t *compare, *then, *otherwise; /* arrays; NULL without memory */
};

void etcd_txn_init(struct etcd_txn *txn);
void etcd_txn_if_created(struct etcd_txn *txn, struct span key, int64_t revision);
void etcd_txn_if_modified(struct etcd_txn *txn, struct span key, int64_t revision);
void etcd_txn_if_lease(struct etcd_txn *txn, struct span key, int64_t lease);
void etcd_txn_if_value(struct etcd_txn *txn, struct span key, struct span value);
void etcd_txn_then_put(struct etcd_txn *txn, struct span key, struct span value, int64_t lease);
void etcd_txn_then_delete(struct etcd_txn *txn, struct span key);
void etcd_txn_then_range(struct etcd_txn *txn, const struct etcd_range *range);
void etcd_txn_else_range(struct etcd_txn *txn, const struct etcd_range *range);
/* Takes over what was gathered. */
json_t *etcd_txn_done(struct etcd_txn *txn) must_check;

#endif
