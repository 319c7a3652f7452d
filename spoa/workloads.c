#include "spoa/workloads.h"

#include "ident/labels.h"
#include "spoa/log.h"
#include "spoa/status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX ((size_t)64 * 1024 * 1024)

struct spoa_workload_watch {
	const char *dir, *file; /* owned, or NULL */
	struct spoa_workloads *now;
	char why[BPFMAP_WHY]; /* why there is no ipcache */
	char file_why[200];   /* what was wrong with the file last */
	struct timespec stamp;
	off_t size;
	ino_t ino;
	size_t skipped;
	/* What was learnt, in the order in which it was; of two the later counts. */
	struct ident_directory_entry *learnt;
	size_t n_learnt, room;
	bool news;
};

struct spoa_workloads *spoa_workloads_ref(struct spoa_workloads *workloads)
{
	if (workloads)
		atomic_fetch_add_explicit(&workloads->refs, 1, memory_order_relaxed);
	return workloads;
}

void spoa_workloads_unref(struct spoa_workloads *workloads)
{
	if (!workloads || atomic_fetch_sub_explicit(&workloads->refs, 1, memory_order_acq_rel) != 1)
		return;
	bpfmap_ipcache_close(workloads->ipcache);
	ident_directory_unref(workloads->file);
	ident_directory_unref(workloads->learnt);
	free(workloads);
}

struct span spoa_workloads_labels(const struct spoa_workloads *workloads, uint32_t number)
{
	struct span labels = ident_directory_find(workloads->learnt, number);

	return labels.n ? labels : ident_directory_find(workloads->file, number);
}

static void say(const char *state, const char *why)
{
	struct base_log log;

	if (!spoa_log_open(&log, *why ? BASE_LOG_WARNING : BASE_LOG_INFO, "workloads"))
		return;
	base_log_str(&log, "state", state);
	if (*why)
		base_log_str(&log, "why", why);
	spoa_log_close(&log);
}

/* The ipcache as it is pinned now; said once when it comes, goes, or fails for another reason. */
static void open_ipcache(struct spoa_workload_watch *watch, struct spoa_workloads *next)
{
	char why[BPFMAP_WHY] = "";
	bool had = watch->now && watch->now->ipcache;

	if (!watch->dir)
		return;
	if (bpfmap_ipcache_open(watch->dir, &next->ipcache, why) && !*why)
		snprintf(why, sizeof(why), "out of memory");
	next->lost = !next->ipcache;
	if (next->lost ? had || strcmp(why, watch->why) : !had)
		say(next->lost ? "no ipcache" : "ipcache", why);
	memcpy(watch->why, why, sizeof(watch->why));
}

static bool ipcache_is_same(const struct spoa_workload_watch *watch)
{
	return !watch->dir ||
	       (watch->now && watch->now->ipcache && bpfmap_ipcache_same(watch->now->ipcache));
}

static char *read_file(const char *path, size_t *ret_n)
{
	FILE *from = fopen(path, "re");
	char *text = NULL;
	size_t n = 0, size;
	FILE *to = from ? open_memstream(&text, &size) : NULL;
	char buf[16384];

	while (to && n <= FILE_MAX && (*ret_n = fread(buf, 1, sizeof(buf), from)))
		n += fwrite(buf, 1, *ret_n, to);
	if (to && (fclose(to) || ferror(from) || n > FILE_MAX)) {
		free(text);
		text = NULL;
	}
	if (from)
		fclose(from);
	*ret_n = n;
	return text;
}

/* What was good stays when the new text is not. */
static void read_labels(struct spoa_workload_watch *watch, struct spoa_workloads *next)
{
	char was[sizeof(watch->file_why)], why[160] = "";
	cleanup(free) char *text = NULL;
	size_t n;

	memcpy(was, watch->file_why, sizeof(was));
	errno = 0;
	text = read_file(watch->file, &n);
	if (!text)
		snprintf(why, sizeof(why), "%s", errno ? strerror(errno) : "too large");
	else if (ident_directory_parse((struct span){text, n}, &next->file, &watch->skipped, why) &&
		 !*why)
		snprintf(why, sizeof(why), "out of memory");
	watch->file_why[0] = '\0';
	if (*why)
		snprintf(watch->file_why, sizeof(watch->file_why), "labels_file: %s", why);
	if (*why && watch->now)
		next->file = ident_directory_ref(watch->now->file);
	if (strcmp(was, watch->file_why) || !*why)
		say("labels", watch->file_why);
}

