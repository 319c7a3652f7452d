#include "base/log.h"

#include "base/json.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* What base_log_end still has to write: ,"cut":true}\n */
#define TAIL 16

static const char *const LEVEL_NAMES[] = {"error", "warning", "info", "debug"};
_Static_assert(ARRAY_SIZE(LEVEL_NAMES) == BASE_LOG_LEVELS, "a name for every level");

const char *base_log_level_name(enum base_log_level level)
{
	return LEVEL_NAMES[level];
}

static bool put(struct base_log *log, const char *p, size_t n)
{
	if (n > sizeof(log->line) - TAIL - log->n) {
		log->cut = true;
		return false;
	}
	memcpy(log->line + log->n, p, n);
	log->n += n;
	return true;
}

/* ,"key": as far as it fits as a whole, with room for the shortest value after it. */
static bool put_key(struct base_log *log, const char *key)
{
	size_t n = strlen(key);

	if (n + 4 + sizeof("\"\"") > sizeof(log->line) - TAIL - log->n) {
		log->cut = true;
		return false;
	}
	if (log->n > 1)
		put(log, ",", 1);
	put(log, "\"", 1);
	put(log, key, n);
	put(log, "\":", 2);
	return true;
}

void base_log_text(struct base_log *log, const char *key, struct span value)
{
	bool fits = true;

	if (!put_key(log, key))
		return;
	put(log, "\"", 1);
	while (value.n && fits) {
		char text[BASE_JSON_CHAR_MAX];
		size_t took, n;

		if (log->n + 1 + sizeof(text) > sizeof(log->line) - TAIL) {
			log->cut = true;
			break;
		}
		took = base_json_char(value, text, &n);
		fits = put(log, text, n);
		value.p += took;
		value.n -= took;
	}
	log->line[log->n++] = '"'; /* put_key and the loop kept this byte free */
}

void base_log_str(struct base_log *log, const char *key, const char *value)
{
	base_log_text(log, key, span_of(value));
}

static void put_bare(struct base_log *log, const char *key, const char *text)
{
	size_t before = log->n;

	if (put_key(log, key) && !put(log, text, strlen(text)))
		log->n = before;
}

void base_log_int(struct base_log *log, const char *key, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	put_bare(log, key, text);
}

void base_log_bool(struct base_log *log, const char *key, bool value)
{
	put_bare(log, key, value ? "true" : "false");
}

void base_log_begin(struct base_log *log, enum base_log_level level, const char *event,
	const struct base_now *now)
{
	time_t seconds = (time_t)(now->wall_ns / NS_PER_S);
	int64_t rest = now->wall_ns % NS_PER_S;
	struct tm tm;
	char day[32];
	char stamp[48];

	/* A clock that was never set may stand before 1970; a fraction is never negative. */
	if (rest < 0) {
		rest += NS_PER_S;
		seconds--;
	}
	log->n = 0;
	log->cut = false;
	put(log, "{", 1);
	gmtime_r(&seconds, &tm);
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(stamp, sizeof(stamp), "%s.%06dZ", day, (int)(rest / 1000));
	base_log_str(log, "time", stamp);
	base_log_str(log, "level", base_log_level_name(level));
	base_log_str(log, "event", event);
}

struct span base_log_end(struct base_log *log)
{
	const char *tail = log->cut ? ",\"cut\":true}\n" : "}\n";

	memcpy(log->line + log->n, tail, strlen(tail));
	log->n += strlen(tail);
	return (struct span){.p = log->line, .n = log->n};
}
