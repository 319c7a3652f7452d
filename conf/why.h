/*
 * libyaml's messages in the words of somebody who edits the file.
 */
#ifndef CONF_WHY_H
#define CONF_WHY_H

#include <stdbool.h>

/*
 * A sentence for a problem that libyaml reports; the problem itself when there
 * is no better one, never NULL. *ret_at_start says whether the start of what
 * broke is the better place to point at than where libyaml noticed.
 */
const char *conf_why(const char *problem, bool *ret_at_start);

#endif
