/* Runs a fuzz target over the files of its corpus folder; an empty folder is a failure. */
#include "tests/fuzz/fuzz.h"

#include "base/mem.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

static int replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data;
	size_t n;
	long size;

	if (!f || fseek(f, 0, SEEK_END) || (size = ftell(f)) < 0 || fseek(f, 0, SEEK_SET)) {
		perror(path);
		return -1;
	}
	/* Exactly as large as the input, so that a sanitizer sees a read one past it. */
	data = malloc(size ? (size_t)size : 1);
	n = data ? fread(data, 1, (size_t)size, f) : 0;
	fclose(f);
	if (!data || n != (size_t)size)
		return -1;
	LLVMFuzzerTestOneInput(data, n);
	free(data);
	return 0;
}

int main(int argc, char **argv)
{
	DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
	struct dirent *entry;
	char path[4096];
	unsigned n = 0;

	if (!dir) {
		fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
		return 2;
	}
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
		if (replay_file(path))
			return 1;
		n++;
	}
	closedir(dir);
	printf("replayed %u inputs of %s\n", n, argv[1]);
	return n ? 0 : 1;
}
