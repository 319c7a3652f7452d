/*
 * The public listener: what strangers must reach. Health, and what is made for
 * them elsewhere; never an administrative route. Its table is in public.c.
 */
#ifndef SPOA_PUBLIC_H
#define SPOA_PUBLIC_H

#include "conf/conf.h"
#include "spoa/http.h"

struct spoa_daemon;
struct spoa_public;

#define SPOA_PUBLIC_WHY 256

/* Does this configuration have one? */
bool spoa_public_is_on(const struct conf *conf);

/*
 * Serves on a listening socket, which it takes over; certificate and key are
 * read now, as the user that the daemon is. 0, or -errno with a sentence in why.
 */
int spoa_public_new(struct ev_loop *loop, int fd, const struct conf *conf,
	struct spoa_daemon *daemon, struct spoa_public **ret, char why[SPOA_PUBLIC_WHY]) must_check;
/* As spoa_http_quiet. NULL is fine. */
void spoa_public_quiet(struct spoa_public *public);
void spoa_public_free(struct spoa_public *public);

DEFINE_CLEANUP(spoa_public, struct spoa_public *, spoa_public_free)

#endif
