#include "spoa/etcd.h"

#include "base/clock.h"
#include "etcd/mesh.h"
#include "spoa/log.h"
#include "spoa/share.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Nobody is given a number within this time after it was taken back (cilium.md 9.6). */
#define REST_NS ((uint64_t)(2 * 3600 * NS_PER_S))
/* Label sets that may be wanted at once: all numbers of a cluster. */
#define WANTED_MAX   65536
#define GOODBYE_MS   500
#define PASSWORD_MAX 512
#define TICK_MAX_S   1.

struct spoa_etcd {
	struct ev_loop *loop;
	struct net *net;
	struct spoa_config *config; /* what options borrow from */
	char node[ETCD_NODE_MAX + 1];
	char password[PASSWORD_MAX + 1];
	struct etcd_cluster cluster;
	struct etcd_client *client;
	struct etcd_numbers *numbers;
	struct etcd_mesh *mesh;
	struct spoa_share *share; /* NULL: revocations are this agent's alone */
	ev_timer timer;
	void (*turned)(void *arg);
	void *arg;
	bool up; /* said in the log */
};

static int submit(void *arg, const struct net_request *request)
{
	return net_submit(arg, request);
}

static void cancel(void *arg, void *owner)
{
	net_cancel(arg, owner);
}

/* What is wrong with the password, or NULL. */
static const char *read_password(struct spoa_etcd *etcd, const char *path)
{
	cleanup(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st))
		return strerror(errno);
	if (st.st_mode & 007)
		return "others may use it: its mode must end in 0";
	n = read(fd, etcd->password, PASSWORD_MAX);
	if (n <= 0)
		return n ? strerror(errno) : "it is empty";
	etcd->password[n - (etcd->password[n - 1] == '\n')] = '\0';
	return strlen(etcd->password) ? NULL : "it is empty";
}

static int refuse(int rc, const char *what, const char *text, char why[SPOA_ETCD_WHY])
{
	snprintf(why, SPOA_ETCD_WHY, "%.60s: %.90s", what, text);
	return rc;
}

/* The name in keys: the configured one, or the machine's. */
static int set_node(struct spoa_etcd *etcd, const struct conf *conf, char why[SPOA_ETCD_WHY])
{
	if (conf->etcd.node)
		snprintf(etcd->node, sizeof(etcd->node), "%s", conf->etcd.node);
	else if (gethostname(etcd->node, sizeof(etcd->node) - 1))
		return refuse(-errno, "etcd.node", strerror(errno), why);
	if (!etcd_layout_is_node(etcd->node))
		return refuse(-EINVAL, "etcd.node", "it cannot be part of a key", why);
	return 0;
}

static int make_client(struct spoa_etcd *etcd, const struct conf *conf, char why[SPOA_ETCD_WHY])
{
	const char *wrong =
		conf->etcd.password_file ? read_password(etcd, conf->etcd.password_file) : NULL;
	const struct etcd_port port = {submit, cancel, etcd->net};
	const struct etcd_options options = {
		.endpoints = (const char *const *)conf->etcd.endpoints.items,
		.n_endpoints = conf->etcd.endpoints.n,
		.ca_file = conf->etcd.ca_file,
		.cert_file = conf->etcd.cert_file,
		.key_file = conf->etcd.key_file,
		.user = conf->etcd.user,
		.password = etcd->password,
		.allow_http = conf->etcd.allow_http,
		.timeout_ms = (long)conf->etcd.timeout,
	};

	if (wrong)
		return refuse(-EINVAL, conf->etcd.password_file, wrong, why);
	etcd->client = etcd_client_new(&options, &port);
	return etcd->client ? 0 : refuse(-ENOMEM, "etcd", "out of memory", why);
}

static int make_parts(struct spoa_etcd *etcd, const struct spoa_etcd_parts *parts,
	const struct conf *conf, char why[SPOA_ETCD_WHY])
{
	bool mesh = conf->etcd.mode == CONF_ETCD_CLUSTERMESH;
	struct etcd_numbers_options options = {
		.mesh = mesh,
		.lease_s = conf->etcd.lease / 1000,
		.settle_ns = (uint64_t)conf->etcd.settle * (uint64_t)NS_PER_MS,
		.rest_ns = REST_NS,
		.max = WANTED_MAX,
	};

	etcd->cluster = (struct etcd_cluster){
		.prefix = conf->etcd.prefix,
		.node = etcd->node,
		.id = (unsigned)conf->etcd.cluster_id,
		.clusters = conf->bpf.clusters ? 511 : 255,
		.name = conf->identity.cluster,
	};
	options.cluster = etcd->cluster;
	etcd->numbers = etcd_numbers_new(etcd->client, &options, &parts->owner);
	if (etcd->numbers)
		etcd->mesh = etcd_mesh_new(
			etcd->client, &etcd->cluster, etcd_numbers_lease(etcd->numbers), mesh);
	if (conf->etcd.revocations)
		etcd->share = spoa_share_new(etcd->client, parts->store, parts->revoke);
	if (!etcd->numbers || !etcd->mesh || (conf->etcd.revocations && !etcd->share))
		return refuse(-ENOMEM, "etcd", "out of memory", why);
	return 0;
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	spoa_etcd_turn(timer->data);
}

