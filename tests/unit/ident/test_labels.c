#include "base/mem.h"
#include "base/span.h"
#include "ident/labels.h"
#include "tests/unit/ident/suites.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define WHY 160

/* Linked with --wrap=strndup, the room's only allocation. */
static bool no_memory;
char *__real_strndup(const char *s, size_t n);
char *__wrap_strndup(const char *s, size_t n);

char *__wrap_strndup(const char *s, size_t n)
{
	return no_memory ? NULL : __real_strndup(s, n);
}

#define A63  "a23456789012345678901234567890123456789012345678901234567890abc"
#define A64  A63 "d"
#define D50  "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.yz"
#define D253 D50 D50 D50 D50 D50 "abc"

static const struct {
	const char *text;
	int r;
	const char *source, *key, *value; /* r 0 */
	const char *why;                  /* a part of the sentence */
} LABELS[] = {
	{"k8s:app=web", 0, "k8s", "app", "web", NULL},
	{"app=web", 0, "k8s", "app", "web", NULL},
	{"app", 0, "k8s", "app", "", NULL},
	{"app=", 0, "k8s", "app", "", NULL},
	{"oidc:app", 0, "oidc", "app", "", NULL},
	{"Oidc9:App_1.x-y=V_1.x-y", 0, "Oidc9", "App_1.x-y", "V_1.x-y", NULL},
	{"k8s:io.kubernetes.pod.namespace=shop", 0, "k8s", "io.kubernetes.pod.namespace", "shop",
		NULL},
	{"app.kubernetes.io/name=web", 0, "k8s", "app.kubernetes.io/name", "web", NULL},
	{"k8s:0-0.x--y/Z=9", 0, "k8s", "0-0.x--y/Z", "9", NULL},
	{"k8s:" A63 "=" A63, 0, "k8s", A63, A63, NULL},
	{"k8s:" D253 "/" A63 "=x", 0, "k8s", D253 "/" A63, "x", NULL},

	{"", -EINVAL, NULL, NULL, NULL, "key's name"},
	{"=x", -EINVAL, NULL, NULL, NULL, "key's name"},
	{"k8s:=x", -EINVAL, NULL, NULL, NULL, "key's name"},
	{":app=x", -EINVAL, NULL, NULL, NULL, "source"},
	{"k8-s:app=x", -EINVAL, NULL, NULL, NULL, "source"},
	{"k8s :app=x", -EINVAL, NULL, NULL, NULL, "source"},
	{"k8s::app=x", -EINVAL, NULL, NULL, NULL, "key's name"},
	{"k8s:a:b=x", -EINVAL, NULL, NULL, NULL, "key's name"},
	{"k8s:-a=x", -EINVAL, NULL, NULL, NULL, "key's name"},
	{"k8s:a-=x", -EINVAL, NULL, NULL, NULL, "key's name"},
	{"k8s:.a=x", -EINVAL, NULL, NULL, NULL, "key's name"},
	{"k8s:a_=x", -EINVAL, NULL, NULL, NULL, "key's name"},
	{"k8s:a b=x", -EINVAL, NULL, NULL, NULL, "key's name"},
	{"k8s:a;b=x", -EINVAL, NULL, NULL, NULL, "key's name"},
	{"k8s:a\tb=x", -EINVAL, NULL, NULL, NULL, "a?b"},
	{"k8s:\xc3\xa4=x", -EINVAL, NULL, NULL, NULL, "key's name"},
	{"k8s:" A64 "=x", -EINVAL, NULL, NULL, NULL, "longer than 63"},
	{"k8s:/a=x", -EINVAL, NULL, NULL, NULL, "DNS"},
	{"k8s:x.y/=x", -EINVAL, NULL, NULL, NULL, "key's name"},
	{"k8s:x/y/z=x", -EINVAL, NULL, NULL, NULL, "key's name"},
	{"k8s:X.y/z=x", -EINVAL, NULL, NULL, NULL, "DNS"},
	{"k8s:x_y/z=x", -EINVAL, NULL, NULL, NULL, "DNS"},
	{"k8s:x..y/z=x", -EINVAL, NULL, NULL, NULL, "DNS"},
	{"k8s:x.-y/z=x", -EINVAL, NULL, NULL, NULL, "DNS"},
	{"k8s:x-.y/z=x", -EINVAL, NULL, NULL, NULL, "DNS"},
	{"k8s:x-/z=x", -EINVAL, NULL, NULL, NULL, "DNS"},
	{"k8s:x./z=x", -EINVAL, NULL, NULL, NULL, "DNS"},
	{"k8s:-x/z=x", -EINVAL, NULL, NULL, NULL, "DNS"},
	{"k8s:" D253 "e/z=x", -EINVAL, NULL, NULL, NULL, "longer than 253"},
	{"k8s:a=" A64, -EINVAL, NULL, NULL, NULL, "longer than 63"},
	{"k8s:a=-x", -EINVAL, NULL, NULL, NULL, "value"},
	{"k8s:a=x.", -EINVAL, NULL, NULL, NULL, "value"},
	{"k8s:a=x=y", -EINVAL, NULL, NULL, NULL, "value"},
	{"k8s:a=x;", -EINVAL, NULL, NULL, NULL, "value"},
	{"k8s:a=x;k8s:b=y", -EINVAL, NULL, NULL, NULL, "value"},
	{"k8s:a=b:c", -EINVAL, NULL, NULL, NULL, "value"},
	{"a=b:c", -EINVAL, NULL, NULL, NULL, "value"},
	{"k8s:a= x", -EINVAL, NULL, NULL, NULL, "value"},
	{"k8s:a=x\n", -EINVAL, NULL, NULL, NULL, "value"},
	{"k8s:a=x\x7f", -EINVAL, NULL, NULL, NULL, "value"},
	{"k8s:a=auth0|abc", -EINVAL, NULL, NULL, NULL, "value"},
	{"k8s:a=me@example.org", -EINVAL, NULL, NULL, NULL, "value"},
	{"k8s:a=x/y", -EINVAL, NULL, NULL, NULL, "value"},

	{"reserved:host", -EINVAL, NULL, NULL, NULL, "source reserved"},
	{"cidr:10.0.0.0/8", -EINVAL, NULL, NULL, NULL, "source cidr "},
	{"cidrgroup:x", -EINVAL, NULL, NULL, NULL, "source cidrgroup"},
	{"fqdn:x", -EINVAL, NULL, NULL, NULL, "source fqdn"},
	{"any:x", -EINVAL, NULL, NULL, NULL, "source any"},
	{"unspec:x", -EINVAL, NULL, NULL, NULL, "source unspec"},
	{"anyone:x", 0, "anyone", "x", "", NULL},
};

