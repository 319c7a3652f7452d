#include "spoa/access.h"

#include <errno.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

/* All of the text as a number? */
static bool as_number(const char *text, unsigned *ret)
{
	char *end;
	unsigned long number;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	number = strtoul(text, &end, 10);
	if (*end || errno || number >= UINT32_MAX) /* the last one means "no such user" */
		return false;
	*ret = (unsigned)number;
	return true;
}

int spoa_access_group(const char *text, gid_t *ret_gid)
{
	struct group *group;

	if (as_number(text, ret_gid))
		return 0;
	group = getgrnam(text);
	if (!group)
		return -ENOENT;
	*ret_gid = group->gr_gid;
	return 0;
}

static int find_user(const char *text, uid_t *ret_uid)
{
	struct passwd *user;

	if (as_number(text, ret_uid))
		return 0;
	user = getpwnam(text);
	if (!user)
		return -ENOENT;
	*ret_uid = user->pw_uid;
	return 0;
}

_Static_assert(sizeof(uid_t) == sizeof(unsigned) && sizeof(gid_t) == sizeof(unsigned),
	"one function reads both");

/* Numbers of all names; *ret_n counts those that were found. */
static int find_all(const struct conf_strings *names, int (*find)(const char *, unsigned *),
	const char *what, const struct conf_pos *pos, unsigned **ret, size_t *ret_n,
	struct base_diag *diag)
{
	*ret = calloc(names->n + 1, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	for (size_t i = 0; i < names->n; i++) {
		if (find(names->items[i], &(*ret)[*ret_n]))
			base_diag_add(diag, pos->line, pos->column, "there is no %s '%.64s'", what,
				names->items[i]);
		else
			(*ret_n)++;
	}
	return 0;
}

static int read_nets(
	const struct conf_listen *conf, struct spoa_access *access, struct base_diag *diag)
{
	access->nets = calloc(conf->allow.n + 1, sizeof(*access->nets));
	if (!access->nets)
		return -ENOMEM;
	for (size_t i = 0; i < conf->allow.n; i++) {
		if (base_cidr_parse(conf->allow.items[i], &access->nets[access->n_nets]))
			base_diag_add(diag, conf->pos.line, conf->pos.column,
				"'%.64s' is no range of addresses", conf->allow.items[i]);
		else
			access->n_nets++;
	}
	return 0;
}

int spoa_access_compile(
	const struct conf_listen *conf, struct spoa_access *access, struct base_diag *diag)
{
	*access = (struct spoa_access){0};
	if (find_all(&conf->users, find_user, "user", &conf->pos, &access->users, &access->n_users,
		    diag) ||
		find_all(&conf->groups, spoa_access_group, "group", &conf->pos, &access->groups,
			&access->n_groups, diag) ||
		read_nets(conf, access, diag))
		return -ENOMEM;
	return 0;
}

void spoa_access_done(struct spoa_access *access)
{
	free(access->users);
	free(access->groups);
	free(access->nets);
	*access = (struct spoa_access){0};
}

static bool is_member(const struct spoa_access *access, gid_t gid)
{
	for (size_t i = 0; i < access->n_groups; i++)
		if (access->groups[i] == gid)
			return true;
	return false;
}

bool spoa_access_process(
	const struct spoa_access *access, const struct ucred *cred, const gid_t *groups, size_t n)
{
	if (!access->n_users && !access->n_groups)
		return true;
	for (size_t i = 0; i < access->n_users; i++)
		if (access->users[i] == cred->uid)
			return true;
	if (is_member(access, cred->gid))
		return true;
	for (size_t i = 0; i < n; i++)
		if (is_member(access, groups[i]))
			return true;
	return false;
}

bool spoa_access_address(const struct spoa_access *access, const struct sockaddr_storage *address)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
	uint8_t bytes[16];

	if (!access->n_nets)
		return true;
	if (address->ss_family == AF_INET)
		base_cidr_address((const uint8_t *)&v4->sin_addr, 4, bytes);
	else if (address->ss_family == AF_INET6)
		base_cidr_address((const uint8_t *)&v6->sin6_addr, 16, bytes);
	else
		return false;
	for (size_t i = 0; i < access->n_nets; i++)
		if (base_cidr_has(&access->nets[i], bytes))
			return true;
	return false;
}
