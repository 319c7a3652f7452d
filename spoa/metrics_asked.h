/* What a scrape asks the daemon for: all but what is counted on the way. */
#ifndef SPOA_METRICS_ASKED_H
#define SPOA_METRICS_ASKED_H

#include <stdio.h>

struct spoa_daemon;

/* Main thread. Prometheus text format 0.0.4. */
void spoa_metrics_asked(FILE *to, struct spoa_daemon *daemon);

#endif
