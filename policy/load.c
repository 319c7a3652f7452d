#include "policy/load.h"

#include "conf/yaml.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* The files that are meant, with their folders' names. */
struct files {
	char **paths;
	size_t n, room;
};

static void cleanup_fn_files(struct files *files)
{
	for (size_t i = 0; i < files->n; i++)
		free(files->paths[i]);
	free(files->paths);
}

static void cleanup_fn_diag(struct base_diag *diag)
{
	base_diag_done(diag);
}

static void cleanup_fn_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static int add_path(struct files *files, const char *folder, const char *name)
{
	char **grown, *path;

	if (files->n == POLICY_FILES_MAX)
		return -E2BIG;
	if (files->n == files->room) {
		size_t room = files->room ? files->room * 2 : 16;

		grown = reallocarray(files->paths, room, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		files->paths = grown;
		files->room = room;
	}
	if (asprintf(&path, "%s%s%s", folder, *name ? "/" : "", name) < 0)
		return -ENOMEM;
	files->paths[files->n++] = path;
	return 0;
}

static bool is_policy_file(const char *name)
{
	static const char *const ENDS[] = {".yaml", ".yml", ".json"};
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && name[0] != '.' && i < ARRAY_SIZE(ENDS); i++)
		if (!strcmp(dot, ENDS[i]))
			return true;
	return false;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* 0 or -errno: of the folder, or -ENOMEM, or -E2BIG. */
static int add_folder(struct files *files, const char *path)
{
	cleanup(dir) DIR *dir = opendir(path);
	size_t first = files->n;
	const struct dirent *entry;
	int err = dir ? 0 : -errno;

	while (!err && (errno = 0, entry = readdir(dir)))
		if (is_policy_file(entry->d_name))
			err = add_path(files, path, entry->d_name);
	if (!err && errno)
		err = -errno;
	if (files->n > first)
		qsort(files->paths + first, files->n - first, sizeof(*files->paths), by_name);
	return err;
}

static int find_files(struct files *files, const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return -errno;
	return S_ISDIR(st.st_mode) ? add_folder(files, path) : add_path(files, path, "");
}

/* The whole file; one byte more than allowed is how the parser sees that it is too large. */
static int read_file(const char *path, char **ret_text, size_t *ret_n)
{
	cleanup(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	cleanup(free) char *text = NULL;
	size_t size, n = 0;
	ssize_t got = 1;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	size = (size_t)(st.st_size < (off_t)POLICY_FILE_BYTES ? st.st_size : POLICY_FILE_BYTES) + 1;
	text = malloc(size);
	if (!text)
		return -ENOMEM;
	while (got && n < size) {
		got = read(fd, text + n, size - n);
		if (got < 0 && errno != EINTR)
			return -errno;
		n += got > 0 ? (size_t)got : 0;
	}
	*ret_text = TAKE_PTR(text);
	*ret_n = n;
	return 0;
}

static int read_documents(
	struct policy_set *set, const char *path, struct base_diag *diag, struct base_diag *notes)
{
	static const struct conf_yaml_limits LIMITS = {POLICY_FILE_BYTES, POLICY_FILE_ENTRIES};
	cleanup(base_doc) struct base_doc *docs = NULL;
	cleanup(free) char *text = NULL;
	size_t n = 0;
	int err = read_file(path, &text, &n);

	if (err && err != -ENOMEM) {
		base_diag_add(diag, 0, 0, "cannot be read: %s", strerror(-err));
		return -EINVAL;
	}
	if (!err)
		err = conf_yaml_documents(text, n, &LIMITS, &docs, diag);
	for (size_t i = 0; !err && i < docs->n_entries; i++) {
		err = policy_set_add(set, path, docs->entries[i].value, diag, notes);
		err = err == -EINVAL ? 0 : err;
	}
	if (err)
		return err;
	return diag->n_found ? -EINVAL : 0;
}

/* One file, or one path at which there is none. */
static int load_one(
	struct policy_set *set, const char *path, int problem, policy_load_said *said, void *arg)
{
	cleanup(diag) struct base_diag diag = {0};
	cleanup(diag) struct base_diag notes = {0};
	int err = -EINVAL;

	base_diag_init(&diag, path);
	base_diag_init(&notes, path);
	if (problem == -E2BIG)
		base_diag_add(&diag, 0, 0, "more than %d policy files", POLICY_FILES_MAX);
	else if (problem)
		base_diag_add(&diag, 0, 0, "cannot be read: %s", strerror(-problem));
	else
		err = read_documents(set, path, &diag, &notes);
	if (said)
		said(arg, &diag, &notes);
	return err;
}

int policy_load(struct policy_set *set, const char *const *paths, size_t n_paths,
	policy_load_said *said, void *arg)
{
	cleanup(files) struct files files = {0};
	int worst = 0;

	for (size_t i = 0; i < n_paths; i++) {
		int err = find_files(&files, paths[i]);

		if (err == -ENOMEM)
			return err;
		if (err)
			worst = load_one(set, paths[i], err, said, arg);
	}
	for (size_t i = 0; i < files.n; i++) {
		int err = load_one(set, files.paths[i], 0, said, arg);

		if (err == -ENOMEM)
			return err;
		worst = err ? err : worst;
	}
	return worst;
}

static uint64_t mix(uint64_t stamp, const void *data, size_t n)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < n; i++)
		stamp = (stamp ^ p[i]) * UINT64_C(1099511628211);
	return stamp;
}

uint64_t policy_load_stamp(const char *const *paths, size_t n_paths)
{
	cleanup(files) struct files files = {0};
	uint64_t stamp = UINT64_C(14695981039346656037);
	struct stat st;

	for (size_t i = 0; i < n_paths; i++) {
		int err = find_files(&files, paths[i]);

		stamp = mix(stamp, &err, sizeof(err));
	}
	for (size_t i = 0; i < files.n; i++) {
		stamp = mix(stamp, files.paths[i], strlen(files.paths[i]) + 1);
		if (stat(files.paths[i], &st))
			continue;
		stamp = mix(stamp, &st.st_mtim, sizeof(st.st_mtim));
		stamp = mix(stamp, &st.st_size, sizeof(st.st_size));
		stamp = mix(stamp, &st.st_ino, sizeof(st.st_ino));
	}
	return stamp;
}
