/*
 * How rows of the key table are written, for the files that hold a part of it.
 */
#ifndef CONF_KEYS_TABLE_H
#define CONF_KEYS_TABLE_H

#include "conf/conf.h"
#include "conf/table.h"

#include <assert.h>
#include <stddef.h>

#define MS    INT64_C(1)
#define S     (1000 * MS)
#define M     (60 * S)
#define H     (60 * M)
#define D     (24 * H)
#define KIB   INT64_C(1024)
#define GIB   (1024 * 1024 * KIB)
#define COUNT INT64_C(1000000)

#define SOCKET_PATH_MAX 107      /* sun_path of unix(7), less its NUL */
#define NAME_MAX_BYTES  63       /* a DNS label, a Kubernetes label value */
#define GROUP_MAX       32       /* a group's name in Linux */
#define NUMBER_MAX      0xFFFFFF /* 24 bits: cilium pkg/identity/numericidentity.go */
#define LABELS_MAX      62       /* 64 in a set; namespace and cluster come on top */

/* conf/keys_edge.c: what callers and backends are told. */
extern const struct conf_section conf_keys_challenge;
extern const struct conf_section conf_keys_assertion;
extern const struct conf_section conf_keys_assertions;
extern const struct conf_section conf_keys_dpop;
extern const struct conf_section conf_keys_revocation;

/* conf/keys_workload.c: who is known by an address. */
extern const struct conf_section conf_keys_workloads;
extern const struct conf_section conf_keys_etcd; /* conf/keys_etcd.c */

#endif
