/*
 * The workload that a Kubernetes service account's token names: the claim
 * kubernetes.io of bound tokens, the flat claims of old ones, else the subject
 * (Kubernetes: "Managing Service Accounts", bound service account tokens).
 */
#ifndef TOKEN_WORKLOAD_H
#define TOKEN_WORKLOAD_H

#include "base/span.h"
#include "base/wr.h"

#include <jansson.h>

#define TOKEN_WORKLOAD_NAME 253 /* bytes of one of the three names: a DNS subdomain */

/*
 * Writes "namespace/account/pod", with nothing for what is not said, and
 * nothing at all for a token that names no workload. A name that Kubernetes
 * could not have given is written as "?", which no workload has.
 */
void token_workload_write(const json_t *claims, struct span sub, struct wr *to);

/* Takes such a text apart: namespace, account, pod. */
void token_workload_split(struct span text, struct span ret[3]);

#endif
