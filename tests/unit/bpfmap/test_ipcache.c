#include "bpfmap/ipcache.h"

#include "base/cidr.h"
#include "tests/unit/bpfmap/kernel.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

Suite *suite_ipcache(void);

/* A map as Cilium makes it (cilium-verified.md 2), pinned; its descriptor. */
static int make(const char *name, unsigned type, unsigned key, unsigned value, unsigned flags)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = flags);
	char path[200];
	int fd = bpf_map_create(type, "ipcache", key, value, 512000, &opts);

	ck_assert_int_ge(fd, 0);
	snprintf(path, sizeof(path), "%s/%s", kernel.bpf, name);
	ck_assert_int_eq(bpf_obj_pin(fd, path), 0);
	return fd;
}

static int make_v2(void)
{
	return make(BPFMAP_IPCACHE_V2, BPF_MAP_TYPE_LPM_TRIE, 24, 24, 0x81);
}

static void drop(const char *name)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", kernel.bpf, name);
	ck_assert_int_eq(unlink(path), 0);
}

static void bytes_of(const char *hex, uint8_t *to, size_t n)
{
	memset(to, 0, n);
	for (size_t i = 0; hex[2 * i]; i++) {
		unsigned byte;

		ck_assert_uint_lt(i, n);
		ck_assert_int_eq(sscanf(hex + 2 * i, "%2x", &byte), 1);
		to[i] = (uint8_t)byte;
	}
}

/* Golden bytes of a real agent: cilium-verified.md 2. */
static const struct {
	const char *key, *value;
} ENTRIES[] = {
	{"40000000000000010a000107", "41420f00"},
	{"a00000000000000220010db8000000000000000000000009",
		"3b300000fd0000000000000000000000000000020000"
		"0407"},
	{"38000000000000010a000200", "d2040000"}, /* 10.0.2.0/24: 1234 */
	{"40000000050000010a000109", "0f270000"}, /* cluster 5: 10.0.1.9@5, not ours */
	{"2000000000000001", "02000000"},         /* 0.0.0.0/0: world */
};

static const struct {
	const char *address;
	int err;
	uint32_t identity;
} FOUND[] = {
	{"10.0.1.7", 0, 1000001},
	{"::ffff:10.0.1.7", 0, 1000001},
	{"2001:db8::9", 0, 12347},
	{"10.0.2.200", 0, 1234},
	{"10.0.1.9", 0, 2},
	{"2001:db8::8", -ENOENT, 0},
};

static int put_all(int fd, size_t value_size)
{
	for (size_t i = 0; i < sizeof(ENTRIES) / sizeof(ENTRIES[0]); i++) {
		uint8_t key[24], value[24];

		bytes_of(ENTRIES[i].key, key, sizeof(key));
		bytes_of(ENTRIES[i].value, value, sizeof(value));
		memset(value + value_size, 0, sizeof(value) - value_size);
		ck_assert_int_eq(bpf_map_update_elem(fd, key, value, BPF_ANY), 0);
	}
	return fd;
}

static void find_all(const struct bpfmap_ipcache *ipcache)
{
	for (size_t i = 0; i < sizeof(FOUND) / sizeof(FOUND[0]); i++) {
		struct base_cidr address;
		uint32_t identity = 0;

		ck_assert_int_eq(base_cidr_parse(FOUND[i].address, &address), 0);
		ck_assert_int_eq(
			bpfmap_ipcache_find(ipcache, address.bytes, &identity), FOUND[i].err);
		ck_assert_uint_eq(identity, FOUND[i].identity);
	}
}

START_TEST(finds)
{
	/* Goal: both layouts, filled with a real agent's bytes, say what Cilium says. */
	cleanup(bpfmap_ipcache) struct bpfmap_ipcache *ipcache = NULL;
	char why[BPFMAP_WHY] = "";

	if (_i == 1)
		close(put_all(make(BPFMAP_IPCACHE_V1, BPF_MAP_TYPE_LPM_TRIE, 24, 12, 1), 12));
	else
		close(put_all(make_v2(), 24));
	ck_assert_msg(bpfmap_ipcache_open(kernel.bpf, &ipcache, why) == 0, "%s", why);
	ck_assert_uint_eq(bpfmap_ipcache_version(ipcache), (unsigned)_i);
	find_all(ipcache);
}
END_TEST

static const struct {
	const char *name;
	unsigned type, key, value, flags;
} OTHERS[] = {
	{BPFMAP_IPCACHE_V2, BPF_MAP_TYPE_LPM_TRIE, 24, 12, 1},
	{BPFMAP_IPCACHE_V1, BPF_MAP_TYPE_LPM_TRIE, 24, 24, 1},
	{BPFMAP_IPCACHE_V2, BPF_MAP_TYPE_LPM_TRIE, 20, 24, 1},
	{BPFMAP_IPCACHE_V2, BPF_MAP_TYPE_LPM_TRIE, 24, 28, 1},
	{BPFMAP_IPCACHE_V2, BPF_MAP_TYPE_HASH, 24, 24, 1},
};

