#include "tests/unit/net/suites.h"

#include "net/vet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>

static const char *const PUBLIC[] = {
	"1.1.1.1",
	"9.255.255.255",
	"11.0.0.0",
	"100.63.255.255",
	"100.128.0.0",
	"126.255.255.255",
	"128.0.0.0",
	"169.253.255.255",
	"169.255.0.0",
	"172.15.255.255",
	"172.32.0.0",
	"192.167.255.255",
	"192.169.0.0",
	"198.17.255.255",
	"198.20.0.0",
	"223.255.255.255",
	"2606:4700::1",
	"2a00::1",
	"::ffff:1.1.1.1",
};

static const char *const NOT_PUBLIC[] = {
	"0.0.0.0",
	"0.1.2.3",
	"10.0.0.1",
	"10.255.255.255",
	"100.64.0.1",
	"127.0.0.1",
	"127.255.255.255",
	"169.254.169.254",
	"172.16.0.1",
	"172.31.255.255",
	"192.168.0.1",
	"198.18.0.1",
	"224.0.0.1",
	"240.0.0.1",
	"255.255.255.255",
	"::",
	"::1",
	"::10.0.0.1",
	"::ffff:10.0.0.1",
	"::ffff:127.0.0.1",
	"64:ff9b::a00:1",
	"2002:a00:1::",
	"2001::1",
	"fc00::1",
	"fd12::1",
	"fe80::1",
	"fec0::1",
	"ff02::1",
};

static bool vet_socket(const struct net_vet *vet, const char *text)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		return net_vet_address(vet, (struct sockaddr *)&v4);
	ck_assert_int_eq(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
	return net_vet_address(vet, (struct sockaddr *)&v6);
}

START_TEST(defaults)
{
	/* Goal: without a word of the operator only public addresses are asked, in every spelling. */
	struct net_vet vet;

	ck_assert_int_eq(net_vet_init(&vet, "idp.test", NULL, 0), 0);
	for (size_t i = 0; i < ARRAY_SIZE(PUBLIC); i++) {
		ck_assert_msg(vet_socket(&vet, PUBLIC[i]), "%s", PUBLIC[i]);
		ck_assert_msg(net_vet_text(&vet, PUBLIC[i]), "%s", PUBLIC[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(NOT_PUBLIC); i++) {
		ck_assert_msg(!vet_socket(&vet, NOT_PUBLIC[i]), "%s", NOT_PUBLIC[i]);
		ck_assert_msg(!net_vet_text(&vet, NOT_PUBLIC[i]), "%s", NOT_PUBLIC[i]);
	}
	ck_assert(!net_vet_text(&vet, ""));
	ck_assert(!net_vet_text(&vet, "fe80::1%eth0"));
	ck_assert(!net_vet_text(&vet, "idp.test"));
}
END_TEST

START_TEST(families)
{
	/* Goal: what is no IP address is asked only where nothing is vetted. */
	struct net_vet vet;
	const struct sockaddr local = {.sa_family = AF_UNIX};

	ck_assert_int_eq(net_vet_init(&vet, "idp.test", NULL, 0), 0);
	ck_assert(!net_vet_address(&vet, &local));
	vet.anything = true;
	ck_assert(net_vet_address(&vet, &local));
	ck_assert(net_vet_text(&vet, ""));
}
END_TEST

START_TEST(written)
{
	/* Goal: the literal host and the networks are allowed, and nothing beside them. */
	static const char *const NETS[] = {"10.1.0.0/16", "fd12::/16"};
	struct net_vet vet;

	ck_assert_int_eq(net_vet_init(&vet, "192.168.7.7", NETS, 2), 0);
	ck_assert(net_vet_text(&vet, "192.168.7.7"));
	ck_assert(!net_vet_text(&vet, "192.168.7.8"));
	ck_assert(net_vet_text(&vet, "10.1.2.3"));
	ck_assert(net_vet_text(&vet, "::ffff:10.1.2.3"));
	ck_assert(!net_vet_text(&vet, "10.2.0.0"));
	ck_assert(net_vet_text(&vet, "fd12::5"));
	ck_assert(!net_vet_text(&vet, "fd13::5"));
	ck_assert(net_vet_text(&vet, "1.1.1.1"));
	ck_assert_int_eq(net_vet_init(&vet, "localhost", NULL, 0), 0);
	ck_assert(net_vet_text(&vet, "127.0.0.1"));
	ck_assert(net_vet_text(&vet, "::1"));
	ck_assert(!net_vet_text(&vet, "10.0.0.1"));
	vet.only_us = true;
	ck_assert(net_vet_text(&vet, "127.0.0.1"));
	ck_assert(!net_vet_text(&vet, "1.1.1.1"));
}
END_TEST

START_TEST(us)
{
	/* Goal: only this machine is this machine. */
	static const char *const YES[] = {
		"localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1"};
	static const char *const NO[] = {"", "localhost.", "localhost.test", "127.0.0.1.test",
		"127.0.0.0/8", "128.0.0.1", "0.0.0.0", "::2", "127.1"};

	for (size_t i = 0; i < ARRAY_SIZE(YES); i++)
		ck_assert_msg(net_vet_is_us(YES[i]), "%s", YES[i]);
	for (size_t i = 0; i < ARRAY_SIZE(NO); i++)
		ck_assert_msg(!net_vet_is_us(NO[i]), "%s", NO[i]);
}
END_TEST

START_TEST(bad_networks)
{
	/* Goal: a network that is none is refused, and so are too many. */
	static const char *const BAD[] = {"10.0.0.0/8", "10.0.0.1/8"};
	const char *many[NET_NETWORKS_MAX + 1];
	struct net_vet vet = {.n_allowed = 77};

	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = "10.0.0.0/8";
	ck_assert_int_eq(net_vet_init(&vet, "h", BAD, 2), -EINVAL);
	ck_assert_int_eq(net_vet_init(&vet, "h", many, ARRAY_SIZE(many)), -EINVAL);
	ck_assert_uint_eq(vet.n_allowed, 77);
	ck_assert_int_eq(net_vet_init(&vet, "localhost", many, NET_NETWORKS_MAX), 0);
}
END_TEST

Suite *suite_vet(void)
{
	Suite *s = suite_create("net/vet");
	TCase *tc = tcase_create("vet");

	tcase_add_test(tc, defaults);
	tcase_add_test(tc, families);
	tcase_add_test(tc, written);
	tcase_add_test(tc, us);
	tcase_add_test(tc, bad_networks);
	suite_add_tcase(s, tc);
	return s;
}
