#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "tests/unit/base/suites.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

DEFINE_CLEANUP(record, json_t *, json_decref)

static const struct base_now NOW = {.wall_ns = INT64_C(1700000000123456789)};

/* Ends the record: one line, UTF-8, JSON with names that occur once, and cut says so. */
static json_t *finish(struct base_log *log)
{
	json_error_t error;
	struct span line = base_log_end(log);
	json_t *record;

	HOLDS(line.n <= BASE_LOG_LINE);
	HOLDS(line.p[line.n - 1] == '\n');
	HOLDS(memchr(line.p, '\n', line.n) == line.p + line.n - 1);
	HOLDS(base_utf8_valid(line));
	for (size_t i = 0; i < line.n - 1; i++)
		HOLDS((unsigned char)line.p[i] >= 0x20 && line.p[i] != 0x7f);
	record = json_loadb(line.p, line.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	if (!record)
		ck_abort_msg("%s: %.*s", error.text, SPAN_ARG(line));
	HOLDS(json_is_true(json_object_get(record, "cut")) == log->cut);
	HOLDS(json_object_get(record, "time"));
	return record;
}

START_TEST(record)
{
	/* Goal: a record is the line that the header promises, byte for byte. */
	struct base_log log;

	base_log_begin(&log, BASE_LOG_WARNING, "decision", &NOW);
	base_log_str(&log, "role", "a \"b\"\\\n\x7f");
	base_log_text(&log, "empty", (struct span){0});
	base_log_int(&log, "id", INT64_MIN);
	base_log_bool(&log, "yes", true);
	base_log_bool(&log, "no", false);
	ck_assert(span_is(base_log_end(&log),
		"{\"time\":\"2023-11-14T22:13:20.123456Z\",\"level\":\"warning\","
		"\"event\":\"decision\",\"role\":\"a \\\"b\\\"\\\\\\u000a\\u007f\","
		"\"empty\":\"\",\"id\":-9223372036854775808,\"yes\":true,\"no\":false}\n"));
}
END_TEST

static const struct {
	int64_t wall_ns;
	const char *time;
} TIMES[] = {
	{0, "1970-01-01T00:00:00.000000Z"},
	{1, "1970-01-01T00:00:00.000000Z"},
	{999, "1970-01-01T00:00:00.000000Z"},
	{1000, "1970-01-01T00:00:00.000001Z"},
	{INT64_C(1709251199999999999), "2024-02-29T23:59:59.999999Z"},
	{INT64_C(1709251200000000000), "2024-03-01T00:00:00.000000Z"},
	{-1, "1969-12-31T23:59:59.999999Z"},
	{-NS_PER_S, "1969-12-31T23:59:59.000000Z"},
	{INT64_MAX, "2262-04-11T23:47:16.854775Z"},
	{INT64_MIN, "1677-09-21T00:12:43.145224Z"},
};

START_TEST(times)
{
	/* Goal: a time is RFC 3339 with microseconds, whatever the clock says. */
	const struct base_now now = {.wall_ns = TIMES[_i].wall_ns};
	cleanup(record) json_t *json = NULL;
	struct base_log log;

	base_log_begin(&log, BASE_LOG_INFO, "x", &now);
	json = finish(&log);
	ck_assert_str_eq(json_string_value(json_object_get(json, "time")), TIMES[_i].time);
}
END_TEST

START_TEST(levels)
{
	/* Goal: every level has its word. */
	ck_assert_str_eq(base_log_level_name(BASE_LOG_ERROR), "error");
	ck_assert_str_eq(base_log_level_name(BASE_LOG_WARNING), "warning");
	ck_assert_str_eq(base_log_level_name(BASE_LOG_INFO), "info");
	ck_assert_str_eq(base_log_level_name(BASE_LOG_DEBUG), "debug");
}
END_TEST

static uint64_t seed;

static unsigned roll(unsigned below)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % below;
}

/* The text with every bad byte as U+FFFD: what a reader must get back. */
static size_t mend(struct span s, char *out)
{
	size_t n = 0;

	while (s.n) {
		size_t len = base_utf8_next(s);

		memcpy(out + n, len ? s.p : "\xef\xbf\xbd", len ? len : 3);
		n += len ? len : 3;
		s.p += len ? len : 1;
		s.n -= len ? len : 1;
	}
	return n;
}

