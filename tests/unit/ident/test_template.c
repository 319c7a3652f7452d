#include "ident/labels.h"
#include "ident/template.h"
#include "tests/unit/ident/suites.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define WHY 160
#define A63 "a23456789012345678901234567890123456789012345678901234567890abc"

static const struct {
	const char *label;
	int r;
	const char *why; /* a part of the sentence */
} PARSED[] = {
	{"team={claims.team}", 0, NULL},
	{"k8s:team=t-{claims.a.b.c}-x", 0, NULL},
	{"oidc:team={claims['https://example.com/team']}", 0, NULL},
	{"team={claims.a['b.c'].d}", 0, NULL},
	{"team={claims.team|lower|slug}", 0, NULL},
	{"team={claims['a|b']|lower}", 0, NULL},
	{"team={actor.sub}", 0, NULL}, /* an actor's is the name of a program */
	{"team={claims.sub.x}", 0, NULL},
	{"team={provider}", 0, NULL},
	{"team={claims.a.b.c.d.e.f.g.h}", 0, NULL},

	{"team={claims.team", -EINVAL, "from '{' to '}'"},
	{"team=claims.team}", -EINVAL, "from '{' to '}'"},
	{"team={claims.a}{claims.b}", -EINVAL, "one place"},
	{"{claims.team}=x", -EINVAL, "a value has one place"},
	{"team{claims.team}", -EINVAL, "a value has one place"},
	{"team={}", -EINVAL, "begins with claims"},
	{"team={token.team}", -EINVAL, "begins with claims"},
	{"team={claims}", -EINVAL, "claims.NAME"},
	{"team={claims.}", -EINVAL, "claims.NAME"},
	{"team={claims.a..b}", -EINVAL, "claims.NAME"},
	{"team={claims['']}", -EINVAL, "claims.NAME"},
	{"team={claims['a}", -EINVAL, "claims.NAME"},
	{"team={claims['a']b}", -EINVAL, "claims.NAME"},
	{"team={claims[a]}", -EINVAL, "claims.NAME"},
	{"team={claims.a.b.c.d.e.f.g.h.i}", -EINVAL, "claims.NAME"},
	{"team={claims.team|upper}", -EINVAL, "'lower' or 'slug'"},
	{"team={provider.x}", -EINVAL, "nothing behind"},
	{"team={claims.sub}", -EINVAL, "identity is for a role"},
	{"team={claims.jti}", -EINVAL, "identity is for a role"},
	{"team={claims['sid']}", -EINVAL, "identity is for a role"},
	{"team={claims.nonce|slug}", -EINVAL, "identity is for a role"},
	{"te am={claims.team}", -EINVAL, "key's name"},
	{"reserved:team={claims.team}", -EINVAL, "Cilium's own"},
	{"team=-{claims.team}", -EINVAL, "value"},
	{"team={claims.team};x=y", -EINVAL, "value"},
	{"app={claims.team}", -EEXIST, "two labels"},
};

START_TEST(parsed)
{
	/* Goal: what a place may be, and a sentence for each mistake. */
	const char *labels[] = {PARSED[_i].label, "k8s:app=x"};
	struct ident_template *template = NULL;
	char why[WHY] = "";
	int r = ident_template_new(labels, 2, &template, why);

	ck_assert_msg(r == PARSED[_i].r, "%d, %s", r, why);
	ck_assert_int_eq(template != NULL, !r);
	if (r)
		ck_assert_msg(strstr(why, PARSED[_i].why), "%s", why);
	ident_template_free(template);
}
END_TEST

START_TEST(is)
{
	/* Goal: one place in one label makes the set a template. */
	const char *const plain[] = {"a=b", "k8s:c=d"};
	const char *const one[] = {"a=b", "c={claims.d}"};

	ck_assert(!ident_template_is(plain, 2));
	ck_assert(ident_template_is(one, 2));
	ck_assert(!ident_template_is(one, 1));
}
END_TEST

/* The claims of whoever is asked about. */
#define CLAIMS                                                                                     \
	"{\"team\": \"Red.1\", \"n\": 42, \"yes\": true, \"no\": false, \"half\": 1.5, "           \
	"\"list\": [\"a\"], \"object\": {\"in\": \"side\"}, \"null\": null, \"empty\": \"\", "     \
	"\"spaces\": \"  Blue   Team!! \", \"semi\": \"a;b\", \"nul\": \"a\\u0000b\", "            \
	"\"tab\": \"a\\tb\", \"utf\": \"M\\u00fcnchen\", \"dots\": \"---\", \"mail\": \"a@b.c\", " \
	"\"a63\": \"" A63 "\", \"a64\": \"" A63 "d\", \"x.y/z\": \"url\", "                        \
	"\"dash\": \"-a\", \"hasgroups\": true, \"eq\": \"a=b\"}"

