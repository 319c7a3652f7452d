#include "ctl/samples.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int ctl_samples_read(char *text, struct ctl_samples *ret)
{
	char *rest = NULL;

	*ret = (struct ctl_samples){.text = text};
	ret->items = calloc(CTL_SAMPLES_MAX, sizeof(*ret->items));
	if (!ret->items || !text) {
		ctl_samples_done(ret);
		return -ENOMEM;
	}
	for (char *line = strtok_r(text, "\n", &rest); line && ret->n < CTL_SAMPLES_MAX;
		line = strtok_r(NULL, "\n", &rest)) {
		char *space = strrchr(line, ' ');

		if (*line == '#' || !space)
			continue;
		*space = '\0';
		ret->items[ret->n].series = line;
		ret->items[ret->n++].value = strtod(space + 1, NULL);
	}
	return 0;
}

void ctl_samples_done(struct ctl_samples *samples)
{
	free(samples->text);
	free(samples->items);
	*samples = (struct ctl_samples){0};
}

double ctl_samples_get(const struct ctl_samples *samples, const char *series)
{
	for (size_t i = 0; i < samples->n; i++)
		if (!strcmp(samples->items[i].series, series))
			return samples->items[i].value;
	return 0;
}

double ctl_samples_sum(const struct ctl_samples *samples, const char *name, const char *label)
{
	size_t n = strlen(name);
	double sum = 0;

	for (size_t i = 0; i < samples->n; i++) {
		const char *series = samples->items[i].series;

		if (!strncmp(series, name, n) && (!series[n] || series[n] == '{') &&
			strstr(series + n, label))
			sum += samples->items[i].value;
	}
	return sum;
}

double ctl_samples_quantile(const struct ctl_samples *before, const struct ctl_samples *after,
	const char *histogram, double q)
{
	char name[128], bucket[128];
	double all;

	snprintf(name, sizeof(name), "%s_count", histogram);
	all = ctl_samples_get(after, name) - ctl_samples_get(before, name);
	if (all <= 0)
		return -1;
	snprintf(bucket, sizeof(bucket), "%s_bucket{le=\"", histogram);
	for (size_t i = 0; i < after->n; i++) {
		const char *series = after->items[i].series;
		double count = after->items[i].value - ctl_samples_get(before, series);

		if (!strncmp(series, bucket, strlen(bucket)) && count >= q * all)
			return strtod(series + strlen(bucket), NULL); /* +Inf, too */
	}
	return HUGE_VAL;
}
