#include "conf/check_place.h"

#include "say.h"
#include "suites.h"

#define PROVIDERS                                                                                  \
	"version: 1\nlisten: [{tcp: 127.0.0.1:1}]\n"                                               \
	"providers: [{name: p, issuer: https://h, audiences: [a]}]\nroles:\n"
#define ROLE(row)  "  - {name: r, labels: [a=b]" row "}\n"
#define OTHER(row) "  - {name: s, labels: [a=c]" row "}\n"
#define TWIN(row)  "  - {name: t, labels: ['k8s:a=b']" row "}\n"
#define NOBODY     " is no address to send from\n"

static const struct say_row ROWS[] = {
	{PROVIDERS ROLE(", number: 300, number_from: crd"), ""},
	{PROVIDERS ROLE(", number: 256, number_from: etcd"), ""},
	{PROVIDERS ROLE(", number: 200, number_from: fixed"), ""},
	{PROVIDERS ROLE(", number: 255, number_from: crd"),
		"f:5:38: Cilium's own store has no number below 256; 'number_from' must be "
		"fixed\n"},
	{PROVIDERS ROLE(", number_from: crd"), "f:5:43: 'number_from' needs 'number'\n"},
	{PROVIDERS ROLE(", srcaddr: 192.0.2.1"), ""},
	{PROVIDERS ROLE(", srcaddr: [192.0.2.1, '2001:db8::1']"), ""},
	{PROVIDERS ROLE(", srcaddr: [192.0.2.1, 192.0.2.2]"),
		"f:5:51: 'srcaddr' takes one address of each family\n"},
	{PROVIDERS ROLE(", srcaddr: 192.0.2.1/32"), "f:5:39: '192.0.2.1/32'" NOBODY},
	{PROVIDERS ROLE(", srcaddr: 192.0.2.0/24"), "f:5:39: '192.0.2.0/24'" NOBODY},
	/* HAProxy would take these for "whatever address there is". */
	{PROVIDERS ROLE(", srcaddr: 0.0.0.0"), "f:5:39: '0.0.0.0'" NOBODY},
	{PROVIDERS ROLE(", srcaddr: '::'"), "f:5:39: '::'" NOBODY},
	{PROVIDERS ROLE(", srcaddr: '::ffff:0.0.0.0'"), "f:5:39: '::ffff:0.0.0.0'" NOBODY},
	{PROVIDERS ROLE(", srcaddr: 224.0.0.1"), "f:5:39: '224.0.0.1'" NOBODY},
	{PROVIDERS ROLE(", srcaddr: edge.example"), "f:5:39: 'edge.example'" NOBODY},
	{PROVIDERS ROLE(", srcaddr: 192.0.2.1") OTHER(", srcaddr: ['2001:db8::1', 192.0.2.1]"),
		"f:6:55: role 'r' on line 5 has this address\n"},
	/* The same identity, however its labels are written, may have the same address. */
	{PROVIDERS ROLE(", srcaddr: 192.0.2.1") TWIN(", srcaddr: 192.0.2.1"), ""},
};

START_TEST(rows)
{
	/* What would send one caller's requests under another's name, or nobody's, is refused. */
	ck_assert_str_eq(say_conf(ROWS[_i].text), ROWS[_i].said);
}
END_TEST

SUITE(check_reach, EACH(rows, ROWS))