static bool file_is_same(struct spoa_workload_watch *watch)
{
	struct stat st = {0};

	if (!watch->file)
		return true;
	(void)!stat(watch->file, &st); /* a missing file is all zeros */
	if (st.st_mtim.tv_sec == watch->stamp.tv_sec &&
		st.st_mtim.tv_nsec == watch->stamp.tv_nsec && st.st_size == watch->size &&
		st.st_ino == watch->ino)
		return true;
	watch->stamp = st.st_mtim;
	watch->size = st.st_size;
	watch->ino = st.st_ino;
	return false;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void unlearn(struct ident_directory_entry *entry)
{
	free((char *)entry->labels);
	entry->labels = NULL;
}

/* Of each number only the last word, and nothing of those that nobody has any more. */
static void forget_old(struct spoa_workload_watch *watch)
{
	cleanup(free) uint64_t *order = calloc(watch->n_learnt + 1, sizeof(*order));
	size_t n = watch->n_learnt, kept = 0;

	if (!order)
		return;
	for (size_t i = 0; i < n; i++) /* there are fewer than 2^32 */
		order[i] = (uint64_t)watch->learnt[i].number << 32 | i;
	qsort(order, n, sizeof(*order), compare);
	for (size_t i = 0; i + 1 < n; i++)
		if (order[i] >> 32 == order[i + 1] >> 32)
			unlearn(&watch->learnt[(uint32_t)order[i]]);
	for (size_t i = 0; i < n; i++) {
		struct ident_directory_entry *entry = &watch->learnt[i];

		if (entry->labels && *entry->labels)
			watch->learnt[kept++] = *entry;
		else
			unlearn(entry);
	}
	watch->n_learnt = kept;
}

/* What cannot be kept is not known; for this there is always room. */
static void drop(struct spoa_workload_watch *watch, uint32_t number)
{
	size_t kept = 0;

	for (size_t i = 0; i < watch->n_learnt; i++)
		if (watch->learnt[i].number == number)
			unlearn(&watch->learnt[i]);
		else
			watch->learnt[kept++] = watch->learnt[i];
	watch->n_learnt = kept;
	watch->news = true;
}

static void take_learnt(struct spoa_workload_watch *watch, struct spoa_workloads *next)
{
	if (watch->news)
		forget_old(watch);
	if (!watch->n_learnt)
		return;
	if (ident_directory_new(watch->learnt, watch->n_learnt, &next->learnt) && watch->now)
		next->learnt = ident_directory_ref(watch->now->learnt);
}

bool spoa_workload_watch_look(struct spoa_workload_watch *watch)
{
	bool ipcache = ipcache_is_same(watch), file = file_is_same(watch);
	struct spoa_workloads *next, *was = watch->now;

	if (ipcache && file && !watch->news && was)
		return false;
	next = calloc(1, sizeof(*next));
	if (!next)
		return false;
	atomic_init(&next->refs, 1);
	/* One that is lost stays so until it is back: nothing to hand round each second. */
	open_ipcache(watch, next);
	if (file)
		next->file = was ? ident_directory_ref(was->file) : NULL;
	else
		read_labels(watch, next);
	take_learnt(watch, next);
	if (was && file && !watch->news && was->lost && next->lost) {
		spoa_workloads_unref(next);
		return false;
	}
	watch->news = false;
	watch->now = next;
	spoa_workloads_unref(was);
	return true;
}

struct spoa_workload_watch *spoa_workload_watch_new(const struct conf *conf)
{
	struct spoa_workload_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	if (conf->workloads.ipcache)
		watch->dir = strdup(conf->workloads.ipcache);
	if (conf->workloads.labels_file)
		watch->file = strdup(conf->workloads.labels_file);
	if ((conf->workloads.ipcache && !watch->dir) ||
		(conf->workloads.labels_file && !watch->file)) {
		spoa_workload_watch_free(watch);
		return NULL;
	}
	watch->ino = (ino_t)-1; /* so that a file that is missing from the start is said */
	(void)spoa_workload_watch_look(watch);
	return watch;
}

void spoa_workload_watch_free(struct spoa_workload_watch *watch)
{
	if (!watch)
		return;
	spoa_workloads_unref(watch->now);
	for (size_t i = 0; i < watch->n_learnt; i++)
		free((char *)watch->learnt[i].labels);
	free(watch->learnt);
	free((char *)watch->dir);
	free((char *)watch->file);
	free(watch);
}

struct spoa_workloads *spoa_workload_watch_now(struct spoa_workload_watch *watch)
{
	return spoa_workloads_ref(watch->now);
}

static int make_room(struct spoa_workload_watch *watch)
{
	struct ident_directory_entry *more;
	size_t room = watch->room ? 2 * watch->room : 64;

	if (watch->n_learnt < watch->room)
		return 0;
	forget_old(watch);
	if (watch->n_learnt < watch->room - watch->room / 4)
		return 0;
	if (room > 2 * (size_t)IDENT_DIRECTORY_MAX)
		return -E2BIG;
	more = realloc(watch->learnt, room * sizeof(*more));
	if (!more)
		return -ENOMEM;
	watch->learnt = more;
	watch->room = room;
	return 0;
}

int spoa_workload_watch_learn(
	struct spoa_workload_watch *watch, uint32_t number, const char *labels)
{
	char *copy = NULL;
	int rc = labels && ident_labels_check(labels) ? -EINVAL : make_room(watch);

	if (!rc) {
		copy = strdup(labels ? labels : "");
		rc = copy ? 0 : -ENOMEM;
	}
	if (rc) {
		drop(watch, number);
		return rc;
	}
	watch->learnt[watch->n_learnt++] = (struct ident_directory_entry){number, copy};
	watch->news = true;
	return 0;
}

bool spoa_workload_watch_lost(const struct spoa_workload_watch *watch)
{
	return watch->dir && !(watch->now && watch->now->ipcache);
}

json_t *spoa_workload_watch_status(const struct spoa_workload_watch *watch)
{
	const struct spoa_workloads *now = watch ? watch->now : NULL;
	json_t *ipcache = json_null();

	if (!watch)
		return ipcache;
	if (watch->dir)
		ipcache = json_pack("{s:o, s:i, s:o}", "path", spoa_status_text(watch->dir),
			"version",
			now && now->ipcache ? (int)bpfmap_ipcache_version(now->ipcache) : 0, "why",
			spoa_status_text(watch->why));
	return json_pack("{s:o, s:I, s:I, s:o}", "ipcache", ipcache, "labels",
		(json_int_t)(now ? ident_directory_count(now->file) +
					     ident_directory_count(now->learnt)
				 : 0),
		"labels_skipped", (json_int_t)watch->skipped, "labels_why",
		spoa_status_text(watch->file_why));
}
