#include "etcd/mesh.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define RETRY_NS ((uint64_t)(1 * NS_PER_S))

/* Addresses in one transaction: each is a compare and two operations. */
#define BATCH 32

struct place {
	struct etcd_address address;
	bool wanted; /* else it is to go */
	bool there;  /* etcd has it, as far as we know */
};

struct etcd_mesh {
	struct etcd_client *client;
	const struct etcd_cluster *cluster;
	struct etcd_lease *lease;
	bool own;
	int64_t under; /* the lease that everything was put under; 0: none */
	struct place places[ETCD_ADDRESSES_MAX * 2];
	size_t n_places;
	size_t at, asked; /* the next place of the round, and how many are being asked about */
	bool configured;  /* in this round */
	struct etcd_call *call, *beat;
	uint64_t now_ns, next_ns, beat_ns;
};

int etcd_mesh_text(int family, const void *address, char to[INET6_ADDRSTRLEN])
{
	static const uint8_t ZERO[12];
	char text[INET6_ADDRSTRLEN];

	/* The twelve bytes in front of IPv4 in IPv6, and of the addresses that inet_ntop prints as such. */
	if (family == AF_INET6 && (!memcmp(address, ZERO, sizeof(ZERO)) ||
					  IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)address)))
		return -EINVAL;
	if (family == AF_INET && !memcmp(address, ZERO, 4))
		return -EINVAL;
	if (!inet_ntop(family, address, text, sizeof(text)))
		return -EINVAL;
	memcpy(to, text, sizeof(text));
	return 0;
}

struct span etcd_mesh_ip(const struct etcd_address *address, char to[ETCD_MESH_IP_MAX])
{
	int n = snprintf(to, ETCD_MESH_IP_MAX,
		"{\"IP\":\"%s\",\"HostIP\":\"\",\"ID\":%" PRIu32 ",\"Key\":0,\"Metadata\":\"\"}",
		address->text, address->number.id);

	return (struct span){.p = to, .n = (size_t)n};
}

struct span etcd_mesh_config(const struct etcd_cluster *cluster, char to[ETCD_MESH_CONFIG_MAX])
{
	int n = snprintf(to, ETCD_MESH_CONFIG_MAX,
		"{\"id\":%u,\"capabilities\":{\"maxConnectedClusters\":%u}}", cluster->id,
		cluster->clusters);

	return (struct span){.p = to, .n = (size_t)n};
}

struct etcd_mesh *etcd_mesh_new(struct etcd_client *client, const struct etcd_cluster *cluster,
	struct etcd_lease *lease, bool own)
{
	struct etcd_mesh *mesh = calloc(1, sizeof(*mesh));

	if (!mesh)
		return NULL;
	mesh->client = client;
	mesh->cluster = cluster;
	mesh->lease = lease;
	mesh->own = own;
	return mesh;
}

void etcd_mesh_free(struct etcd_mesh *mesh)
{
	if (!mesh)
		return;
	etcd_client_drop(mesh->client, mesh->call);
	etcd_client_drop(mesh->client, mesh->beat);
	free(mesh);
}

static struct place *find(struct etcd_mesh *mesh, const char *text)
{
	for (size_t i = 0; i < mesh->n_places; i++)
		if (!strcmp(mesh->places[i].address.text, text))
			return &mesh->places[i];
	return NULL;
}

static void start_round(struct etcd_mesh *mesh)
{
	mesh->at = 0;
	mesh->configured = false;
}

void etcd_mesh_addresses(struct etcd_mesh *mesh, const struct etcd_address *list, size_t n)
{
	/* A round that is under way is about other places. */
	etcd_client_drop(mesh->client, TAKE_PTR(mesh->call));
	for (size_t i = 0; i < mesh->n_places; i++)
		mesh->places[i].wanted = false;
	for (size_t i = 0; i < n && i < ETCD_ADDRESSES_MAX; i++) {
		struct place *place = find(mesh, list[i].text);

		if (!place && mesh->n_places == ARRAY_SIZE(mesh->places))
			continue;
		if (!place) {
			place = &mesh->places[mesh->n_places++];
			place->there = false;
		}
		place->there = place->there && place->address.number.id == list[i].number.id;
		place->address = list[i];
		place->wanted = true;
	}
	start_round(mesh);
	mesh->next_ns = 0;
}

static void add_put(struct etcd_mesh *mesh, struct etcd_txn *txn, const struct place *place)
{
	char value[ETCD_MESH_IP_MAX];
	struct span text = etcd_mesh_ip(&place->address, value);
	etcd_key_buf buf;

	etcd_txn_then_put(
		txn, etcd_layout_ip(mesh->cluster, place->address.text, buf), text, mesh->under);
}

/* If it is ours still: the address may have moved to another agent. */
static void add_delete(struct etcd_mesh *mesh, struct etcd_txn *txn, const struct place *place)
{
	etcd_key_buf buf;
	struct span key = etcd_layout_ip(mesh->cluster, place->address.text, buf);

	etcd_txn_if_lease(txn, key, mesh->under);
	etcd_txn_then_delete(txn, key);
}

