#include "audit/ring.h"
#include "tests/unit/audit/suites.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define BYTES (64 * 1024)

static char letters[2 * AUDIT_TEXT_MAX];

/* Entry number i: its texts' lengths and letters follow from i. */
static struct audit_entry numbered(uint32_t i)
{
	struct audit_entry entry = {.identity = i, .wall_ns = i};

	for (size_t t = 0; t < AUDIT_TEXTS; t++) {
		entry.text[t].n = (i * 7 + t * 13) % 50;
		entry.text[t].p = letters + (i + t) % 26;
	}
	return entry;
}

static void is_number(const struct audit_entry *entry, uint32_t i)
{
	struct audit_entry expected = numbered(i);

	ck_assert_uint_eq(entry->identity, i);
	for (size_t t = 0; t < AUDIT_TEXTS; t++)
		if (!span_eq(entry->text[t], expected.text[t]))
			ck_abort_msg("entry %u, text %zu", i, t);
}

static void fill_letters(void)
{
	for (size_t i = 0; i < sizeof(letters); i++)
		letters[i] = (char)('a' + i % 26);
}

START_TEST(in_order)
{
	/* Goal: entries come out as they went in, over many turns around the ring. */
	struct audit_ring *ring = audit_ring_new(BYTES);
	struct audit_entry entry;
	uint32_t in = 0, out = 0;

	ck_assert(!audit_ring_peek(ring, &entry));
	audit_ring_pop(ring); /* of an empty ring: nothing */
	while (out < 20000) {
		for (unsigned i = 0; i < 1 + in % 40; i++) {
			entry = numbered(in++);
			audit_ring_push(ring, &entry);
		}
		while (audit_ring_peek(ring, &entry)) {
			is_number(&entry, out++);
			audit_ring_pop(ring);
		}
		ck_assert_uint_eq(in, out);
	}
	ck_assert_uint_eq(audit_ring_lost(ring), 0);
	audit_ring_free(ring);
}
END_TEST

START_TEST(full)
{
	/* Goal: a full ring loses the new ones, counts them, and goes on when there is room. */
	struct audit_ring *ring = audit_ring_new(BYTES);
	struct audit_entry entry;
	uint32_t in = 0, out = 0;

	while (!audit_ring_lost(ring)) {
		entry = numbered(in++);
		audit_ring_push(ring, &entry);
	}
	ck_assert_uint_gt(in, 30);
	entry = numbered(in);
	audit_ring_push(ring, &entry);
	ck_assert_uint_eq(audit_ring_lost(ring), 2);
	while (audit_ring_peek(ring, &entry)) {
		is_number(&entry, out++);
		audit_ring_pop(ring);
	}
	ck_assert_uint_eq(out, in - 1);
	entry = numbered(7);
	audit_ring_push(ring, &entry);
	ck_assert(audit_ring_peek(ring, &entry));
	is_number(&entry, 7);
	audit_ring_free(ring);
}
END_TEST

START_TEST(long_text)
{
	/* Goal: a text is cut to AUDIT_TEXT_MAX; all of them that long still fit an empty ring's half. */
	struct audit_ring *ring = audit_ring_new(4 * BYTES);
	struct audit_entry entry = {0};

	for (size_t t = 0; t < AUDIT_TEXTS; t++)
		entry.text[t] = (struct span){.p = letters, .n = sizeof(letters)};
	audit_ring_push(ring, &entry);
	ck_assert(audit_ring_peek(ring, &entry));
	for (size_t t = 0; t < AUDIT_TEXTS; t++) {
		ck_assert_uint_eq(entry.text[t].n, AUDIT_TEXT_MAX);
		ck_assert_int_eq(memcmp(entry.text[t].p, letters, AUDIT_TEXT_MAX), 0);
	}
	audit_ring_free(ring);
}
END_TEST

START_TEST(wakes)
{
	/* Goal: the reader is woken once for each quarter that it leaves, not for each entry. */
	struct audit_ring *ring = audit_ring_new(BYTES);
	struct audit_entry entry;
	unsigned woken = 0, first = 0;

	for (uint32_t i = 0; !audit_ring_lost(ring); i++) {
		entry = numbered(i);
		if (!audit_ring_push(ring, &entry))
			continue;
		first = first ? first : i;
		woken++;
	}
	ck_assert_uint_gt(first, 5);
	ck_assert_uint_ge(woken, 2);
	ck_assert_uint_le(woken, 4);
	/* And again when it is read at once: a ring that stays nearly empty wakes nobody. */
	while (audit_ring_peek(ring, &entry))
		audit_ring_pop(ring);
	for (uint32_t i = 0; i < 2000; i++) {
		entry = numbered(i);
		ck_assert(!audit_ring_push(ring, &entry));
		audit_ring_pop(ring);
	}
	audit_ring_free(ring);
}
END_TEST

#define MANY 200000

static void *write_many(void *arg)
{
	for (uint32_t i = 0; i < MANY; i++) {
		struct audit_entry entry = numbered(i);

		audit_ring_push(arg, &entry);
	}
	return NULL;
}

START_TEST(two_threads)
{
	/* Goal: with a writer that never waits, every entry is read whole, in order, or counted. */
	struct audit_ring *ring = audit_ring_new(BYTES);
	struct audit_entry entry;
	pthread_t writer;
	uint32_t read = 0, last = 0;

	ck_assert_int_eq(pthread_create(&writer, NULL, write_many, ring), 0);
	while (read + audit_ring_lost(ring) < MANY) {
		if (!audit_ring_peek(ring, &entry))
			continue;
		ck_assert(!read || entry.identity > last);
		last = entry.identity;
		is_number(&entry, last);
		audit_ring_pop(ring);
		read++;
	}
	pthread_join(writer, NULL);
	ck_assert_uint_gt(read, 0);
	audit_ring_free(ring);
}
END_TEST

Suite *ring_suite(void)
{
	Suite *suite = suite_create("audit/ring");
	TCase *tcase = tcase_create("ring");

	fill_letters();
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, in_order);
	tcase_add_test(tcase, full);
	tcase_add_test(tcase, long_text);
	tcase_add_test(tcase, wakes);
	tcase_add_test(tcase, two_threads);
	suite_add_tcase(suite, tcase);
	return suite;
}