int spoa_etcd_new(
	const struct spoa_etcd_parts *parts, struct spoa_etcd **ret, char why[SPOA_ETCD_WHY])
{
	cleanup(spoa_etcd) struct spoa_etcd *etcd = calloc(1, sizeof(*etcd));
	const struct conf *conf = parts->config->conf;
	int rc;

	if (!etcd)
		return refuse(-ENOMEM, "etcd", "out of memory", why);
	etcd->loop = parts->loop;
	etcd->net = parts->net;
	etcd->turned = parts->turned;
	etcd->arg = parts->owner.arg;
	etcd->config = spoa_config_ref(parts->config);
	ev_timer_init(&etcd->timer, on_timer, 0., 0.);
	etcd->timer.data = etcd;
	rc = set_node(etcd, conf, why);
	if (!rc)
		rc = make_client(etcd, conf, why);
	if (!rc)
		rc = make_parts(etcd, parts, conf, why);
	if (rc)
		return rc;
	ev_timer_start(etcd->loop, &etcd->timer);
	*ret = TAKE_PTR(etcd);
	return 0;
}

void spoa_etcd_free(struct spoa_etcd *etcd)
{
	if (!etcd)
		return;
	ev_timer_stop(etcd->loop, &etcd->timer);
	spoa_share_free(etcd->share);
	etcd_mesh_free(etcd->mesh);
	etcd_numbers_free(etcd->numbers);
	etcd_client_free(etcd->client);
	spoa_config_unref(etcd->config);
	explicit_bzero(etcd->password, sizeof(etcd->password));
	free(etcd);
}

bool spoa_etcd_answer(struct spoa_etcd *etcd, const struct net_answer *answer)
{
	return etcd && etcd_client_answer(etcd->client, answer);
}

static void say_state(struct spoa_etcd *etcd)
{
	struct etcd_client_stats stats = etcd_client_stats(etcd->client);
	bool up = etcd_numbers_is_up(etcd->numbers) && !*stats.why;
	struct base_log log;

	if (up == etcd->up)
		return;
	/* A single failure is no news; that nothing can be done any more is. */
	if (!up && etcd_numbers_is_up(etcd->numbers))
		return;
	etcd->up = up;
	if (!spoa_log_open(&log, up ? BASE_LOG_INFO : BASE_LOG_WARNING, "etcd"))
		return;
	base_log_str(&log, "state", up ? "up" : "away");
	base_log_str(&log, "endpoint", stats.endpoint);
	if (!up)
		base_log_str(&log, "why", stats.why);
	spoa_log_close(&log);
}

void spoa_etcd_turn(struct spoa_etcd *etcd)
{
	struct base_now now;
	uint64_t next, other;
	double wait;

	if (!etcd)
		return;
	base_clock_now(&now);
	etcd_client_tick(etcd->client, now.mono_ns);
	next = etcd_numbers_tick(etcd->numbers, now.mono_ns);
	other = etcd_mesh_tick(etcd->mesh, now.mono_ns, base_clock_wall_s(&now));
	next = other < next ? other : next;
	if (etcd->share) {
		other = spoa_share_tick(etcd->share, now.mono_ns, base_clock_wall_s(&now));
		next = other < next ? other : next;
	}
	say_state(etcd);
	wait = next > now.mono_ns ? (double)(next - now.mono_ns) / (double)NS_PER_S : 0.001;
	ev_timer_stop(etcd->loop, &etcd->timer);
	ev_timer_set(&etcd->timer, wait < TICK_MAX_S ? wait : TICK_MAX_S, 0.);
	ev_timer_start(etcd->loop, &etcd->timer);
	etcd->turned(etcd->arg);
}

struct etcd_numbers *spoa_etcd_numbers(struct spoa_etcd *etcd)
{
	return etcd->numbers;
}

void spoa_etcd_share(struct spoa_etcd *etcd, const struct store_revocation *entry, bool removed)
{
	if (!etcd || !etcd->share || !spoa_share_tell(etcd->share, entry, removed))
		return;
	/* Not here: whoever revokes may have a transaction of the store open. */
	ev_timer_stop(etcd->loop, &etcd->timer);
	ev_timer_set(&etcd->timer, 0., 0.);
	ev_timer_start(etcd->loop, &etcd->timer);
}

static void add_address(struct etcd_address *list, size_t *n, int family, const void *address,
	struct ident_markable number)
{
	if (*n < ETCD_ADDRESSES_MAX && !etcd_mesh_text(family, address, list[*n].text))
		list[(*n)++].number = number;
}

