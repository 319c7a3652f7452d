/*
 * One document: a policy object with its rules, or a mistake.
 */
#ifndef POLICY_OBJECT_H
#define POLICY_OBJECT_H

/* An annotation of a policy: "audit" makes it observe only. */
#define POLICY_MODE_ANNOTATION "identityd.io/policy-mode"

#endif