START_TEST(parse)
{
	/* Goal: one label follows the rules of Kubernetes and names what breaks them. */
	struct ident_label label = {.source = "untouched"};
	char buf[512];
	char why[WHY] = "";
	int r = ident_label_parse(LABELS[_i].text, buf, sizeof(buf), &label, why);

	ck_assert_msg(r == LABELS[_i].r, "\"%s\": %d, %s", LABELS[_i].text, r, why);
	if (r) {
		ck_assert_msg(strstr(why, LABELS[_i].why), "%s", why);
		ck_assert_str_eq(label.source, "untouched");
		return;
	}
	ck_assert_str_eq(label.source, LABELS[_i].source);
	ck_assert_str_eq(label.key, LABELS[_i].key);
	ck_assert_str_eq(label.value, LABELS[_i].value);
}
END_TEST

START_TEST(parse_buffer)
{
	/* Goal: a label fits a buffer of exactly its size and no smaller one. */
	struct ident_label label = {.source = "untouched"};
	const char text[] = "app=web"; /* k8s 0 app 0 web 0: 12 bytes */
	char why[WHY];

	for (size_t size = 0; size < 12; size++) {
		cleanup(free) char *buf = malloc(size ? size : 1);

		ck_assert_int_eq(ident_label_parse(text, buf, size, &label, why), -ENAMETOOLONG);
		ck_assert_str_eq(label.source, "untouched");
	}
	cleanup(free) char *buf = malloc(12);
	ck_assert_int_eq(ident_label_parse(text, buf, 12, &label, why), 0);
	ck_assert_str_eq(label.value, "web");
}
END_TEST

START_TEST(why_is_text)
{
	/* Goal: a sentence is printable and ends, for every byte and for long labels. */
	char text[600];
	char why[WHY];
	char buf[1024];
	struct ident_label label;

	for (int c = 1; c < 256; c++) {
		memset(text, c, sizeof(text) - 1);
		text[sizeof(text) - 1] = '\0';
		memset(why, 1, sizeof(why));
		ck_assert_int_eq(ident_label_parse(text, buf, sizeof(buf), &label, why), -EINVAL);
		ck_assert_ptr_nonnull(memchr(why, 0, sizeof(why)));
		for (const char *p = why; *p; p++)
			ck_assert(*p >= 0x20 && *p < 0x7f);
	}
}
END_TEST