void spoa_etcd_addresses(struct spoa_etcd *etcd, struct spoa_config *config)
{
	struct etcd_address *list;
	size_t n = 0;

	if (!etcd)
		return;
	list = calloc(ETCD_ADDRESSES_MAX, sizeof(*list));
	for (size_t i = 0; list && i < config->conf->n_roles; i++) {
		const struct ident_role *role = &config->roles[i];
		struct ident_markable number;

		/* An address is of no use before its number is known everywhere. */
		if (!role->labels ||
			!ident_number_markable(
				etcd_numbers_find(etcd->numbers, role->labels), &number))
			continue;
		if (role->has_srcaddr4)
			add_address(list, &n, AF_INET, role->srcaddr4, number);
		if (role->has_srcaddr6)
			add_address(list, &n, AF_INET6, role->srcaddr6, number);
	}
	if (list)
		etcd_mesh_addresses(etcd->mesh, list, n);
	free(list);
}

void spoa_etcd_goodbye(struct spoa_etcd *etcd)
{
	struct net_answer *answer;

	if (!etcd)
		return;
	etcd_numbers_goodbye(etcd->numbers);
	for (int ms = 0; ms < GOODBYE_MS && etcd_client_stats(etcd->client).revoking; ms++) {
		while ((answer = net_take(etcd->net))) {
			/* Nobody is there any more for what others would tell. */
			if (etcd_client_asked(etcd->client, answer, ETCD_REVOKE))
				(void)etcd_client_answer(etcd->client, answer);
			net_answer_free(answer);
		}
		usleep(1000);
	}
}

static const char *const MODES[] = {"kvstore", "clustermesh"};
_Static_assert(ARRAY_SIZE(MODES) == CONF_ETCD_CLUSTERMESH + 1, "a word for each");

static json_t *phases(const struct etcd_numbers_stats *stats)
{
	json_t *object = json_object();

	for (unsigned i = 0; i < ETCD_PHASES; i++)
		if (i != ETCD_ABSENT)
			json_object_set_new(object, etcd_phase_name((enum etcd_phase)i),
				json_integer((json_int_t)stats->phases[i]));
	return object;
}

static json_t *revocations(const struct spoa_share *share)
{
	struct etcd_notes_stats stats;

	if (!share)
		return json_null();
	stats = spoa_share_stats(share);
	return json_pack("{s:b, s:I, s:I}", "up", stats.up, "waiting", (json_int_t)stats.waiting,
		"malformed", (json_int_t)stats.malformed);
}

json_t *spoa_etcd_status(const struct spoa_etcd *etcd)
{
	struct etcd_numbers_stats numbers;
	struct etcd_client_stats client;
	size_t published, wanted;

	if (!etcd)
		return json_null();
	numbers = etcd_numbers_stats(etcd->numbers);
	client = etcd_client_stats(etcd->client);
	published = etcd_mesh_published(etcd->mesh, &wanted);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:I, s:o, s:I, s:I, s:I, s:o}", "state",
		etcd_numbers_is_up(etcd->numbers) ? "up" : "away", "mode",
		MODES[etcd->config->conf->etcd.mode], "endpoint", client.endpoint, "node",
		etcd->node, "why", client.why, "cluster_id", (int)etcd->cluster.id, "known",
		(json_int_t)numbers.known, "numbers", phases(&numbers), "skipped",
		(json_int_t)(numbers.skipped_keys + numbers.skipped_labels + numbers.skipped_range),
		"addresses", (json_int_t)wanted, "addresses_published", (json_int_t)published,
		"revocations", revocations(etcd->share));
}

struct spoa_etcd_metrics spoa_etcd_metrics(const struct spoa_etcd *etcd)
{
	struct etcd_numbers_stats numbers;
	struct etcd_client_stats client;
	struct spoa_etcd_metrics m = {0};

	if (!etcd)
		return m;
	numbers = etcd_numbers_stats(etcd->numbers);
	client = etcd_client_stats(etcd->client);
	m = (struct spoa_etcd_metrics){
		.up = etcd_numbers_is_up(etcd->numbers),
		.calls = client.calls,
		.failures = client.failures,
		.malformed = client.malformed,
		.skipped = numbers.skipped_keys + numbers.skipped_labels + numbers.skipped_range,
		.allocated = numbers.allocated,
		.replaced = numbers.replaced,
		.doubts = numbers.doubts,
		.known = numbers.known,
		.realised = numbers.phases[ETCD_REALISED],
		.revocations_waiting = etcd->share ? spoa_share_stats(etcd->share).waiting : 0,
	};
	for (unsigned i = ETCD_ASKING; i < ETCD_PHASES; i++)
		m.wanted += numbers.phases[i];
	return m;
}