START_TEST(random_bytes)
{
	/* Goal: any bytes give a valid line, and a reader gets them back as far as they fit. */
	char bytes[3000], mended[9000];
	struct base_log log;

	seed = (uint64_t)_i + 1;
	for (int round = 0; round < 1000; round++) {
		cleanup(record) json_t *json = NULL;
		size_t n = roll(round % 4 ? 60 : sizeof(bytes));
		size_t n_mended;
		const json_t *text;

		for (size_t i = 0; i < n; i++)
			bytes[i] = (char)(roll(3)   ? roll(256)
					  : roll(2) ? 0xe2 + roll(20)
						    : roll(32));
		base_log_begin(&log, BASE_LOG_ERROR, "x", &NOW);
		base_log_text(&log, "bytes", (struct span){bytes, n});
		base_log_int(&log, "n", (int64_t)n);
		json = finish(&log);
		text = json_object_get(json, "bytes");
		n_mended = mend((struct span){bytes, n}, mended);
		ck_assert(json_is_string(text));
		ck_assert_uint_le(json_string_length(text), n_mended);
		ck_assert_mem_eq(json_string_value(text), mended, json_string_length(text));
		ck_assert_int_eq(json_string_length(text) < n_mended || !json_object_get(json, "n"),
			log.cut);
	}
}
END_TEST

static const char *const UNITS[] = {"a", "\"", "\n", "\xc3\xbc", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
	"\xff", "\xf0\x9f\x98", "\xc3\xbc\n\xff\"x"};

START_TEST(every_cut)
{
	/* Goal: at every length around the cap, with every kind of character there, a line is whole. */
	size_t unit = strlen(UNITS[_i]);
	char bytes[2200];
	struct base_log log;
	unsigned n_cut = 0;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = UNITS[_i][i % unit];
	for (size_t shift = 0; shift < 7; shift++) {
		for (size_t n = 250; n < sizeof(bytes); n++) {
			cleanup(record) json_t *json = NULL;

			base_log_begin(&log, BASE_LOG_INFO, "x", &NOW);
			base_log_text(&log, "shift", (struct span){"xxxxxxx", shift});
			base_log_text(&log, "bytes", (struct span){bytes, n});
			base_log_bool(&log, "b", true);
			json = finish(&log);
			n_cut += log.cut;
			HOLDS(json_object_get(json, "bytes"));
			HOLDS(log.cut || json_object_get(json, "b"));
		}
	}
	ck_assert_uint_gt(n_cut, 0);
}
END_TEST

START_TEST(full_line)
{
	/* Goal: however full the line is, each further field is whole or left out and said so. */
	char bytes[2200];
	struct base_log log;

	memset(bytes, 'x', sizeof(bytes));
	for (size_t n = 1850; n < 2048; n++) {
		cleanup(record) json_t *json = NULL;
		const json_t *number;

		base_log_begin(&log, BASE_LOG_INFO, "x", &NOW);
		base_log_text(&log, "bytes", (struct span){bytes, n});
		base_log_int(&log, "number", INT64_MIN);
		base_log_bool(&log, "bool", false);
		base_log_str(&log, "text", "12345678");
		base_log_int(&log, "i", 7);
		json = finish(&log);
		number = json_object_get(json, "number");
		ck_assert(number ? json_integer_value(number) == INT64_MIN : log.cut);
		ck_assert(log.cut || json_object_size(json) == 8);
	}
}
END_TEST

Suite *log_suite(void)
{
	Suite *suite = suite_create("log");
	TCase *tc = tcase_create("log");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, record);
	tcase_add_loop_test(tc, times, 0, ARRAY_SIZE(TIMES));
	tcase_add_test(tc, levels);
	tcase_add_loop_test(tc, random_bytes, 0, 4);
	tcase_add_loop_test(tc, every_cut, 0, ARRAY_SIZE(UNITS));
	tcase_add_test(tc, full_line);
	suite_add_tcase(suite, tc);
	return suite;
}