/* What Cilium's SortedList gives for these labels, byte for byte. */
static const struct {
	struct ident_label labels[5];
	size_t n;
	const char *text;
} GOLDEN[] = {
	{{{"k8s", "io.kubernetes.pod.namespace", "bar"}, {"k8s", "app", "baz"},
		 {"k8s", "io.cilium.k8s.policy.cluster", "cluster3"}},
		3,
		"k8s:app=baz;k8s:io.cilium.k8s.policy.cluster=cluster3;"
		"k8s:io.kubernetes.pod.namespace=bar;"},
	{{{"k8s", "app", "frontend"}, {"k8s", "io.cilium.k8s.policy.cluster", "default"},
		 {"k8s", "io.kubernetes.pod.namespace", "shop"}},
		3,
		"k8s:app=frontend;k8s:io.cilium.k8s.policy.cluster=default;"
		"k8s:io.kubernetes.pod.namespace=shop;"},
	{{{"reserved", "host", ""}}, 1, "reserved:host=;"},
	/* by key, not by source */
	{{{"a", "z", "1"}, {"z", "a", "1"}}, 2, "z:a=1;a:z=1;"},
	{{{"reserved", "world", ""}, {"cidr", "10.0.0.0/8", ""}}, 2,
		"cidr:10.0.0.0/8=;reserved:world=;"},
	/* bytewise: '-' '.' '/' digits, capitals, '_', small letters; a prefix first */
	{{{"k8s", "a_b", ""}, {"k8s", "a/b", ""}, {"k8s", "a.b", ""}, {"k8s", "a-b", ""},
		 {"k8s", "a", ""}},
		5, "k8s:a=;k8s:a-b=;k8s:a.b=;k8s:a/b=;k8s:a_b=;"},
	{{{"k8s", "b", "1"}, {"k8s", "B", "2"}, {"k8s", "9", "3"}, {"k8s", "aB", "4"},
		 {"k8s", "ab", "5"}},
		5, "k8s:9=3;k8s:B=2;k8s:aB=4;k8s:ab=5;k8s:b=1;"},
	/* the separators do not take part in the order */
	{{{"k8s", "app1", "x"}, {"k8s", "app", "y"}, {"k8s", "app-2", "z"}}, 3,
		"k8s:app=y;k8s:app-2=z;k8s:app1=x;"},
};

START_TEST(golden)
{
	/* Goal: the canonical text is Cilium's, and passes its own check. */
	cleanup(free) char *text = NULL;
	char why[WHY];

	ck_assert_int_eq(ident_labels_canonical(GOLDEN[_i].labels, GOLDEN[_i].n, &text, why), 0);
	ck_assert_str_eq(text, GOLDEN[_i].text);
	ck_assert_int_eq(ident_labels_check(text), 0);
}
END_TEST

static const struct {
	struct ident_label labels[3];
	size_t n;
	int r;
	const char *why;
} REFUSED[] = {
	{{{"", "", ""}}, 0, -EINVAL, "at least one"},
	{{{"k8s", "a", "1"}, {"k8s", "a", "2"}}, 2, -EEXIST, "\"a\""},
	{{{"k8s", "a", "1"}, {"k8s", "a", "1"}}, 2, -EEXIST, "\"a\""},
	{{{"k8s", "role", "a"}, {"k8s", "x", ""}, {"oidc", "role", "b"}}, 3, -EEXIST, "\"role\""},
	{{{"k8s", "a", "1"}, {"k8s", "b;k8s:c", "1"}}, 2, -EINVAL, "b;k8s:c"},
	{{{"k8s", "a", "1;k8s:c=2"}}, 1, -EINVAL, "value"},
	{{{"k8s", "a=b", "1"}}, 1, -EINVAL, "key"},
	{{{"k8s:x", "a", "1"}}, 1, -EINVAL, "source"},
	{{{"", "a", "1"}}, 1, -EINVAL, "source"},
};

