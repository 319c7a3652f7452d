#include "spoa/watch.h"

#include "conf/conf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int stat_pin(const struct spoa_watch *watch, struct stat *st)
{
	char path[sizeof(watch->dir) + sizeof(BPFMAP_PIN_FLOWS) + 1];

	snprintf(path, sizeof(path), "%s/" BPFMAP_PIN_FLOWS, watch->dir);
	return stat(path, st) ? -errno : 0;
}

/* Opens the pins and checks that a program feeds them. */
static int open_maps(struct spoa_watch *watch)
{
	cleanup(bpfmap) struct bpfmap *map = NULL;
	struct bpfmap_status status;
	struct stat st;
	int rc = bpfmap_open(watch->dir, &map, watch->why);

	if (rc)
		return rc;
	rc = bpfmap_status(map, &status);
	if (rc == 0 && !status.attached)
		rc = -ENOLINK;
	if (rc == 0)
		rc = stat_pin(watch, &st);
	if (rc) {
		snprintf(watch->why, sizeof(watch->why), "%s: %s", watch->dir,
			rc == -ENOLINK ? "the maps are there and no program feeds them; run "
					 "identityd-setup"
				       : strerror(-rc));
		return rc;
	}
	watch->maps = spoa_maps_new(TAKE_PTR(map));
	if (!watch->maps)
		return -ENOMEM;
	watch->dev = st.st_dev;
	watch->ino = st.st_ino;
	watch->enforcement = SPOA_ENFORCEMENT_ON;
	watch->why[0] = '\0';
	return 0;
}

/* Is what is open still what is pinned and attached? */
static bool is_intact(struct spoa_watch *watch)
{
	struct bpfmap_status status;
	struct stat st;
	int rc = stat_pin(watch, &st);

	if (rc || st.st_dev != watch->dev || st.st_ino != watch->ino) {
		snprintf(watch->why, sizeof(watch->why), "%s/" BPFMAP_PIN_FLOWS ": %s", watch->dir,
			rc ? strerror(-rc) : "the pin was replaced");
		return false;
	}
	rc = bpfmap_status(watch->maps->map, &status);
	if (rc == -EMFILE || rc == -ENFILE || rc == -ENOMEM)
		return true; /* we could not look; that is not a loss */
	if (rc == 0 && status.attached)
		return true;
	snprintf(watch->why, sizeof(watch->why), "%s: %s", watch->dir,
		rc ? strerror(-rc) : "the program is not attached any more");
	return false;
}

int spoa_watch_init(struct spoa_watch *watch, int mode, const char *dir)
{
	int rc;

	*watch = (struct spoa_watch){.mode = mode};
	snprintf(watch->dir, sizeof(watch->dir), "%s", dir);
	watch->enforcement = SPOA_ENFORCEMENT_OFF;
	if (mode == CONF_BPF_OFF)
		return 0;
	watch->enforcement = SPOA_ENFORCEMENT_NONE;
	rc = open_maps(watch);
	return mode == CONF_BPF_REQUIRED ? rc : 0;
}

bool spoa_watch_look(struct spoa_watch *watch)
{
	if (watch->enforcement == SPOA_ENFORCEMENT_OFF)
		return false;
	if (watch->enforcement != SPOA_ENFORCEMENT_ON)
		return open_maps(watch) == 0;
	if (is_intact(watch))
		return false;
	spoa_maps_unref(watch->maps);
	watch->maps = NULL;
	watch->enforcement = SPOA_ENFORCEMENT_LOST;
	return true;
}

void spoa_watch_done(struct spoa_watch *watch)
{
	spoa_maps_unref(watch->maps);
	watch->maps = NULL;
}
