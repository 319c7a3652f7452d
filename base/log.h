/*
 * One log record: a JSON object on one line, built in a fixed buffer without
 * allocating. Whatever bytes a stranger sent, the line is valid JSON in valid
 * UTF-8: bad sequences become U+FFFD, control bytes are escaped, and a value
 * that does not fit is cut (the record then says "cut":true).
 * Nothing is written here: spoa/ and setup/ decide where a line goes.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/clock.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum base_log_level {
	BASE_LOG_ERROR,
	BASE_LOG_WARNING,
	BASE_LOG_INFO,
	BASE_LOG_DEBUG,
};
#define BASE_LOG_LEVELS (BASE_LOG_DEBUG + 1)

/* A line is at most this long, newline included: below PIPE_BUF, so one write stays whole. */
#define BASE_LOG_LINE 2048

struct base_log {
	char line[BASE_LOG_LINE];
	size_t n;
	bool cut;
};

/* "error", "warning", "info", "debug". */
const char *base_log_level_name(enum base_log_level level);

/* Starts a record with its time (RFC 3339, microseconds), level and event word. */
void base_log_begin(struct base_log *log, enum base_log_level level, const char *event,
	const struct base_now *now);
void base_log_text(struct base_log *log, const char *key, struct span value);
void base_log_str(struct base_log *log, const char *key, const char *value);
void base_log_int(struct base_log *log, const char *key, int64_t value);
void base_log_bool(struct base_log *log, const char *key, bool value);

/* Closes the record and returns the whole line with its newline; lives as long as log. */
struct span base_log_end(struct base_log *log);

#endif