START_TEST(canonical_refuses)
{
	/* Goal: what could be read in two ways, or collides, never becomes a canonical text. */
	char *text = NULL;
	char why[WHY] = "";
	int r = ident_labels_canonical(REFUSED[_i].labels, REFUSED[_i].n, &text, why);

	ck_assert_int_eq(r, REFUSED[_i].r);
	ck_assert_msg(strstr(why, REFUSED[_i].why), "%s", why);
	ck_assert_ptr_null(text);
}
END_TEST

struct many {
	struct ident_label labels[IDENT_LABELS_MAX + 1];
	char keys[IDENT_LABELS_MAX + 1][320];
};

/* n labels whose keys have this many bytes; "k8s:" + key + "=;". */
static void make_many(struct many *many, size_t n, size_t key_size)
{
	for (size_t i = 0; i < n; i++) {
		memset(many->keys[i], 'a', key_size);
		if (key_size > 63)
			many->keys[i][key_size - 64] = '/';
		snprintf(many->keys[i] + key_size - 3, 4, "%03zu", n - i);
		many->labels[i] = (struct ident_label){"k8s", many->keys[i], ""};
	}
}

START_TEST(caps)
{
	/* Goal: the most labels and the longest text are taken, one more is refused. */
	struct many many;
	char *text = NULL;
	char why[WHY];

	make_many(&many, IDENT_LABELS_MAX, 58); /* 64 labels of 64 bytes: 4096 */
	ck_assert_int_eq(ident_labels_canonical(many.labels, IDENT_LABELS_MAX, &text, why), 0);
	ck_assert_uint_eq(strlen(text), IDENT_LABELS_TEXT_MAX);
	ck_assert_int_eq(ident_labels_check(text), 0);
	free(text);
	text = NULL;
	many.labels[3].value = "x";
	ck_assert_int_eq(ident_labels_canonical(many.labels, IDENT_LABELS_MAX, &text, why), -E2BIG);
	ck_assert_ptr_null(text);
	make_many(&many, IDENT_LABELS_MAX + 1, 4);
	ck_assert_int_eq(
		ident_labels_canonical(many.labels, IDENT_LABELS_MAX + 1, &text, why), -E2BIG);
	ck_assert_ptr_null(text);
	make_many(&many, 13, 317);
	ck_assert_int_eq(ident_labels_canonical(many.labels, 13, &text, why), -E2BIG);
	ck_assert_int_eq(ident_labels_canonical(many.labels, 12, &text, why), 0);
	ck_assert_int_eq(ident_labels_check(text), 0);
	free(text);
}
END_TEST

START_TEST(check_caps)
{
	/* Goal: the check knows the same caps as the writer. */
	char text[IDENT_LABELS_TEXT_MAX + 32];
	size_t n = 0;

	for (int i = 0; i <= IDENT_LABELS_MAX; i++) {
		if (i == IDENT_LABELS_MAX)
			ck_assert_int_eq(ident_labels_check(text), 0);
		n += (size_t)snprintf(text + n, sizeof(text) - n, "k8s:a%02d=;", i);
	}
	ck_assert_int_eq(ident_labels_check(text), -E2BIG);
	/* a long source is the only way to a long text of few labels */
	memset(text, 's', sizeof(text));
	memcpy(text + IDENT_LABELS_TEXT_MAX - 4, ":a=;", 5);
	ck_assert_int_eq(ident_labels_check(text), 0);
	memset(text, 's', sizeof(text));
	memcpy(text + IDENT_LABELS_TEXT_MAX - 3, ":a=;", 5);
	ck_assert_int_eq(ident_labels_check(text), -E2BIG);
}
END_TEST

static const char *const NOT_CANONICAL[] = {
	"",
	";",
	"k8s:a=1",
	"a=1;",
	":a=1;",
	"k8s:=1;",
	"k8s:a;",
	"k8s:a=1;;",
	";k8s:a=1;",
	"k8s:a=1; ",
	" k8s:a=1;",
	"k8s:b=1;k8s:a=1;",
	"k8s:a=1;k8s:a=1;",
	"k8s:a=1;oidc:a=2;",
	"k8s:a=1;k8s:b=2",
	"k8s:a=1=2;",
	"k8s:a=1;k8s:b;",
	"k8s:a=1,k8s:b=2;",
	"k8s:ab=;k8s:a=;",
	"k8s:a=\n;",
	"k8s:a=-;",
	"k8s:a:b=1;",
	"k8s:A/b=1;",
};

