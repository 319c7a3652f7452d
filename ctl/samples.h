/* Two scrapes of the daemon's metrics, and what happened between them. */
#ifndef CTL_SAMPLES_H
#define CTL_SAMPLES_H

#include <stddef.h>

#define CTL_SAMPLES_MAX 8192

/* Series of one scrape: pointers into text, which is cut up. */
struct ctl_samples {
	char *text; /* malloc, taken over */
	size_t n;
	struct {
		const char *series; /* name{labels} */
		double value;
	} * items;
};

/* 0 or -ENOMEM; text is taken over in every case. Comments and what is no sample are left out. */
int ctl_samples_read(char *text, struct ctl_samples *ret) __attribute__((warn_unused_result));
void ctl_samples_done(struct ctl_samples *samples);

/* The value of a series; 0 when it is not there. */
double ctl_samples_get(const struct ctl_samples *samples, const char *series);
/* Sum of the series of this name that contain such a label ("reason=\"ok\""; "": all). */
double ctl_samples_sum(const struct ctl_samples *samples, const char *name, const char *label);

/*
 * The q-quantile (0 to 1) of what a histogram observed after `before`, in its
 * unit, as the upper bound of the bucket that it is in; -1: nothing was.
 */
double ctl_samples_quantile(const struct ctl_samples *before, const struct ctl_samples *after,
	const char *histogram, double q);

#endif
