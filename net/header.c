#include "net/header.h"

#include <strings.h>

/* A year; what is longer is as good as for ever. */
#define SECONDS_MAX INT64_C(31536000)

static struct span trim(struct span s)
{
	while (s.n && strchr(" \t\r\n", s.p[s.n - 1]))
		s.n--;
	while (s.n && strchr(" \t", *s.p)) {
		s.p++;
		s.n--;
	}
	return s;
}

/* Cuts off what stands before the first c, or all of it. */
static struct span cut(struct span *s, char c)
{
	const char *at = s->n ? memchr(s->p, c, s->n) : NULL;
	struct span first = {.p = s->p, .n = at ? (size_t)(at - s->p) : s->n};

	s->p += first.n + (at != NULL);
	s->n -= first.n + (at != NULL);
	return trim(first);
}

static bool same(struct span s, const char *word)
{
	return s.n == strlen(word) && !strncasecmp(s.p, word, s.n);
}

/* delta-seconds (RFC 9111 1.2.2), perhaps in quotes; -1 when it is none. */
static int64_t seconds(struct span s)
{
	int64_t value = 0;

	if (s.n >= 2 && *s.p == '"' && s.p[s.n - 1] == '"')
		s = (struct span){.p = s.p + 1, .n = s.n - 2};
	if (!s.n)
		return -1;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return -1;
		if (value < SECONDS_MAX)
			value = value * 10 + (s.p[i] - '0');
	}
	return value < SECONDS_MAX ? value : SECONDS_MAX;
}

/* Said twice, the shorter time counts. */
static void keep_for(struct net_answer *answer, int64_t s)
{
	if (s >= 0 && (answer->max_age_s < 0 || s < answer->max_age_s))
		answer->max_age_s = s;
}

static void take_cache_control(struct net_answer *answer, struct span value)
{
	while (value.n) {
		struct span directive = cut(&value, ',');
		struct span name = cut(&directive, '=');

		if (same(name, "max-age"))
			keep_for(answer, seconds(trim(directive)));
		else if (same(name, "no-store") || same(name, "no-cache"))
			keep_for(answer, 0);
	}
}

/* How old it was when it was sent: less is left of its time. Caches send it behind max-age. */
static void take_age(struct net_answer *answer, struct span value)
{
	int64_t age = seconds(value);

	if (age > 0)
		answer->age_s = age;
}

static void take_etag(struct net_answer *answer, struct span value)
{
	if (value.n > NET_ETAG_MAX)
		return;
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] <= ' ' || value.p[i] > '~')
			return;
	memcpy(answer->etag, value.p, value.n);
	answer->etag[value.n] = '\0';
}

static const struct {
	const char *name;
	void (*take)(struct net_answer *answer, struct span value);
} HEADERS[] = {
	{"etag", take_etag},
	{"cache-control", take_cache_control},
	{"age", take_age},
};

void net_header_take(struct net_answer *answer, struct span line)
{
	struct span name;

	if (line.n >= 5 && !memcmp(line.p, "HTTP/", 5)) {
		answer->etag[0] = '\0';
		answer->max_age_s = -1;
		answer->age_s = 0;
		return;
	}
	if (!line.n || !memchr(line.p, ':', line.n))
		return;
	name = cut(&line, ':');
	for (size_t i = 0; i < ARRAY_SIZE(HEADERS); i++)
		if (same(name, HEADERS[i].name))
			HEADERS[i].take(answer, trim(line));
}