START_TEST(check_refuses)
{
	/* Goal: nothing but the canonical form passes the check. */
	ck_assert_int_eq(ident_labels_check(NOT_CANONICAL[_i]), -EINVAL);
}
END_TEST

START_TEST(every_prefix)
{
	/* Goal: a strict prefix is canonical only where a label ends; nothing reads past the NUL. */
	const char *text = GOLDEN[0].text;
	long page = sysconf(_SC_PAGESIZE);
	char *map = mmap(
		NULL, 2 * (size_t)page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char why[WHY], buf[256];
	struct ident_label label;

	ck_assert_ptr_ne(map, MAP_FAILED);
	ck_assert_int_eq(mprotect(map + page, (size_t)page, PROT_NONE), 0);
	for (size_t n = 0; n <= strlen(text); n++) {
		char *at = map + page - n - 1;

		memcpy(at, text, n);
		at[n] = '\0';
		ck_assert_int_eq(ident_labels_check(at), n && at[n - 1] == ';' ? 0 : -EINVAL);
		/* the first label has 11 bytes; from the next one on it is not one label */
		int r = ident_label_parse(at, buf, sizeof(buf), &label, why);
		ck_assert_int_eq(r == 0, n && n <= 11 && n != 4);
	}
	munmap(map, 2 * (size_t)page);
}
END_TEST

START_TEST(out_of_memory)
{
	/* Goal: without memory there is an error and no text. */
	char *text = NULL;
	char why[WHY] = "";
	int r;

	no_memory = true;
	r = ident_labels_canonical(GOLDEN[0].labels, GOLDEN[0].n, &text, why);
	no_memory = false;
	ck_assert_int_eq(r, -ENOMEM);
	ck_assert_ptr_null(text);
	ck_assert_str_ne(why, "");
}
END_TEST

static uint64_t seed;

static unsigned roll(unsigned below)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % below;
}

static void fill(char *to, unsigned n, const char *inner)
{
	static const char ENDS[] = "abcxyzABCXYZ0189";

	for (unsigned i = 0; i < n; i++)
		to[i] = i == 0 || i == n - 1 ? ENDS[roll(sizeof(ENDS) - 1)]
					     : inner[roll((unsigned)strlen(inner))];
	to[n] = '\0';
}

struct random_set {
	char text[IDENT_LABELS_MAX][160];
	char parts[IDENT_LABELS_MAX][160];
	struct ident_label labels[IDENT_LABELS_MAX];
	size_t n;
};

static void random_set(struct random_set *set)
{
	char source[8], name[32], value[72];
	char why[WHY];

	set->n = 1 + roll(24);
	for (size_t i = 0; i < set->n; i++) {
		fill(source, 1 + roll(6), "abcXYZ059");
		fill(name, 1 + roll(4), "ab-_.Z0");
		fill(value, roll(64), "ab-_.Z0");
		snprintf(set->text[i], sizeof(set->text[i]), "%s:%s%s%zx=%s", source,
			roll(3) ? "" : "a.b-c/", name, i, value);
		ck_assert_int_eq(ident_label_parse(set->text[i], set->parts[i],
					 sizeof(set->parts[i]), &set->labels[i], why),
			0);
	}
}

static void shuffle(struct random_set *set)
{
	for (size_t i = set->n - 1; i > 0; i--) {
		size_t k = roll((unsigned)i + 1);
		struct ident_label swap = set->labels[i];

		set->labels[i] = set->labels[k];
		set->labels[k] = swap;
	}
}

/* Splits a canonical text into labels again, through the operator's own door. */
static size_t split(const char *text, char copy[IDENT_LABELS_TEXT_MAX + 1],
	char parts[IDENT_LABELS_MAX][160], struct ident_label *labels)
{
	char why[WHY];
	char *rest = copy;
	size_t n = 0;

	snprintf(copy, IDENT_LABELS_TEXT_MAX + 1, "%s", text);
	/* Every label ends with ';', so what is left at the end is nothing. */
	for (char *one; (one = strsep(&rest, ";")) && *one; n++)
		ck_assert_int_eq(ident_label_parse(one, parts[n], 160, &labels[n], why), 0);
	return n;
}

