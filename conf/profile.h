/*
 * Profiles: what well-known providers do, as presets of keys that could as
 * well be written out. A profile decides nothing by itself.
 */
#ifndef CONF_PROFILE_H
#define CONF_PROFILE_H

#include "conf/keys.h"

/* The words of the key `profile`. */
#define CONF_PROFILES                                                                              \
	"none okta entra auth0 keycloak google google-iap cloudflare-access aws-alb aws-sts eks "  \
	"kubernetes github-actions spiffe"

/* conf_section.preset of providers[]: by the profile that the map names. */
const char *conf_profile_preset(const struct base_doc *map, const char *key, char buf[CONF_PRESET]);

#endif
