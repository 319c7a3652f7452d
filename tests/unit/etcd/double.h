/* In place of etcd: requests stay where a test can see them, and are answered by it. */
#ifndef TESTS_UNIT_ETCD_DOUBLE_H
#define TESTS_UNIT_ETCD_DOUBLE_H

#include "etcd/client.h"

#include <check.h>

/* A client whose requests come here. Of this user, or NULL. */
struct etcd_client *double_start(const char *user);
void double_stop(void);

/* The text of the oldest request to this path that has no answer yet; NULL: there is none. */
const char *double_asked(const char *path);
/* Did it have this header? */
bool double_has_header(const char *path, const char *header);

/* Answers it: with a body, or as the net thread would. */
void double_say(const char *path, const char *body);
void double_line(const char *path, const char *body); /* of a stream, which goes on */
void double_fail(const char *path, int error);

/* Text in base64; of the last eight calls. */
const char *double_base64(const char *text);

#endif
