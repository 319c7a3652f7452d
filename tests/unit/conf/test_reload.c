#include "conf/conf.h"
#include "say.h"
#include "suites.h"

#include <stdio.h>
#include <string.h>

#define TAIL                                                                                       \
	"providers: [{name: p, issuer: https://idp.example, audiences: [a]}]\n"                    \
	"roles: [{name: r, labels: [role=user]}]\n"

/* What conf_check_reload says about going from one text to another. */
static const char *reload(const char *now_text, const char *next_text)
{
	struct conf *now = say_good(now_text), *next = say_good(next_text);
	struct base_diag diag;
	const char *said;

	base_diag_init(&diag, "f");
	ck_assert_uint_eq(conf_check_reload(now, next, &diag), diag.n_found);
	said = say_diag(&diag);
	base_diag_done(&diag);
	conf_free(now);
	conf_free(next);
	return said;
}

#define RESTART " has changed, which only a restart can do\n"

static const struct {
	const char *now, *next, *said;
} ROWS[] = {
	{MINIMAL, MINIMAL, ""},
	{MINIMAL, MINIMAL "workers: 1\nspop: {max_waiting: 4096}\n", ""},
	{MINIMAL, MINIMAL "workers: 2\n", "f:5:10: 'workers'" RESTART},
	{MINIMAL "workers: 2\n", MINIMAL, "f:1:1: 'workers'" RESTART},
	{MINIMAL, MINIMAL "spop: {max_waiting: 5, deadline: 100ms}\n",
		"f:5:21: 'spop.max_waiting'" RESTART},
	{MINIMAL "bpf: {max_flows: 99, path: /x}\n", MINIMAL "bpf: {path: /y}\n",
		"f:5:6: 'bpf.max_flows'" RESTART "f:5:13: 'bpf.path'" RESTART},
	{MINIMAL "bpf: {ports: [80, 81]}\n", MINIMAL "bpf: {ports: [80, 82]}\n",
		"f:5:14: 'bpf.ports'" RESTART},
	{MINIMAL, "version: 1\nlisten: [{tcp: 127.0.0.1:9908}]\n" TAIL,
		"f:2:16: 'listen[].tcp'" RESTART},
	{MINIMAL, "version: 1\nlisten: [{unix: /x}]\n" TAIL,
		"f:2:10: 'listen[].tcp'" RESTART "f:2:17: 'listen[].unix'" RESTART},
	{MINIMAL, "version: 1\nlisten: [{tcp: 127.0.0.1:9909}, {unix: /x}]\n" TAIL,
		"f:2:9: 'listen'" RESTART},
	{MINIMAL,
		"version: 1\nlisten: [{tcp: 127.0.0.1:9909}]\nexports: [email]\n"
		"log: {level: debug}\nidentity: {local_min: 1000}\n"
		"providers: [{name: q, issuer: https://i, audiences: [b]}, {name: p, issuer: "
		"https://j, audiences: [b]}]\n"
		"roles: [{name: s, labels: [role=x]}, {name: t, labels: [role=y]}]\n",
		""},
};

START_TEST(names_what_needs_a_restart)
{
	/* Exactly the keys that only a restart changes are named, at their place in the next file. */
	ck_assert_str_eq(reload(ROWS[_i].now, ROWS[_i].next), ROWS[_i].said);
}
END_TEST

SUITE(reload, EACH(names_what_needs_a_restart, ROWS))
