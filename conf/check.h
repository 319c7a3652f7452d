/*
 * What single keys cannot show: how the values of a file fit together.
 */
#ifndef CONF_CHECK_H
#define CONF_CHECK_H

#include "base/diag.h"
#include "base/doc.h"
#include "conf/conf.h"

/*
 * Adds every mistake to diag. conf is what conf_bind made of doc, a map; where
 * binding complained already, nothing is said twice.
 */
void conf_check(const struct conf *conf, const struct base_doc *doc, struct base_diag *diag);

#endif