static const struct {
	const char *label;
	enum ident_fit fit;
	const char *want; /* the value, or a part of the fault */
} RENDERED[] = {
	{"k={claims.team}", IDENT_FIT, "Red.1"},
	{"k={claims.team|lower}", IDENT_FIT, "red.1"},
	{"k=a-{claims.team}-z", IDENT_FIT, "a-Red.1-z"},
	{"k={claims.n}", IDENT_FIT, "42"},
	{"k={claims.yes}", IDENT_FIT, "true"},
	{"k={claims.no}", IDENT_FIT, "false"},
	{"k={claims.object.in}", IDENT_FIT, "side"},
	{"k={claims['x.y/z']}", IDENT_FIT, "url"},
	{"k={claims.a63}", IDENT_FIT, A63},
	{"k={actor.client}", IDENT_FIT, "agent-7"},
	{"k={provider}", IDENT_FIT, "corp"},
	{"k={claims.spaces|slug}", IDENT_FIT, "Blue-Team"},
	{"k={claims.spaces|slug|lower}", IDENT_FIT, "blue-team"},
	{"k={claims.semi|slug}", IDENT_FIT, "a-b"},
	{"k={claims.nul|slug}", IDENT_FIT, "a-b"},
	{"k={claims.utf|slug}", IDENT_FIT, "M-nchen"},
	{"k={claims.mail|slug}", IDENT_FIT, "a-b.c"},

	{"k={claims.absent}", IDENT_FIT_ABSENT, "no such claim"},
	{"k={claims.null}", IDENT_FIT_ABSENT, "no such claim"},
	{"k={claims.team.x}", IDENT_FIT_ABSENT, "no such claim"},
	{"k={actor.none}", IDENT_FIT_ABSENT, "no such claim"},
	{"k={claims.groups}", IDENT_FIT_UNSAID, "left the claim out"},
	{"k={claims.half}", IDENT_FIT_NOT, "no text, whole number"},
	{"k={claims.list}", IDENT_FIT_NOT, "no text, whole number"},
	{"k={claims.object}", IDENT_FIT_NOT, "no text, whole number"},
	{"k={claims.empty}", IDENT_FIT_NOT, "empty"},
	{"k=a{claims.empty}b", IDENT_FIT_NOT, "empty"},
	{"k={claims.spaces}", IDENT_FIT_NOT, "must be letters"},
	{"k={claims.semi}", IDENT_FIT_NOT, "must be letters"},
	{"k={claims.eq}", IDENT_FIT_NOT, "must be letters"},
	{"k={claims.nul}", IDENT_FIT_NOT, "must be letters"},
	{"k={claims.tab}", IDENT_FIT_NOT, "must be letters"},
	{"k={claims.utf}", IDENT_FIT_NOT, "must be letters"},
	{"k={claims.mail}", IDENT_FIT_NOT, "must be letters"},
	{"k={claims.dash}", IDENT_FIT_NOT, "must be letters"},
	{"k={claims.a64}", IDENT_FIT_NOT, "longer than 63"},
	{"k=a{claims.a63}", IDENT_FIT_NOT, "longer than 63"},
	{"k={claims.dots|slug}", IDENT_FIT_NOT, "nothing of the claim"},
};

START_TEST(rendered)
{
	/* Goal: the rule for values, from a claim to a label or to why it is none. */
	const char *labels[] = {"k8s:z=last", RENDERED[_i].label, "oidc:a=first"};
	cleanup(ident_template) struct ident_template *template = NULL;
	struct ident_caller caller = {.provider = "corp",
		.claims = json_loads(CLAIMS, JSON_ALLOW_NUL, NULL),
		.actor = json_pack("{s:s}", "client", "agent-7")};
	struct ident_misfit misfit = {0};
	char why[WHY] = "", text[512], want[512];
	struct wr out = wr_of(text, sizeof(text));

	ck_assert_ptr_nonnull(caller.claims);
	ck_assert_msg(!ident_template_new(labels, 3, &template, why), "%s", why);
	ck_assert_int_eq(ident_template_render(template, &caller, &out, &misfit), RENDERED[_i].fit);
	if (RENDERED[_i].fit == IDENT_FIT) {
		snprintf(
			want, sizeof(want), "oidc:a=first;k8s:k=%s;k8s:z=last;", RENDERED[_i].want);
		ck_assert_msg(span_is((struct span){text, wr_len(&out)}, want), "%.*s",
			(int)wr_len(&out), text);
		ck_assert_int_eq(ident_labels_check(want), 0);
	} else {
		ck_assert_uint_eq(wr_len(&out), 0);
		ck_assert_str_eq(misfit.label, RENDERED[_i].label);
		ck_assert_msg(strstr(misfit.fault, RENDERED[_i].want), "%s", misfit.fault);
	}
	json_decref((json_t *)caller.claims);
	json_decref((json_t *)caller.actor);
}
END_TEST