START_TEST(random_sets)
{
	/* Goal: for any set the text ignores the order, survives a round trip and checks. */
	static struct random_set set;
	static char copy[IDENT_LABELS_TEXT_MAX + 1];
	char why[WHY];

	seed = (uint64_t)_i * 7919 + 1;
	for (int round = 0; round < 500; round++) {
		cleanup(free) char *first = NULL;
		cleanup(free) char *second = NULL;
		cleanup(free) char *again = NULL;
		int r, n;

		random_set(&set);
		r = ident_labels_canonical(set.labels, set.n, &first, why);
		shuffle(&set);
		ck_assert_int_eq(ident_labels_canonical(set.labels, set.n, &second, why), r);
		if (r) {
			/* names are short, so keys collide now and then */
			ck_assert_int_eq(r, -EEXIST);
			continue;
		}
		ck_assert_str_eq(first, second);
		ck_assert_int_eq(ident_labels_check(first), 0);
		n = (int)split(first, copy, set.parts, set.labels);
		ck_assert_int_eq(n, (int)set.n);
		ck_assert_int_eq(ident_labels_canonical(set.labels, set.n, &again, why), 0);
		ck_assert_str_eq(first, again);
	}
}
END_TEST

enum { NEAR_MAX = 12 };

/* A random set: keys and values that are near to each other, sources that differ. */
struct near_set {
	char texts[NEAR_MAX][64];
	const char *labels[NEAR_MAX];
	size_t n;
};

static void make_near(struct near_set *set)
{
	static const char *const SOURCES[] = {"k8s:", "oidc:", "a1:", ""};
	static const char *const KEYS[] = {
		"a", "aa", "a-a", "a.a", "A", "b", "io.x/a", "io.x/b", "io-x/a", "z", "z0", "app"};

	set->n = 1 + roll(NEAR_MAX);
	for (size_t i = 0; i < set->n; i++) {
		snprintf(set->texts[i], sizeof(set->texts[i]), "%s%s=%.*s",
			SOURCES[roll(ARRAY_SIZE(SOURCES))], KEYS[roll(ARRAY_SIZE(KEYS))],
			(int)roll(4), "v9X");
		set->labels[i] = set->texts[i];
	}
}

static void mix(struct near_set *set)
{
	for (size_t i = set->n; i > 1; i--) {
		size_t k = roll((unsigned)i);
		const char *label = set->labels[i - 1];

		set->labels[i - 1] = set->labels[k];
		set->labels[k] = label;
	}
}

/* Takes a canonical text apart again, each label with its source. */
static size_t take_apart(const char *text, struct near_set *set)
{
	set->n = 0;
	for (const char *end; (end = strchr(text, ';')); text = end + 1) {
		snprintf(
			set->texts[set->n], sizeof(set->texts[0]), "%.*s", (int)(end - text), text);
		set->labels[set->n] = set->texts[set->n];
		set->n++;
	}
	return set->n;
}

START_TEST(any_set)
{
	/* Goal: for 20,000 random sets: canonical, whatever the order; apart and together again. */
	struct near_set set;
	unsigned good = 0;

	for (int i = 0; i < 20000; i++) {
		char *text = NULL, *again = NULL, *apart = NULL;
		char why[WHY] = "";
		size_t n;
		int r, r2;

		make_near(&set);
		n = set.n;
		r = ident_labels_of(set.labels, set.n, &text, why);
		mix(&set);
		r2 = ident_labels_of(set.labels, set.n, &again, why);
		ck_assert_int_eq(r, r2);
		ck_assert(r == 0 || r == -EEXIST);
		if (!r) {
			good++;
			ck_assert_str_eq(text, again);
			ck_assert_int_eq(ident_labels_check(text), 0);
			ck_assert_uint_eq(take_apart(text, &set), n);
			ck_assert_int_eq(ident_labels_of(set.labels, n, &apart, why), 0);
			ck_assert_str_eq(apart, text);
		}
		free(text);
		free(again);
		free(apart);
	}
	ck_assert_uint_gt(good, 1000);
}
END_TEST

/* Does a canonical text have a label with this key? */
static bool has_key(const char *text, const char *label)
{
	const char *key = strchr(label, ':') + 1;
	size_t n = (size_t)(strchr(key, '=') - key) + 1;

	for (const char *at = text, *end; (end = strchr(at, ';')); at = end + 1) {
		at = strchr(at, ':') + 1;
		if (!strncmp(at, key, n))
			return true;
	}
	return false;
}

