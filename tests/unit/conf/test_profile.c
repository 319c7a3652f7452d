/* The table itself is looked at, so its file is included here. */
#include "conf/profile.c"

#include "conf/conf.h"
#include "conf/table.h"
#include "say.h"
#include "suites.h"

static bool is_word(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = words; (at = strstr(at, word)); at += n)
		if ((at == words || at[-1] == ' ') && (at[n] == ' ' || !at[n]))
			return true;
	return false;
}

static bool is_key(const char *name)
{
	for (size_t i = 0; i < conf_table_provider.n_keys; i++)
		if (!strcmp(conf_table_provider.keys[i].name, name))
			return true;
	return false;
}

START_TEST(presets_are_keys)
{
	/* Each row presets a key that there is, once, for a profile that there is. */
	for (size_t i = 0; i < ARRAY_SIZE(PRESETS); i++) {
		const struct preset *p = &PRESETS[i];

		ck_assert_msg(is_word(CONF_PROFILES, p->profile), "%s", p->profile);
		ck_assert_msg(is_key(p->key), "%s: %s", p->profile, p->key);
		ck_assert_msg(find(p->profile, p->key) == p->value, "%s: %s is there twice",
			p->profile, p->key);
		ck_assert_str_ne(p->key, "name");
		ck_assert_str_ne(p->key, "profile");
	}
}
END_TEST

static const struct {
	const char *provider;
	const char *jwks_uri; /* NULL: none */
} WRITTEN[] = {
	{"profile: google", "https://www.googleapis.com/oauth2/v3/certs"},
	{"profile: google, jwks_uri: https://h/k", "https://h/k"},
	{"profile: google, jwks_file: /k", NULL},
	{"profile: google, pem_uri: https://h/", NULL},
	{"profile: google, algorithms: HS256, secret_file: /s", NULL},
	{"profile: cloudflare-access, issuer: https://t.cloudflareaccess.com",
		"https://t.cloudflareaccess.com/cdn-cgi/access/certs"},
	{"profile: none, issuer: https://h", NULL},
	{"issuer: https://h", NULL},
};

START_TEST(written_keys_win)
{
	/* A key that is written, or excludes a preset one, is the operator's. */
	char text[512];

	snprintf(text, sizeof(text),
		"version: 1\nlisten: [{tcp: 127.0.0.1:1}]\n"
		"providers: [{name: p, audiences: [a], %s}]\n"
		"roles: [{name: r, labels: [a=b]}]\n",
		WRITTEN[_i].provider);

	struct conf *conf = say_good(text);

	ck_assert_pstr_eq(conf->providers[0].jwks_uri, WRITTEN[_i].jwks_uri);
	conf_free(conf);
}
END_TEST

START_TEST(mistakes_stand_where_they_are)
{
	/* What a preset makes of the file's own issuer is the file's mistake, at the provider. */
	ck_assert_str_eq(say_conf("version: 1\nlisten: [{tcp: 127.0.0.1:1}]\n"
				  "providers: [{name: p, audiences: [a], profile: "
				  "cloudflare-access, issuer: 'https://a b'}]\n"
				  "roles: [{name: r, labels: [a=b]}]\n"),
		"f:3:13: 'jwks_uri' holds a character that a URL cannot have\n"
		"f:3:75: 'issuer' holds a character that a URL cannot have\n");
}
END_TEST

SUITE(profile, ONE(presets_are_keys), EACH(written_keys_win, WRITTEN),
	ONE(mistakes_stand_where_they_are))
