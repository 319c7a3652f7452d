/* A stand-in for the daemon's admin socket: one fixed answer. */
#ifndef TESTS_UNIT_CTL_DAEMON_H
#define TESTS_UNIT_CTL_DAEMON_H

struct daemon;

/* Answers GET and POST of path with this status and body, anything else with 404. */
struct daemon *daemon_start(const char *path, int status, const char *body);
void daemon_stop(struct daemon *daemon);

/* Where it listens. */
const char *daemon_socket(const struct daemon *daemon);

#endif
