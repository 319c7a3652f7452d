/*
 * Where log records go: JSON lines on stderr, one write each, so that lines
 * of several threads never mix. Never a token, a key or a secret.
 *
 *	struct base_log log;
 *	if (spoa_log_open(&log, BASE_LOG_INFO, "listening")) {
 *		base_log_str(&log, "address", address);
 *		spoa_log_close(&log);
 *	}
 */
#ifndef SPOA_LOG_H
#define SPOA_LOG_H

#include "base/log.h"

#include <stdbool.h>
#include <stdint.h>

/* Lines above this level are not written. Any thread, any time. */
void spoa_log_level(enum base_log_level level);

/* false: not at this level, leave log alone. */
bool spoa_log_open(struct base_log *log, enum base_log_level level, const char *event);

/* Ends the record and writes it. A stderr that takes no more loses the line, never waits. */
void spoa_log_close(struct base_log *log);

/* A record with at most one text: for what needs no more. */
void spoa_log(enum base_log_level level, const char *event, const char *key, const char *value);

/*
 * At most so many lines a second for what strangers can cause. ret_lost gets
 * how many were refused since the last that was let through.
 */
struct spoa_log_limit {
	uint64_t second;
	uint64_t used;
	uint64_t lost;
};
bool spoa_log_allowed(
	struct spoa_log_limit *limit, uint64_t per_second, uint64_t mono_ns, uint64_t *ret_lost);

#endif
