#include "tests/unit/ctl/suites.h"

#include "ctl/samples.h"

#include <math.h>
#include <string.h>

static struct ctl_samples read_text(const char *text)
{
	struct ctl_samples samples;

	ck_assert_int_eq(ctl_samples_read(strdup(text), &samples), 0);
	return samples;
}

START_TEST(sums)
{
	/* Goal: series are found by name and label; comments and rubbish are none. */
	struct ctl_samples s = read_text("# HELP a x\n# TYPE a counter\na{r=\"x\",v=\"1\"} 2\n"
					 "a{r=\"y\",v=\"1\"} 3\nab 7\nrubbish\nc 1.5\n");

	ck_assert_uint_eq(s.n, 4);
	ck_assert(ctl_samples_get(&s, "c") == 1.5);
	ck_assert(ctl_samples_get(&s, "d") == 0);
	ck_assert(ctl_samples_sum(&s, "a", "") == 5);
	ck_assert(ctl_samples_sum(&s, "a", "r=\"y\"") == 3);
	ctl_samples_done(&s);
}
END_TEST

START_TEST(quantiles)
{
	/* Goal: of what came after the first scrape alone. */
	struct ctl_samples a = read_text("h_bucket{le=\"1\"} 100\nh_bucket{le=\"2\"} 100\n"
					 "h_bucket{le=\"+Inf\"} 100\nh_count 100\n");
	struct ctl_samples b = read_text("h_bucket{le=\"1\"} 101\nh_bucket{le=\"2\"} 109\n"
					 "h_bucket{le=\"+Inf\"} 110\nh_count 110\n");

	ck_assert(ctl_samples_quantile(&a, &b, "h", 0.1) == 1);
	ck_assert(ctl_samples_quantile(&a, &b, "h", 0.5) == 2);
	ck_assert(isinf(ctl_samples_quantile(&a, &b, "h", 0.99)));
	ck_assert(ctl_samples_quantile(&a, &a, "h", 0.5) == -1);
	ck_assert(ctl_samples_quantile(&a, &b, "g", 0.5) == -1);
	ctl_samples_done(&a);
	ctl_samples_done(&b);
}
END_TEST

Suite *suite_samples(void)
{
	Suite *s = suite_create("ctl/samples");
	TCase *tc = tcase_create("samples");

	tcase_add_test(tc, sums);
	tcase_add_test(tc, quantiles);
	suite_add_tcase(s, tc);
	return s;
}
