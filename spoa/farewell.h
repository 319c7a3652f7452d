/* Log lines about how a connection ended; what strangers can cause is rate limited. */
#ifndef SPOA_FAREWELL_H
#define SPOA_FAREWELL_H

#include "spoa/conn.h"

/* It is over: a line that a mistake of the peer's deserves, else one for debugging. */
void spoa_farewell_log(const struct spoa_conn *conn);

/* TLS did not come about, or broke. */
void spoa_farewell_log_tls(const struct spoa_conn *conn);

#endif
