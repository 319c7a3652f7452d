#include "spoa/haproxy.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define AGAIN_NS (5 * (uint64_t)NS_PER_S)

static bool may(uint64_t caps, unsigned cap)
{
	return caps & UINT64_C(1) << cap;
}

/* The line's 16 hexadecimal digits; false when there is no such line. */
static bool find_caps(struct span status, uint64_t *ret_caps)
{
	static const char LINE[] = "\nCapEff:\t";
	const char *at = memmem(status.p, status.n, LINE, sizeof(LINE) - 1);
	char text[17] = "";
	char *end;

	if (!at || status.n - (size_t)(at - status.p) < sizeof(LINE) - 1 + 16)
		return false;
	memcpy(text, at + sizeof(LINE) - 1, 16);
	*ret_caps = strtoull(text, &end, 16);
	return end == text + 16;
}

enum spoa_can_mark spoa_haproxy_read(struct span status, bool with_raw)
{
	uint64_t caps;

	if (!find_caps(status, &caps))
		return SPOA_CAN_MARK_UNKNOWN;
	return may(caps, CAP_NET_ADMIN) || (with_raw && may(caps, CAP_NET_RAW)) ? SPOA_CAN_MARK_YES
										: SPOA_CAN_MARK_NO;
}

/* SO_MARK with CAP_NET_RAW alone: since Linux 5.17. */
static bool raw_is_enough(void)
{
	struct utsname name;
	int major, minor;

	return !uname(&name) && sscanf(name.release, "%d.%d", &major, &minor) == 2 &&
	       (major > 5 || (major == 5 && minor >= 17));
}

/* 0, or -ENOENT: there is no such process any more, or none that we may see. */
static int look(struct spoa_haproxy *one, const struct base_now *now)
{
	char path[40], text[4096];
	cleanup(fd) int fd = -1;
	ssize_t n;

	one->looked_at = now->mono_ns;
	one->can_mark = SPOA_CAN_MARK_UNKNOWN;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)one->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ENOENT : 0;
	n = read(fd, text, sizeof(text));
	if (n > 0)
		one->can_mark = spoa_haproxy_read((struct span){text, (size_t)n}, raw_is_enough());
	return 0;
}

/* Its place; else an empty one, else the one that was looked at longest ago. */
static struct spoa_haproxy *find(struct spoa_haproxies *all, pid_t pid)
{
	struct spoa_haproxy *oldest = &all->list[0];

	for (size_t i = 0; i < SPOA_HAPROXIES; i++) {
		struct spoa_haproxy *one = &all->list[i];

		if (one->pid == pid)
			return one;
		if (oldest->pid && (!one->pid || one->looked_at < oldest->looked_at))
			oldest = one;
	}
	return oldest;
}

struct spoa_haproxy *spoa_haproxies_meet(
	struct spoa_haproxies *all, pid_t pid, uid_t uid, const struct base_now *now)
{
	struct spoa_haproxy *one;

	if (pid <= 0)
		return NULL;
	one = find(all, pid);
	if (one->pid == pid && one->uid == uid && now->mono_ns - one->looked_at < AGAIN_NS)
		return one;
	if (one->pid != pid || one->uid != uid)
		*one = (struct spoa_haproxy){.pid = pid, .uid = uid};
	(void)look(one, now); /* what is gone is unknown, and goes with its connection */
	return one;
}

void spoa_haproxies_look(struct spoa_haproxies *all, const struct base_now *now)
{
	for (size_t i = 0; i < SPOA_HAPROXIES; i++)
		if (all->list[i].pid && look(&all->list[i], now))
			all->list[i] = (struct spoa_haproxy){0};
}

size_t spoa_haproxies_unable(const struct spoa_haproxies *all)
{
	size_t n = 0;

	for (size_t i = 0; i < SPOA_HAPROXIES; i++)
		n += all->list[i].pid && all->list[i].can_mark == SPOA_CAN_MARK_NO;
	return n;
}
