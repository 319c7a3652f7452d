#include "conf/provider.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SPIFFE "spiffe://"

bool conf_provider_is_spiffe(const struct conf_provider *provider)
{
	if (!provider->trust_domain)
		return false;
	return !provider->issuer ||
	       (!strncmp(provider->issuer, SPIFFE, strlen(SPIFFE)) &&
		       !strcmp(provider->issuer + strlen(SPIFFE), provider->trust_domain));
}

bool conf_provider_has_tokens(const struct conf_provider *provider)
{
	if (provider->secret_file || provider->jwks_file || provider->jwks_uri || provider->pem_uri)
		return true;
	/* Otherwise the issuer's discovery, where it has one. */
	return !provider->trust_bundle ||
	       (provider->issuer && !strncmp(provider->issuer, "http", 4));
}

bool conf_provider_has_key_set(const struct conf_provider *provider)
{
	return conf_provider_has_tokens(provider) && !provider->secret_file;
}

int conf_provider_settle(struct conf_provider *provider)
{
	const char *scheme = provider->trust_domain ? SPIFFE : "x509:";
	const char *name = provider->trust_domain ? provider->trust_domain : provider->name;

	if (!provider->issuer && asprintf(&provider->issuer, "%s%s", scheme, name) < 0)
		provider->issuer = NULL;
	return provider->issuer ? 0 : -ENOMEM;
}
