#include "spoa/recent.h"

#include "audit/ring.h"
#include "base/clock.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/random.h>

#define RING_BYTES (64 * 1024)
#define LINES_MAX  1024
#define BYTES_MAX  (2 * 1024 * 1024)
#define WATCH_NS   (10 * NS_PER_S)
#define LOOK_S     0.2

struct line {
	TAILQ_ENTRY(line) in_list;
	uint64_t number;
	size_t n;
	char text[];
};

struct spoa_recent {
	struct ev_loop *loop;
	ev_timer timer;
	const struct audit_style *style;
	uint64_t watched_until; /* CLOCK_MONOTONIC, ns */
	atomic_bool watched;
	TAILQ_HEAD(, line) lines; /* oldest first */
	size_t n_lines, n_bytes;
	uint64_t next;
	char *buffer; /* of one line */
	unsigned n_rings;
	struct audit_ring *rings[];
};

bool spoa_recent_is_watched(const struct spoa_recent *recent)
{
	return atomic_load_explicit(&recent->watched, memory_order_relaxed);
}

void spoa_recent_put(struct spoa_recent *recent, unsigned ring, const struct audit_entry *entry)
{
	(void)audit_ring_push(recent->rings[ring], entry);
}

static void drop_oldest(struct spoa_recent *recent)
{
	struct line *line = TAILQ_FIRST(&recent->lines);

	TAILQ_REMOVE(&recent->lines, line, in_list);
	recent->n_lines--;
	recent->n_bytes -= line->n;
	free(line);
}

static void keep(struct spoa_recent *recent, const struct audit_entry *entry)
{
	struct wr w = wr_of((unsigned char *)recent->buffer, AUDIT_LINE_MAX);
	unsigned char uuid[16];
	struct line *line;
	size_t n;

	if (getrandom(uuid, sizeof(uuid), 0) != sizeof(uuid))
		memset(uuid, 0, sizeof(uuid));
	audit_flow_line(&w, entry, recent->style, uuid);
	n = wr_len(&w) - 1; /* without its newline */
	line = malloc(sizeof(*line) + n);
	if (!line)
		return;
	line->number = recent->next++;
	line->n = n;
	memcpy(line->text, recent->buffer, n);
	TAILQ_INSERT_TAIL(&recent->lines, line, in_list);
	recent->n_lines++;
	recent->n_bytes += n;
	while (recent->n_lines > LINES_MAX || recent->n_bytes > BYTES_MAX)
		drop_oldest(recent);
}

static void collect(struct spoa_recent *recent)
{
	struct audit_entry entry;

	for (unsigned i = 0; i < recent->n_rings; i++)
		while (audit_ring_peek(recent->rings[i], &entry)) {
			keep(recent, &entry);
			audit_ring_pop(recent->rings[i]);
		}
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct spoa_recent *recent = timer->data;

	(void)loop;
	(void)events;
	collect(recent);
	atomic_store_explicit(&recent->watched, base_clock_mono_ns() < recent->watched_until,
		memory_order_relaxed);
}

static uint64_t lost(const struct spoa_recent *recent)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < recent->n_rings; i++)
		sum += audit_ring_lost(recent->rings[i]);
	return sum;
}

void spoa_recent_write(struct spoa_recent *recent, uint64_t after, size_t limit, FILE *to)
{
	uint64_t from;
	const char *comma = "";
	struct line *line;

	collect(recent);
	from = recent->next > limit ? recent->next - limit : 0;
	if (from <= after)
		from = after + 1;
	recent->watched_until = base_clock_mono_ns() + WATCH_NS;
	atomic_store_explicit(&recent->watched, true, memory_order_relaxed);
	fprintf(to, "{\"next\":%llu,\"lost\":%llu,\"decisions\":[",
		(unsigned long long)recent->next - 1, (unsigned long long)lost(recent));
	TAILQ_FOREACH(line, &recent->lines, in_list)
	{
		if (line->number < from)
			continue;
		fputs(comma, to);
		fwrite(line->text, 1, line->n, to);
		comma = ",\n";
	}
	fputs("]}\n", to);
}

struct spoa_recent *spoa_recent_new(
	struct ev_loop *loop, unsigned n_writers, const struct audit_style *style)
{
	struct spoa_recent *recent =
		calloc(1, sizeof(*recent) + n_writers * sizeof(recent->rings[0]));

	if (!recent)
		return NULL;
	recent->loop = loop;
	recent->style = style;
	recent->next = 1;
	recent->n_rings = n_writers;
	TAILQ_INIT(&recent->lines);
	ev_timer_init(&recent->timer, on_timer, LOOK_S, LOOK_S);
	recent->timer.data = recent;
	recent->buffer = malloc(AUDIT_LINE_MAX);
	for (unsigned i = 0; i < n_writers; i++) {
		recent->rings[i] = audit_ring_new(RING_BYTES);
		if (!recent->rings[i] || !recent->buffer) {
			spoa_recent_free(recent);
			return NULL;
		}
	}
	ev_timer_start(loop, &recent->timer);
	return recent;
}

void spoa_recent_free(struct spoa_recent *recent)
{
	if (!recent)
		return;
	ev_timer_stop(recent->loop, &recent->timer);
	while (!TAILQ_EMPTY(&recent->lines))
		drop_oldest(recent);
	for (unsigned i = 0; i < recent->n_rings; i++)
		audit_ring_free(recent->rings[i]);
	free(recent->buffer);
	free(recent);
}
