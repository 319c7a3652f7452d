#include "etcd/notes.h"

#include "base/clock.h"
#include "etcd/watch.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PREFIX_MAX 128
#define KEY_MAX    (PREFIX_MAX + ETCD_NOTE_NAME)
/* Texts that end within the same while share a lease, which ends with the while. */
#define WHILE_S INT64_C(600)
#define LEASES  64
/* Texts on their way at once. */
#define ACTIVE   8
#define RETRY_NS ((uint64_t)(500 * NS_PER_MS))

struct lease {
	int64_t ends_s; /* 0: an empty place */
	int64_t id;
};

struct note {
	struct note *next;
	struct etcd_notes *notes;
	int64_t expires_s;
	struct etcd_call *call;
	int64_t ends_s, lease; /* of its while */
	int64_t modified;      /* what etcd had, when it was looked at last; 0: nothing */
	size_t n;
	char name[ETCD_NOTE_NAME + 1];
	char text[ETCD_NOTE_VALUE];
};

struct etcd_notes {
	struct etcd_client *client;
	struct etcd_notes_owner owner;
	struct etcd_watch *watch;
	char prefix[PREFIX_MAX + 1];
	struct lease leases[LEASES];
	struct note *waiting, **waiting_end;
	struct note *active[ACTIVE];
	size_t n_active, n_waiting;
	bool overflow; /* something found no room: offer again */
	uint64_t now_ns, next_ns;
	int64_t wall_s;
	struct etcd_notes_stats stats;
};

static void on_list(void *arg)
{
	(void)arg;
}

static void on_put(void *arg, const struct etcd_kv *kv)
{
	struct etcd_notes *notes = arg;
	size_t n = strlen(notes->prefix);

	if (kv->key.n <= n || kv->key.n - n > ETCD_NOTE_NAME || kv->value.n > ETCD_NOTE_VALUE) {
		notes->stats.malformed++;
		return;
	}
	notes->stats.told++;
	notes->owner.note(
		notes->owner.arg, (struct span){.p = kv->key.p + n, .n = kv->key.n - n}, kv->value);
}

/* It expired, or somebody deleted it, which says nothing. */
static void on_gone(void *arg, const struct etcd_kv *kv)
{
	(void)arg;
	(void)kv;
}

static void on_listed(void *arg)
{
	struct etcd_notes *notes = arg;

	notes->owner.offer(notes->owner.arg);
}

static void on_reached(void *arg, int64_t revision)
{
	(void)arg;
	(void)revision;
}

static void on_batch(void *arg, bool begins)
{
	struct etcd_notes *notes = arg;

	notes->owner.batch(notes->owner.arg, begins);
}

struct etcd_notes *etcd_notes_new(
	struct etcd_client *client, const char *prefix, const struct etcd_notes_owner *owner)
{
	cleanup(etcd_notes) struct etcd_notes *notes = calloc(1, sizeof(*notes));
	const struct etcd_watch_owner watch = {
		on_list, on_put, on_gone, on_listed, on_reached, on_batch, notes};

	assert(strlen(prefix) <= PREFIX_MAX);
	if (!notes)
		return NULL;
	notes->client = client;
	notes->owner = *owner;
	notes->waiting_end = &notes->waiting;
	memcpy(notes->prefix, prefix, strlen(prefix) + 1);
	notes->watch = etcd_watch_new(client, prefix, prefix, &watch);
	return notes->watch ? TAKE_PTR(notes) : NULL;
}

void etcd_notes_free(struct etcd_notes *notes)
{
	if (!notes)
		return;
	for (size_t i = 0; i < notes->n_active; i++) {
		etcd_client_drop(notes->client, notes->active[i]->call);
		free(notes->active[i]);
	}
	while (notes->waiting) {
		struct note *next = notes->waiting->next;

		free(notes->waiting);
		notes->waiting = next;
	}
	etcd_watch_free(notes->watch);
	free(notes);
}

static void enqueue(struct etcd_notes *notes, struct note *note)
{
	note->next = NULL;
	*notes->waiting_end = note;
	notes->waiting_end = &note->next;
	notes->n_waiting++;
}

void etcd_notes_put(struct etcd_notes *notes, const char *name, struct span text, int64_t expires_s)
{
	struct note *note = NULL;

	assert(strlen(name) <= ETCD_NOTE_NAME && text.n <= ETCD_NOTE_VALUE);
	if (notes->n_waiting < ETCD_NOTES_WAITING)
		note = calloc(1, sizeof(*note));
	if (!note) {
		notes->overflow = true;
		return;
	}
	note->notes = notes;
	note->expires_s = expires_s;
	memcpy(note->name, name, strlen(name) + 1);
	memcpy(note->text, text.p, text.n);
	note->n = text.n;
	enqueue(notes, note);
	notes->next_ns = 0;
}

/* Not active any more. */
static void leave(struct note *note)
{
	struct etcd_notes *notes = note->notes;

	for (size_t i = 0; i < notes->n_active; i++)
		if (notes->active[i] == note) {
			notes->active[i] = notes->active[--notes->n_active];
			return;
		}
}

static void done(struct note *note)
{
	leave(note);
	note->notes->next_ns = 0;
	free(note);
}

static void forget_lease(struct etcd_notes *notes, int64_t id);

/* Later, behind all others. */
static void later(struct note *note, int error)
{
	struct etcd_notes *notes = note->notes;

	if (error == -ENOENT) /* the lease is not there any more */
		forget_lease(notes, note->lease);
	leave(note);
	enqueue(notes, note);
	notes->next_ns = notes->now_ns + RETRY_NS;
}

