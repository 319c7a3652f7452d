/*
 * Answers of etcd's HTTP/JSON gateway, checked and decoded. Whatever is not as
 * rpc.proto says is refused whole; what is left out is zero (proto3 JSON).
 */
#ifndef ETCD_REPLY_H
#define ETCD_REPLY_H

#include "etcd/request.h"

#include <stddef.h>

/* Bytes of one answer, or one line of a watch; etcd's own limit for a request is 1.5 MiB. */
#define ETCD_REPLY_MAX ((size_t)8 * 1024 * 1024)
/* Keys in one answer. */
#define ETCD_REPLY_KVS ((size_t)16384)

struct etcd_kv {
	struct span key, value;    /* the reply's */
	int64_t created, modified; /* revisions */
	int64_t lease;             /* 0: none */
	size_t op;    /* transaction: the place of the operation that it is an answer to */
	bool deleted; /* watch: it is gone; there is no value */
};

struct etcd_reply {
	int64_t revision;   /* of the whole store */
	bool succeeded;     /* transaction: all that must hold did */
	bool more;          /* range: the limit left some out */
	bool canceled;      /* watch: it has ended */
	bool fragment;      /* watch: further events of this revision follow */
	int64_t compacted;  /* watch: with canceled, events before this revision are lost */
	int64_t lease, ttl; /* grant, keepalive; ttl 0: there is no such lease any more */
	char token[1024];   /* auth */
	struct etcd_kv *kvs;
	size_t n_kvs;
	char *bytes; /* what keys and values borrow from */
};

/* 0 and the caller's reply; -EPROTO, or -ENOMEM. */
int etcd_reply_parse(enum etcd_kind kind, struct span body, struct etcd_reply **ret) must_check;
void etcd_reply_free(struct etcd_reply *reply);

/*
 * What an answer with another HTTP status than 200 means, by the gRPC code in
 * it, with what etcd says in why (printable ASCII):
 *   -ENOENT  there is no such lease       -EAGAIN  no leader, or too busy
 *   -EACCES  not authenticated, or not allowed
 *   -ENOSPC  etcd has no room             -ERANGE  the revision is compacted
 *   -EPROTO  anything else
 */
int etcd_reply_error(long status, struct span body, char why[160]) must_check;

DEFINE_CLEANUP(etcd_reply, struct etcd_reply *, etcd_reply_free)

#endif
