#include "conf/spoe.h"
#include "fail.h"
#include "say.h"
#include "suites.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* An agent that lacks nothing, but for what a test puts or leaves out. */
#define HEAD    "[identityd]\nspoe-agent identityd\n"
#define GROUPS  "\tgroups identify\n"
#define PREFIX  "\toption var-prefix ident\n"
#define RETRY   "\toption continue-on-error\n\toption set-on-error err\n"
#define TIMEOUT "\ttimeout processing 200ms\n"
#define REST                                                                                       \
	"spoe-group identify\n\tmessages identify\nspoe-message identify\n\targs token=str(x)\n"

#define BELOW                                                                                      \
	"'timeout processing' must be above identityd's spop.deadline, which is 150ms: HAProxy "   \
	"would give up before the answer\n"

static const struct say_row ROWS[] = {
	{HEAD GROUPS PREFIX RETRY TIMEOUT REST, ""},
	{HEAD GROUPS PREFIX RETRY "\ttimeout processing 151\n" REST,
		""}, /* ms goes without saying */
	{HEAD GROUPS PREFIX RETRY "\ttimeout processing 150001us\n" REST, ""},
	{HEAD GROUPS PREFIX RETRY "timeout\t processing 1s # always\r\n" REST, ""},
	{HEAD GROUPS PREFIX RETRY "\ttimeout processing 1d\n" REST, ""},
	/* Another engine in the same file, which waits as it likes; order does not matter. */
	{REST "spoe-agent other\n\tgroups x\n\ttimeout processing 1ms\n" HEAD TIMEOUT RETRY PREFIX
	      "\tgroups x identify",
		""},
	{HEAD GROUPS PREFIX RETRY "\ttimeout processing 150\n" REST, "f:7:21: " BELOW},
	{HEAD GROUPS PREFIX RETRY "\ttimeout processing 150000us\n" REST, "f:7:21: " BELOW},
	{HEAD GROUPS PREFIX RETRY "\ttimeout processing soon\n" REST, "f:7:21: this is no time\n"},
	{HEAD GROUPS PREFIX RETRY "\ttimeout processing 1w\n" REST, "f:7:21: this is no time\n"},
	{HEAD GROUPS PREFIX RETRY "\ttimeout processing 99999999999999999999d\n" REST,
		"f:7:21: this is no time\n"},
	{HEAD GROUPS PREFIX RETRY "\ttimeout idle 1s\n\ttimeout processing\n" REST,
		"f:2:1: 'timeout processing' is missing: HAProxy would wait for ever\n"},
	{HEAD GROUPS PREFIX RETRY "\t#timeout processing 200\n" REST,
		"f:2:1: 'timeout processing' is missing: HAProxy would wait for ever\n"},
	{HEAD GROUPS PREFIX TIMEOUT "\toption set-on-error e\n" REST,
		"f:2:1: 'option continue-on-error' is missing: HAProxy would not ask the other "
		"agent\n"},
	{HEAD GROUPS PREFIX TIMEOUT "\toption continue-on-error\n" REST,
		"f:2:1: 'option set-on-error' is missing: HAProxy would not ask the other agent\n"},
	{HEAD GROUPS RETRY TIMEOUT
		"\toption var-prefix iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii\n" REST,
		""}, /* txn. and a dot and 16: 42 are left */
	{HEAD GROUPS RETRY TIMEOUT
		"\toption var-prefix iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii\n" REST,
		"f:2:1: with the prefix 'iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii' a variable's "
		"name "
		"may have 64 bytes; HAProxy takes 63\n"},
	/* Without a prefix it is the agent's name. */
	{"spoe-agent aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n" GROUPS RETRY TIMEOUT REST,
		"f:1:1: with the prefix 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' a variable's "
		"name "
		"may have 64 bytes; HAProxy takes 63\n"},
	{"spoe-agent identityd\n\tgroups other\n" REST,
		"f: no spoe-agent has the group 'identify'\n"},
	{HEAD GROUPS PREFIX RETRY TIMEOUT "spoe-group identify\n\tmessages identify second\n",
		"f:9:20: the group 'identify' sends the message 'identify' and no other\n"},
	{HEAD GROUPS PREFIX RETRY TIMEOUT, "f: no spoe-group 'identify' has messages\n"},
	{"", "f: no spoe-agent has the group 'identify'\n"
	     "f: no spoe-group 'identify' has messages\n"},
};

static const char *say_spoe(const char *text, size_t n, const struct conf *conf)
{
	static char said[2048];
	struct base_diag diag;
	int rc;

	base_diag_init(&diag, "");
	rc = conf_spoe_parse("f", text, n, conf, &diag);
	snprintf(said, sizeof(said), "%s", say_diag(&diag));
	ck_assert_int_eq(rc, diag.n_found ? -EINVAL : 0);
	base_diag_done(&diag);
	return said;
}

START_TEST(says)
{
	/* Each mistake that only both files together can have is said with its place. */
	struct conf *conf = say_good(MINIMAL);

	ck_assert_str_eq(say_spoe(ROWS[_i].text, strlen(ROWS[_i].text), conf), ROWS[_i].said);
	conf_free(conf);
}
END_TEST

START_TEST(longest_export)
{
	/* The longest exported claim counts for the longest name. */
	struct conf *conf =
		say_good(MINIMAL "exports: [a, c123456789c123456789c123456789c123456789]\n");
	static const char FITS[] =
		HEAD GROUPS RETRY TIMEOUT "\toption var-prefix p12345678901\n" REST;
	static const char LONG[] =
		HEAD GROUPS RETRY TIMEOUT "\toption var-prefix p123456789012\n" REST;

	ck_assert_str_eq(say_spoe(FITS, strlen(FITS), conf), "");
	ck_assert_ptr_nonnull(strstr(say_spoe(LONG, strlen(LONG), conf), "64 bytes"));
	conf_free(conf);
}
END_TEST

START_TEST(any_bytes)
{
	/* Every beginning of a file, and bytes that are no text, are read to their end. */
	static const char GOOD[] = HEAD GROUPS PREFIX RETRY TIMEOUT REST;
	struct conf *conf = say_good(MINIMAL);
	char bytes[4096];

	for (size_t n = 0; n < strlen(GOOD); n++)
		(void)say_spoe(GOOD, n, conf);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7 + i / 11);
	(void)say_spoe(bytes, sizeof(bytes), conf);
	conf_free(conf);
}
END_TEST

START_TEST(from_a_file)
{
	/* The example is good; a file that is not there is said. */
	struct conf *conf = say_good(MINIMAL);
	struct base_diag diag;

	base_diag_init(&diag, "");
	ck_assert_int_eq(conf_spoe_load(SOURCE_DIR "/examples/spoe-identity.cfg", conf, &diag), 0);
	ck_assert_int_eq(conf_spoe_load("/nonexistent", conf, &diag), -EINVAL);
	ck_assert_ptr_nonnull(
		strstr(say_diag(&diag), "/nonexistent: cannot be read: No such file"));
	base_diag_done(&diag);
	conf_free(conf);
}
END_TEST

SUITE(spoe, EACH(says, ROWS), ONE(longest_export), ONE(any_bytes), ONE(from_a_file))