static void write_note(struct note *note);

/* etcd has one already: is there more to say? */
static void on_there(struct note *note, const struct etcd_kv *kv)
{
	struct etcd_notes *notes = note->notes;
	struct span mine = {.p = note->text, .n = note->n};
	char merged[ETCD_NOTE_VALUE];
	size_t n = 0;

	if (span_eq(kv->value, mine) ||
		!notes->owner.merge(notes->owner.arg, kv->value, mine, merged, &n)) {
		done(note);
		return;
	}
	memcpy(note->text, merged, n);
	note->n = n;
	note->modified = kv->modified;
	write_note(note);
}

static void on_written(void *arg, int error, const struct etcd_reply *reply, const char *why)
{
	struct note *note = arg;

	(void)why;
	note->call = NULL;
	if (error) {
		later(note, error);
	} else if (reply->succeeded) {
		note->notes->stats.put++;
		done(note);
	} else if (reply->n_kvs) {
		on_there(note, &reply->kvs[0]);
	} else { /* it was there, and has expired */
		note->modified = 0;
		write_note(note);
	}
}

static void write_note(struct note *note)
{
	struct etcd_notes *notes = note->notes;
	char text[KEY_MAX + 1];
	struct span key;
	struct etcd_txn txn;

	snprintf(text, sizeof(text), "%s%s", notes->prefix, note->name);
	key = span_of(text);
	etcd_txn_init(&txn);
	etcd_txn_if_modified(&txn, key, note->modified);
	etcd_txn_then_put(&txn, key, (struct span){.p = note->text, .n = note->n}, note->lease);
	etcd_txn_else_range(&txn, &(struct etcd_range){.key = key});
	if (etcd_client_call(
		    notes->client, ETCD_TXN, etcd_txn_done(&txn), on_written, note, &note->call))
		later(note, 0);
}

/* The lease of a while, 0: there is none yet. */
static int64_t lease_of(const struct etcd_notes *notes, int64_t ends_s)
{
	for (size_t i = 0; i < LEASES; i++)
		if (notes->leases[i].ends_s == ends_s)
			return notes->leases[i].id;
	return 0;
}

/* In place of the one that ends first. */
static void remember_lease(struct etcd_notes *notes, int64_t ends_s, int64_t id)
{
	struct lease *first = &notes->leases[0];

	for (size_t i = 1; i < LEASES; i++)
		if (notes->leases[i].ends_s < first->ends_s)
			first = &notes->leases[i];
	*first = (struct lease){.ends_s = ends_s, .id = id};
}

static void forget_lease(struct etcd_notes *notes, int64_t id)
{
	for (size_t i = 0; i < LEASES; i++)
		if (notes->leases[i].id == id)
			notes->leases[i] = (struct lease){0};
}

static void on_granted(void *arg, int error, const struct etcd_reply *reply, const char *why)
{
	struct note *note = arg;

	(void)why;
	note->call = NULL;
	if (error || !reply->ttl) {
		later(note, 0);
		return;
	}
	note->lease = reply->lease;
	remember_lease(note->notes, note->ends_s, note->lease);
	write_note(note);
}

static void begin(struct note *note)
{
	struct etcd_notes *notes = note->notes;

	notes->active[notes->n_active++] = note;
	note->ends_s = (note->expires_s / WHILE_S + 2) * WHILE_S;
	note->lease = lease_of(notes, note->ends_s);
	note->modified = 0;
	if (note->lease)
		write_note(note);
	else if (etcd_client_call(notes->client, ETCD_GRANT,
			 etcd_request_grant(note->ends_s - notes->wall_s), on_granted, note,
			 &note->call))
		later(note, 0);
}

static bool is_up(const struct etcd_notes *notes)
{
	return etcd_watch_has_listed(notes->watch) && etcd_watch_is_up(notes->watch);
}

static void send_waiting(struct etcd_notes *notes)
{
	while (is_up(notes) && notes->waiting && notes->n_active < ACTIVE &&
		notes->now_ns >= notes->next_ns) {
		struct note *note = notes->waiting;

		notes->waiting = note->next;
		if (!notes->waiting)
			notes->waiting_end = &notes->waiting;
		notes->n_waiting--;
		if (note->expires_s <= notes->wall_s)
			free(note);
		else
			begin(note);
	}
	if (notes->overflow && is_up(notes) && !notes->waiting && !notes->n_active) {
		notes->overflow = false;
		notes->owner.offer(notes->owner.arg);
	}
}

uint64_t etcd_notes_tick(struct etcd_notes *notes, uint64_t now_ns, int64_t wall_s)
{
	uint64_t next;

	notes->now_ns = now_ns;
	notes->wall_s = wall_s;
	next = etcd_watch_tick(notes->watch, now_ns);
	send_waiting(notes);
	if (notes->waiting && notes->n_active < ACTIVE && is_up(notes) && notes->next_ns < next)
		next = notes->next_ns;
	return next;
}

struct etcd_notes_stats etcd_notes_stats(const struct etcd_notes *notes)
{
	struct etcd_notes_stats stats = notes->stats;

	stats.up = is_up(notes);
	stats.waiting = notes->n_waiting + notes->n_active;
	return stats;
}

void etcd_notes_malformed(struct etcd_notes *notes)
{
	notes->stats.malformed++;
}
