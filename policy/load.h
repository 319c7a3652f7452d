/*
 * Policy files and folders into a set. The set counts as read only when every
 * file is right: all or nothing.
 */
#ifndef POLICY_LOAD_H
#define POLICY_LOAD_H

#include "policy/policy.h"

#include <jansson.h>

#define POLICY_FILE_BYTES   (16u * 1024 * 1024) /* of one file */
#define POLICY_FILE_ENTRIES 65536               /* of one list or map in it */
#define POLICY_FILES_MAX    4096                /* of all folders together */

/*
 * Takes what was found in one file, after it was read: mistakes (none: the
 * file is right) and notes. Both end with the call.
 */
typedef void policy_load_said(
	void *arg, const struct base_diag *diag, const struct base_diag *notes);

/*
 * Adds the documents of files, and of the files *.yaml, *.yml and *.json in
 * folders (not of folders in them), in the order of their names. said may be
 * NULL. 0; -EINVAL when anything was wrong, all of it said; -ENOMEM.
 */
int policy_load(struct policy_set *set, const char *const *paths, size_t n_paths,
	policy_load_said *said, void *arg) must_check;

/*
 * A number that changes when a file that policy_load would read changes, comes
 * or goes: cheap enough for every second.
 */
uint64_t policy_load_stamp(const char *const *paths, size_t n_paths);

/* JSON as a document without positions. NULL without memory. */
struct base_doc *policy_load_json(const json_t *json) must_check;

#endif