START_TEST(no_room)
{
	/* Goal: without room for all nothing is written, whatever the room. */
	const char *labels[] = {"a={claims.x}", "b=c"};
	cleanup(ident_template) struct ident_template *template = NULL;
	json_t *claims = json_pack("{s:s}", "x", "y");
	const struct ident_caller caller = {.claims = claims};
	struct ident_misfit misfit;
	char why[WHY], text[32];

	ck_assert_int_eq(ident_template_new(labels, 2, &template, why), 0);
	for (size_t n = 0; n <= 16; n++) {
		struct wr out = wr_of(text, n);

		ck_assert_int_eq(ident_template_render(template, &caller, &out, &misfit),
			n < 16 ? IDENT_FIT_NOT : IDENT_FIT);
		ck_assert_uint_eq(wr_len(&out), n < 16 ? 0 : 16);
	}
	json_decref(claims);
}
END_TEST

START_TEST(sample)
{
	/* Goal: for tools without a caller a label has what stands in its place. */
	char buf[64];

	ck_assert_int_eq(ident_template_sample("team={claims.team|lower}", buf, sizeof(buf)), 0);
	ck_assert_str_eq(buf, "team=claims.team-lower");
	ck_assert_int_eq(ident_template_sample("t=a-{claims['x/y']}-b", buf, sizeof(buf)), 0);
	ck_assert_str_eq(buf, "t=a-claims-x-y-b");
	ck_assert_int_eq(ident_template_sample("k8s:a=b", buf, sizeof(buf)), 0);
	ck_assert_str_eq(buf, "k8s:a=b");
	for (size_t n = 0; n < 23; n++)
		ck_assert_int_eq(
			ident_template_sample("team={claims.team|lower}", buf, n), -ENAMETOOLONG);
}
END_TEST

static unsigned roll(unsigned below)
{
	static uint64_t state = 7;

	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(state >> 33) % below;
}

START_TEST(never_one_for_two)
{
	/* Goal: any bytes as a claim make a label of exactly these bytes, or none; 20,000 of them. */
	const char *labels[] = {"a={claims.x}", "b=c"};
	cleanup(ident_template) struct ident_template *template = NULL;
	unsigned fits = 0;
	char why[WHY];

	ck_assert_int_eq(ident_template_new(labels, 2, &template, why), 0);
	for (int i = 0; i < 20000; i++) {
		static const char BYTES[] = "abcXYZ019-_.;=: \n\x01{}";
		char claim[70], text[512], want[128];
		size_t n = roll(4) ? 1 + roll(5) : roll(68);
		struct wr out = wr_of(text, sizeof(text));
		struct ident_caller caller = {0};
		struct ident_misfit misfit;
		json_t *claims;

		for (size_t k = 0; k < n; k++)
			claim[k] = BYTES[roll(sizeof(BYTES) - 1)];
		claims = json_pack("{s:s%}", "x", claim, n);
		caller.claims = claims;
		if (ident_template_render(template, &caller, &out, &misfit) == IDENT_FIT) {
			fits++;
			snprintf(want, sizeof(want), "k8s:a=%.*s;k8s:b=c;", (int)n, claim);
			ck_assert(span_is((struct span){text, wr_len(&out)}, want));
			ck_assert_int_eq(ident_labels_check(want), 0);
		} else {
			ck_assert(!n || ident_label_value_fault((struct span){claim, n}));
		}
		json_decref(claims);
	}
	ck_assert_uint_gt(fits, 500);
}
END_TEST

Suite *template_suite(void)
{
	Suite *suite = suite_create("template");
	TCase *tc = tcase_create("template");

	tcase_add_loop_test(tc, parsed, 0, ARRAY_SIZE(PARSED));
	tcase_add_test(tc, is);
	tcase_add_loop_test(tc, rendered, 0, ARRAY_SIZE(RENDERED));
	tcase_add_test(tc, no_room);
	tcase_add_test(tc, sample);
	tcase_add_test(tc, never_one_for_two);
	suite_add_tcase(suite, tc);
	return suite;
}