START_TEST(any_union)
{
	/* Goal: a union is canonical, has every key once, and the first set's labels whole. */
	for (int i = 0; i < 20000; i++) {
		struct near_set a, b, got;
		char *first = NULL, *second = NULL;
		char why[WHY], text[IDENT_LABELS_TEXT_MAX + 1];
		struct wr out = wr_of(text, sizeof(text) - 1);

		make_near(&a);
		make_near(&b);
		if (!ident_labels_of(a.labels, a.n, &first, why) &&
			!ident_labels_of(b.labels, b.n, &second, why)) {
			ck_assert_int_eq(
				ident_labels_merge(span_of(first), span_of(second), &out), 0);
			text[wr_len(&out)] = '\0';
			ck_assert_int_eq(ident_labels_check(text), 0);
			for (size_t k = take_apart(first, &got); k-- > 0;)
				ck_assert(strstr(text, got.texts[k]));
			for (size_t k = take_apart(second, &got); k-- > 0;)
				ck_assert(has_key(text, got.texts[k]) &&
					  (has_key(first, got.texts[k]) ||
						  strstr(text, got.texts[k])));
			for (size_t k = take_apart(text, &got); k-- > 0;)
				ck_assert(strstr(first, got.texts[k]) ||
					  strstr(second, got.texts[k]));
		}
		free(first);
		free(second);
	}
}
END_TEST

START_TEST(union_too_large)
{
	/* Goal: a union beyond 64 labels is an error, and nothing is written. */
	char first[1024] = "", second[1024] = "", text[IDENT_LABELS_TEXT_MAX];
	struct wr out = wr_of(text, sizeof(text));

	for (int i = 0; i < 40; i++) {
		snprintf(first + strlen(first), 16, "k8s:a%02d=;", i);
		snprintf(second + strlen(second), 16, "k8s:b%02d=;", i);
	}
	ck_assert_int_eq(ident_labels_merge(span_of(first), span_of(second), &out), -E2BIG);
	ck_assert_uint_eq(wr_len(&out), 0);
	ck_assert_int_eq(ident_labels_merge(span_of(first), span_of(first), &out), 0);
	ck_assert(span_is((struct span){text, wr_len(&out)}, first));
}
END_TEST

START_TEST(golden_of_cilium)
{
	/* Goal: the bytes that Cilium itself wrote (reference: kvstore of a real allocator). */
	static const char *const BAZ[] = {"k8s:io.kubernetes.pod.namespace=bar", "k8s:app=baz",
		"k8s:io.cilium.k8s.policy.cluster=cluster3"};
	static const char *const SHOP[] = {"app=frontend", "k8s:io.kubernetes.pod.namespace=shop",
		"k8s:io.cilium.k8s.policy.cluster=default"};
	char why[WHY];
	char *text = NULL;

	ck_assert_int_eq(ident_labels_of(BAZ, 3, &text, why), 0);
	ck_assert_str_eq(text, "k8s:app=baz;k8s:io.cilium.k8s.policy.cluster=cluster3;"
			       "k8s:io.kubernetes.pod.namespace=bar;");
	free(text);
	ck_assert_int_eq(ident_labels_of(SHOP, 3, &text, why), 0);
	ck_assert_str_eq(text, "k8s:app=frontend;k8s:io.cilium.k8s.policy.cluster=default;"
			       "k8s:io.kubernetes.pod.namespace=shop;");
	free(text);
}
END_TEST

Suite *labels_suite(void)
{
	Suite *suite = suite_create("labels");
	TCase *tc = tcase_create("labels");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, parse, 0, ARRAY_SIZE(LABELS));
	tcase_add_test(tc, parse_buffer);
	tcase_add_test(tc, why_is_text);
	tcase_add_loop_test(tc, golden, 0, ARRAY_SIZE(GOLDEN));
	tcase_add_loop_test(tc, canonical_refuses, 0, ARRAY_SIZE(REFUSED));
	tcase_add_test(tc, caps);
	tcase_add_test(tc, check_caps);
	tcase_add_loop_test(tc, check_refuses, 0, ARRAY_SIZE(NOT_CANONICAL));
	tcase_add_test(tc, every_prefix);
	tcase_add_test(tc, out_of_memory);
	tcase_add_loop_test(tc, random_sets, 0, 8);
	tcase_add_test(tc, any_set);
	tcase_add_test(tc, any_union);
	tcase_add_test(tc, union_too_large);
	tcase_add_test(tc, golden_of_cilium);
	suite_add_tcase(suite, tc);
	return suite;
}
