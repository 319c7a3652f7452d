#include "conf/field.h"

#include "conf/conf.h"
#include "suites.h"

#include <string.h>

struct fields {
	int64_t number;
	char *text;
	struct conf_strings texts;
	char *host;
	uint16_t port;
	uint16_t ports[4];
	size_t n_ports;
};

static const struct conf_key ROWS[] = {
	{.type = CONF_INT, .offset = offsetof(struct fields, number), .width = 8},
	{.type = CONF_TEXT, .offset = offsetof(struct fields, text), .width = sizeof(char *)},
	{.type = CONF_TEXTS,
		.offset = offsetof(struct fields, texts),
		.width = sizeof(struct conf_strings)},
	{.type = CONF_ADDRESS,
		.offset = offsetof(struct fields, host),
		.width = sizeof(char *),
		.second = offsetof(struct fields, port)},
	{.type = CONF_PORTS,
		.offset = offsetof(struct fields, ports),
		.width = 8,
		.second = offsetof(struct fields, n_ports)},
};

static void fill(struct fields *f)
{
	*f = (struct fields){.number = 1, .text = strdup("t"), .host = strdup("h"), .port = 80};
	f->texts.items = calloc(2, sizeof(char *));
	f->texts.items[0] = strdup("a");
	f->texts.items[1] = strdup("b");
	f->texts.n = 2;
	f->ports[0] = 80;
	f->n_ports = 1;
}

static void clear(struct fields *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
		conf_field_clear(&ROWS[i], f);
}

static size_t differences(const struct fields *a, const struct fields *b)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
		n += !conf_field_same(&ROWS[i], a, b);
	return n;
}

/* Each spoils one field of a filled struct. */
static void other_number(struct fields *f)
{
	f->number = 2;
}

static void other_text(struct fields *f)
{
	f->text[0] = 'x';
}

static void no_text(struct fields *f)
{
	conf_field_clear(&ROWS[1], f);
}

static void other_item(struct fields *f)
{
	f->texts.items[1][0] = 'x';
}

static void fewer_items(struct fields *f)
{
	free(f->texts.items[--f->texts.n]);
}

static void other_host(struct fields *f)
{
	f->host[0] = 'x';
}

static void other_port(struct fields *f)
{
	f->port = 81;
}

static void other_ports(struct fields *f)
{
	f->ports[0] = 81;
}

static void more_ports(struct fields *f)
{
	f->n_ports = 2;
}

static void (*const CHANGES[])(struct fields *) = {other_number, other_text, no_text, other_item,
	fewer_items, other_host, other_port, other_ports, more_ports};

START_TEST(sees_each_difference)
{
	/* Any single change makes exactly one row differ, and none does before. */
	struct fields a, b;

	fill(&a);
	fill(&b);
	ck_assert_uint_eq(differences(&a, &b), 0);
	CHANGES[_i](&b);
	ck_assert_uint_eq(differences(&a, &b), 1);
	ck_assert_uint_eq(differences(&b, &a), 1);
	clear(&a);
	clear(&b);
}
END_TEST

START_TEST(clears_to_nothing)
{
	/* A cleared field owns nothing, and clearing twice is harmless. */
	struct fields f;

	fill(&f);
	clear(&f);
	clear(&f);
	ck_assert_int_eq(f.number, 0);
	ck_assert_ptr_null(f.text);
	ck_assert_ptr_null(f.texts.items);
	ck_assert_uint_eq(f.texts.n, 0);
}
END_TEST

SUITE(field, EACH(sees_each_difference, CHANGES), ONE(clears_to_nothing))