START_TEST(other_layouts)
{
	/* Goal: a map of that name with other sizes is refused, and an older one beside it is not used. */
	struct bpfmap_ipcache *ipcache = NULL;
	char why[BPFMAP_WHY] = "";

	close(make(OTHERS[_i].name, OTHERS[_i].type, OTHERS[_i].key, OTHERS[_i].value,
		OTHERS[_i].flags));
	if (!strcmp(OTHERS[_i].name, BPFMAP_IPCACHE_V2))
		close(make(BPFMAP_IPCACHE_V1, BPF_MAP_TYPE_LPM_TRIE, 24, 12, 1));
	ck_assert_int_eq(bpfmap_ipcache_open(kernel.bpf, &ipcache, why), -EPROTO);
	ck_assert_ptr_nonnull(strstr(why, "lpm_trie, key 24"));
	ck_assert_ptr_null(ipcache);
}
END_TEST

START_TEST(re_created)
{
	/* Goal: a pin that Cilium's agent makes anew, or under its newer name, is noticed. */
	cleanup(bpfmap_ipcache) struct bpfmap_ipcache *first = NULL;
	cleanup(bpfmap_ipcache) struct bpfmap_ipcache *second = NULL;
	char why[BPFMAP_WHY] = "";
	struct bpfmap_ipcache *none = NULL;

	ck_assert_int_eq(bpfmap_ipcache_open(kernel.bpf, &none, why), -ENOENT);
	close(put_all(make(BPFMAP_IPCACHE_V1, BPF_MAP_TYPE_LPM_TRIE, 24, 12, 1), 12));
	ck_assert_int_eq(bpfmap_ipcache_open(kernel.bpf, &first, why), 0);
	ck_assert(bpfmap_ipcache_same(first));
	drop(BPFMAP_IPCACHE_V1);
	ck_assert(!bpfmap_ipcache_same(first));
	close(make(BPFMAP_IPCACHE_V1, BPF_MAP_TYPE_LPM_TRIE, 24, 12, 1));
	ck_assert(!bpfmap_ipcache_same(first));
	ck_assert_int_eq(bpfmap_ipcache_open(kernel.bpf, &second, why), 0);
	ck_assert(bpfmap_ipcache_same(second));
	close(make_v2());
	ck_assert(!bpfmap_ipcache_same(second));
}
END_TEST

/* In a child without rights: 1 open, 2 refused for rights; 3 it could write. */
static int try_unprivileged(void *arg)
{
	LIBBPF_OPTS(bpf_obj_get_opts, writable, .file_flags = 0);
	cleanup(bpfmap_ipcache) struct bpfmap_ipcache *ipcache = NULL;
	char why[BPFMAP_WHY], path[200];
	int err = bpfmap_ipcache_open(kernel.bpf, &ipcache, why);

	(void)arg;
	snprintf(path, sizeof(path), "%s/%s", kernel.bpf, BPFMAP_IPCACHE_V2);
	if (bpf_obj_get_opts(path, &writable) >= 0)
		return 3;
	return err == 0 ? 1 : err == -EACCES && strstr(why, "--grant-ipcache") ? 2 : 4;
}

START_TEST(rights)
{
	/* Goal: a group that may read the pin, and nothing more, is enough; without it why says so. */
	char path[200];

	close(make_v2());
	snprintf(path, sizeof(path), "%s/%s", kernel.bpf, BPFMAP_IPCACHE_V2);
	ck_assert_int_eq(chmod(kernel.bpf, 0711), 0);
	ck_assert_int_eq(kernel_unprivileged(KERNEL_USER, KERNEL_GROUP, try_unprivileged, NULL), 2);
	ck_assert_int_eq(chown(path, 0, KERNEL_GROUP), 0);
	ck_assert_int_eq(chmod(path, 0640), 0);
	ck_assert_int_eq(kernel_unprivileged(KERNEL_USER, KERNEL_GROUP, try_unprivileged, NULL), 1);
	ck_assert_int_eq(
		kernel_unprivileged(KERNEL_NOBODY, KERNEL_NOBODY, try_unprivileged, NULL), 2);
}
END_TEST

Suite *suite_ipcache(void)
{
	Suite *suite = suite_create("bpfmap/ipcache");
	TCase *tcase = tcase_create("kernel");

	tcase_add_checked_fixture(tcase, kernel_setup, kernel_teardown);
	tcase_add_loop_test(tcase, finds, 1, 3);
	tcase_add_loop_test(tcase, other_layouts, 0, sizeof(OTHERS) / sizeof(OTHERS[0]));
	tcase_add_test(tcase, re_created);
	tcase_add_test(tcase, rights);
	suite_add_tcase(suite, tcase);
	return suite;
}
