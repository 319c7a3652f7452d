/* Memory that runs out on demand: in our code by --wrap, in libyaml by taking its yaml_malloc. */
#ifndef TESTS_UNIT_CONF_FAIL_H
#define TESTS_UNIT_CONF_FAIL_H

#include <stdbool.h>

/* Allocation n from now fails, counted from 0, and only that one. Negative: none. */
void fail_after(long n);

/* Ends it. Did one fail? */
bool fail_stop(void);

/* Did an allocation of libyaml fail since the program began? */
bool fail_reached_libyaml(void);

#endif
