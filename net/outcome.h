/*
 * How an exchange ended, written into its answer: an errno that a caller can
 * act on, and a sentence that an operator can.
 */
#ifndef NET_OUTCOME_H
#define NET_OUTCOME_H

#include "net/transfer.h"

/* libcurl is done with a started transfer; CURLE_OK fills the status. */
void net_outcome_end(struct net_transfer *t, CURLcode code);

/* The transfer was ended, or never begun, by us: -ETIMEDOUT, -ENOMEM, ... */
void net_outcome_fail(struct net_transfer *t, int error);

#endif
