/* All identities that there are, with those that rest. */
#include "store/sql.h"
#include "store/store.h"

#include <errno.h>
#include <string.h>

struct list {
	struct store_identity *items;
	size_t n, room;
};

static void list_done(struct list list)
{
	store_identities_free(list.items, list.n);
}

DEFINE_CLEANUP(list, struct list, list_done)

static int list_add(struct list *list, sqlite3_stmt *row)
{
	const char *labels = (const char *)sqlite3_column_text(row, 2);
	const char *roles = (const char *)sqlite3_column_text(row, 3);
	size_t room = list->room ? list->room * 2 : 64;

	if (list->n == list->room) {
		struct store_identity *grown =
			reallocarray(list->items, room, sizeof(*list->items));

		if (!grown)
			return -ENOMEM;
		list->items = grown;
		list->room = room;
	}
	list->items[list->n] = (struct store_identity){
		.id = (uint32_t)sqlite3_column_int64(row, 0),
		.fixed = sqlite3_column_int(row, 1),
		.labels = labels ? strdup(labels) : NULL,
		.roles = roles ? strdup(roles) : NULL,
		.used_s = sqlite3_column_int64(row, 4),
		.released_s = sqlite3_column_int64(row, 5),
	};
	list->n++;
	return list->items[list->n - 1].labels && list->items[list->n - 1].roles ? 0 : -ENOMEM;
}

int store_identities(struct store *store, struct store_identity **ret, size_t *ret_n)
{
	cleanup(store_reset) sqlite3_stmt *q = store_sql_get(store, STORE_SQL_LIST);
	cleanup(list) struct list list = {0};
	int rc;

	while ((rc = sqlite3_step(q)) == SQLITE_ROW)
		if (list_add(&list, q))
			return -ENOMEM;
	if (rc != SQLITE_DONE)
		return rc == SQLITE_NOMEM ? -ENOMEM : -EIO;
	*ret = TAKE_PTR(list.items);
	*ret_n = list.n;
	list.n = 0;
	return 0;
}

void store_identities_free(struct store_identity *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(list[i].labels);
		free(list[i].roles);
	}
	free(list);
}