static void round_over(struct etcd_mesh *mesh)
{
	size_t kept = 0;

	for (size_t i = 0; i < mesh->n_places; i++)
		if (mesh->places[i].wanted)
			mesh->places[kept++] = mesh->places[i];
	mesh->n_places = kept;
	start_round(mesh);
	mesh->next_ns = mesh->now_ns + ETCD_MESH_REFRESH_S * (uint64_t)NS_PER_S;
}

static void on_asked(void *arg, int error, const struct etcd_reply *reply, const char *why)
{
	struct etcd_mesh *mesh = arg;

	(void)reply;
	(void)why;
	mesh->call = NULL;
	if (error == -ENOENT)
		etcd_lease_doubt(mesh->lease);
	if (error) {
		mesh->next_ns = mesh->now_ns + RETRY_NS;
		return;
	}
	for (size_t i = 0; i < mesh->asked; i++)
		mesh->places[mesh->at + i].there = mesh->places[mesh->at + i].wanted;
	mesh->at += mesh->asked;
	mesh->configured = true;
	mesh->next_ns = 0;
	if (mesh->at >= mesh->n_places)
		round_over(mesh);
}

static void ask(struct etcd_mesh *mesh)
{
	const struct place *places = &mesh->places[mesh->at];
	size_t left = mesh->n_places - mesh->at;
	bool configures = mesh->own && !mesh->configured;
	char config[ETCD_MESH_CONFIG_MAX];
	struct etcd_txn txn;
	etcd_key_buf key;

	etcd_txn_init(&txn);
	for (mesh->asked = 0; mesh->asked < left && mesh->asked < BATCH; mesh->asked++) {
		if (!places[mesh->asked].wanted)
			break;
		add_put(mesh, &txn, &places[mesh->asked]);
	}
	/* One at a time, since what it depends on is the whole transaction's. */
	if (!mesh->asked && left && !configures)
		add_delete(mesh, &txn, &places[mesh->asked++]);
	if (configures)
		etcd_txn_then_put(&txn, etcd_layout_config(mesh->cluster, key),
			etcd_mesh_config(mesh->cluster, config), mesh->under);
	if (etcd_client_call(
		    mesh->client, ETCD_TXN, etcd_txn_done(&txn), on_asked, mesh, &mesh->call))
		mesh->next_ns = mesh->now_ns + RETRY_NS;
}

static void on_beat(void *arg, int error, const struct etcd_reply *reply, const char *why)
{
	struct etcd_mesh *mesh = arg;

	(void)reply;
	(void)why;
	mesh->beat = NULL;
	if (error)
		mesh->beat_ns = mesh->now_ns + RETRY_NS;
}

static void beat(struct etcd_mesh *mesh, int64_t wall_s)
{
	time_t at = (time_t)wall_s;
	struct tm tm;
	char text[32];
	etcd_key_buf key;
	size_t n;

	gmtime_r(&at, &tm);
	n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	mesh->beat_ns = mesh->now_ns + ETCD_MESH_HEARTBEAT_S * (uint64_t)NS_PER_S;
	if (etcd_client_call(mesh->client, ETCD_PUT,
		    etcd_request_put(etcd_layout_heartbeat(mesh->cluster, key),
			    (struct span){.p = text, .n = n}, 0),
		    on_beat, mesh, &mesh->beat))
		mesh->beat_ns = mesh->now_ns + RETRY_NS;
}

/* Under another lease, nothing of ours is there any more, or soon will not be. */
static void take_lease(struct etcd_mesh *mesh)
{
	if (etcd_lease_id(mesh->lease) == mesh->under)
		return;
	mesh->under = etcd_lease_id(mesh->lease);
	etcd_client_drop(mesh->client, TAKE_PTR(mesh->call));
	for (size_t i = 0; i < mesh->n_places; i++)
		mesh->places[i].there = false;
	start_round(mesh);
	mesh->next_ns = 0;
}

uint64_t etcd_mesh_tick(struct etcd_mesh *mesh, uint64_t now_ns, int64_t wall_s)
{
	uint64_t next, beat_ns;

	mesh->now_ns = now_ns;
	take_lease(mesh);
	if (!mesh->under)
		return now_ns + RETRY_NS;
	if (mesh->own && !mesh->beat && now_ns >= mesh->beat_ns)
		beat(mesh, wall_s);
	if (!mesh->call && now_ns >= mesh->next_ns) {
		if (mesh->n_places || mesh->own)
			ask(mesh);
		else
			round_over(mesh);
	}
	/* What is under way ends with an answer. */
	next = mesh->call ? UINT64_MAX : mesh->next_ns;
	beat_ns = mesh->own && !mesh->beat ? mesh->beat_ns : UINT64_MAX;
	return beat_ns < next ? beat_ns : next;
}

size_t etcd_mesh_published(const struct etcd_mesh *mesh, size_t *ret_wanted)
{
	size_t there = 0, wanted = 0;

	for (size_t i = 0; i < mesh->n_places; i++) {
		wanted += mesh->places[i].wanted;
		there += mesh->places[i].wanted && mesh->places[i].there;
	}
	*ret_wanted = wanted;
	return there;
}
