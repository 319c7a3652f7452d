#include "spoa/log.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

static atomic_int threshold = BASE_LOG_INFO;

/* Between asking whether a line fits and writing it nobody else may take the room. */
static pthread_mutex_t writing = PTHREAD_MUTEX_INITIALIZER;

void spoa_log_level(enum base_log_level level)
{
	atomic_store_explicit(&threshold, (int)level, memory_order_relaxed);
}

bool spoa_log_open(struct base_log *log, enum base_log_level level, const char *event)
{
	struct base_now now;

	if ((int)level > atomic_load_explicit(&threshold, memory_order_relaxed))
		return false;
	base_clock_now(&now);
	base_log_begin(log, level, event, &now);
	return true;
}

void spoa_log_close(struct base_log *log)
{
	struct span line = base_log_end(log);
	struct pollfd to = {.fd = STDERR_FILENO, .events = POLLOUT};

	pthread_mutex_lock(&writing);
	/*
	 * Our descriptor may be shared with others and so stays blocking. One
	 * that is writable takes a line below PIPE_BUF without waiting. There is
	 * nobody to tell when the log itself cannot be written.
	 */
	if (poll(&to, 1, 0) == 1 && write(STDERR_FILENO, line.p, line.n) < 0)
		to.revents = 0;
	pthread_mutex_unlock(&writing);
}

void spoa_log(enum base_log_level level, const char *event, const char *key, const char *value)
{
	struct base_log log;

	if (!spoa_log_open(&log, level, event))
		return;
	if (key)
		base_log_str(&log, key, value);
	spoa_log_close(&log);
}

bool spoa_log_allowed(
	struct spoa_log_limit *limit, uint64_t per_second, uint64_t mono_ns, uint64_t *ret_lost)
{
	uint64_t second = mono_ns / (uint64_t)NS_PER_S;

	if (limit->second != second) {
		limit->second = second;
		limit->used = 0;
	}
	if (per_second && limit->used >= per_second) {
		limit->lost++;
		return false;
	}
	limit->used++;
	*ret_lost = limit->lost;
	limit->lost = 0;
	return true;
}
