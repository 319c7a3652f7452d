/*
 * What follows from several keys of a provider together.
 */
#ifndef CONF_PROVIDER_H
#define CONF_PROVIDER_H

#include "conf/conf.h"

#define CONF_TENANT "{tenantid}"

/* Is its issuer a trust domain, or none but that: iss may be absent from its tokens? */
bool conf_provider_is_spiffe(const struct conf_provider *provider);

/* Gives an issuer to a provider that has none. 0 or -ENOMEM. */
int conf_provider_settle(struct conf_provider *provider) must_check;

#endif
