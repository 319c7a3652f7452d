/*
 * A line of the audit log (Hubble's flow JSON, docs/OPERATIONS.md) as a person
 * reads it. Everything in it is a stranger's text.
 */
#ifndef CTL_FLOW_LINE_H
#define CTL_FLOW_LINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* The value of a header of the line's HTTP request; NULL: it has none of the name. */
const char *ctl_flow_header(const json_t *flow, const char *name);

/* allow, deny, error, audit for the four verdicts; else the word as it is, or "-". */
const char *ctl_flow_verdict(const json_t *flow);

/* "ADDRESS:PORT" of "source" or "destination" into buf; "" when the flow does not say. */
void ctl_flow_endpoint(const json_t *flow, const char *which, char buf[80]);

/* Without the time: "deny no_token 192.0.2.1:4000 -> ... GET http://... role=..". */
void ctl_flow_print(const json_t *flow, FILE *to);

#endif
