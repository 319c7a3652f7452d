/*
 * What the commands `policy ...` have in common.
 */
#ifndef CTL_POLICY_H
#define CTL_POLICY_H

#include "base/mem.h"
#include "ctl/commands.h"
#include "policy/policy.h"

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

static inline void cleanup_fn_ctl_json(json_t **json)
{
	json_decref(*json);
}

/* Reads policies into a ready set; mistakes and notes go to stderr, one line each. */
enum ctl_exit ctl_policy_load(const char *name, const char *const *paths, size_t n,
	const struct policy_options *options, struct policy_set **ret_set) must_check;

/*
 * Answers the questions of a file ("-": stdin) in the format of
 * vectors/policy/cases.jsonl, line by line, on to.
 */
enum ctl_exit ctl_policy_batch(const char *name, const char *path, FILE *to) must_check;

#define CTL_POLICY_HEADERS_MAX 256

/* A request with room for its headers and its whole path. */
struct ctl_policy_request {
	struct policy_request request;
	struct policy_header_field headers[CTL_POLICY_HEADERS_MAX];
};

/* From {"method", "path", "host", "headers": {name: [values]}}; borrows from it. 0 or -EINVAL. */
int ctl_policy_request_of_json(const json_t *http, struct ctl_policy_request *ret) must_check;

#endif
