#include "spoa/kernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define TICK_S .25 /* an expired connection lives so much longer, at most */
#define LOOK_S 30. /* between two looks for entries without a socket */

#define ALL_PROGRAMS ((1U << BPFMAP_PROGRAMS) - 1)

void spoa_kernel_complain(const char *what, int err)
{
	struct base_log log;

	if (!spoa_log_open(&log, BASE_LOG_ERROR, "kernel_trouble"))
		return;
	base_log_str(&log, "what", what);
	base_log_str(&log, "why", strerror(-err));
	spoa_log_close(&log);
}

static void look(struct spoa_kernel *kernel)
{
	unsigned n = 0;
	struct base_log log;
	int err = bpfmap_reconcile(kernel->maps->map, &n);

	if (err && err != -ENOENT)
		spoa_kernel_complain("look", err);
	if (!n || !spoa_log_open(&log, BASE_LOG_INFO, "dead_flows"))
		return;
	base_log_int(&log, "removed", n);
	spoa_log_close(&log);
}

static void on_look(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct spoa_kernel *kernel = timer->data;

	(void)loop;
	(void)events;
	if (kernel->maps && spoa_kernel_owns(kernel))
		look(kernel);
}

static void log_address(struct base_log *log, const char *key, uint8_t family,
	const uint8_t *address, uint16_t port)
{
	char host[INET6_ADDRSTRLEN] = "", text[INET6_ADDRSTRLEN + 16];

	inet_ntop(family == BPFMAP_FAMILY_IPV4 ? AF_INET : AF_INET6, address, host, sizeof(host));
	snprintf(
		text, sizeof(text), family == BPFMAP_FAMILY_IPV4 ? "%s:%u" : "[%s]:%u", host, port);
	base_log_str(log, key, text);
}

static void on_report(void *arg, const struct bpfmap_event *event)
{
	struct spoa_kernel *kernel = arg;
	struct base_log log;
	struct base_now now;

	spoa_metrics_add(kernel->metrics, SPOA_COUNT_KERNEL_EVENTS, 1);
	base_clock_now(&now);
	spoa_kernel_audit_event(kernel->audit, kernel->in_kernel, event, &now);
	if (!spoa_log_open(&log, BASE_LOG_WARNING, "kernel"))
		return;
	base_log_str(&log, "action", bpfmap_event_kind_name(event->kind));
	base_log_str(&log, "reason", bpfmap_cause_name(event->cause));
	base_log_bool(&log, "enforced", !event->audited);
	base_log_int(&log, "identity", event->identity);
	if (event->service)
		base_log_int(&log, "service", event->service);
	log_address(&log, "remote", event->flow.family, event->flow.remote_addr,
		event->flow.remote_port);
	if (event->flow.local_port)
		log_address(&log, "local", event->flow.family, event->flow.local_addr,
			event->flow.local_port);
	spoa_log_close(&log);
}

static void on_event(struct ev_loop *loop, ev_io *io, int events)
{
	struct spoa_kernel *kernel = io->data;
	int n = bpfmap_events_read(kernel->events);

	(void)loop;
	(void)events;
	if (n < 0)
		spoa_kernel_complain("events", n);
}

/* The modes of the configuration; observe makes enforce an audit. */
static void fill_control(const struct conf *conf, bool observe, struct bpfmap_control *control)
{
	for (int i = 0; i < BPFMAP_PARTS; i++) {
		int mode = conf->bpf.modes[i];

		if ((conf->observe || observe) && mode == BPFMAP_MODE_ENFORCE)
			mode = BPFMAP_MODE_AUDIT;
		control->mode[i] = (uint8_t)mode;
	}
	control->deny_unmarked = conf->bpf.unmarked == 1;
	control->events_per_second = (uint32_t)conf->bpf.events_per_second;
}

static void tell_modes(struct spoa_kernel *kernel)
{
	struct bpfmap_control now, next;
	int err = bpfmap_control_get(kernel->maps->map, &now);

	next = now;
	if (!err) {
		fill_control(kernel->config->conf, kernel->observe, &next);
		if (memcmp(&now, &next, sizeof(now))) {
			err = bpfmap_control_put(kernel->maps->map, &next);
			if (!err)
				spoa_kernel_audit_modes(kernel->audit, &now, &next);
		}
	}
	if (err)
		spoa_kernel_complain("control", err);
}

static void start_events(struct spoa_kernel *kernel)
{
	int err = bpfmap_events_open(kernel->maps->map, on_report, kernel, &kernel->events);

	if (err) {
		spoa_kernel_complain("events", err);
		return;
	}
	ev_io_set(&kernel->on_event, bpfmap_events_fd(kernel->events), EV_READ);
	ev_io_start(kernel->loop, &kernel->on_event);
}

/* Two looks at once: what died while nobody looked goes now. */
static void become_owner(struct spoa_kernel *kernel, const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB)) {
		cleanup_fn_fd(&fd);
		return;
	}
	kernel->lock_fd = fd;
	spoa_log(BASE_LOG_INFO, "kernel_owner", "path", dir);
	tell_modes(kernel);
	start_events(kernel);
	look(kernel);
	look(kernel);
	spoa_kernel_end(kernel, true);
}

static void let_go(struct spoa_kernel *kernel)
{
	spoa_kernel_kill_stop(kernel);
	ev_io_stop(kernel->loop, &kernel->on_event);
	bpfmap_events_close(TAKE_PTR(kernel->events));
	cleanup_fn_fd(&kernel->lock_fd);
	kernel->lock_fd = -1;
	spoa_maps_unref(TAKE_PTR(kernel->maps));
}

/* The owner reads the events, and so says how many did not come. */
static void say_lost(struct spoa_kernel *kernel, uint64_t lost)
{
	struct base_now now;

	base_clock_now(&now);
	if (spoa_kernel_owns(kernel) && lost > kernel->events_lost)
		spoa_kernel_audit_lost(kernel->audit, lost - kernel->events_lost, &now);
	kernel->events_lost = lost;
}

/* At start, and whenever it changes: which programs are missing, and what is lost. */
static void say_missing(struct spoa_kernel *kernel, uint32_t programs)
{
	uint32_t news = programs ^ kernel->programs;
	struct base_log log;

	kernel->programs = programs;
	for (int i = 0; i < BPFMAP_PROGRAMS; i++) {
		bool there = programs & 1U << i;

		if (!(news & 1U << i) ||
			!spoa_log_open(
				&log, there ? BASE_LOG_INFO : BASE_LOG_WARNING, "kernel_program"))
			continue;
		base_log_str(&log, "program", bpfmap_programs[i].pin);
		base_log_bool(&log, "there", there);
		if (!there)
			base_log_str(&log, "lost", bpfmap_programs[i].lost);
		spoa_log_close(&log);
	}
}

static void look_at_status(struct spoa_kernel *kernel)
{
	struct bpfmap_status status;

	if (bpfmap_status(kernel->maps->map, &status))
		return;
	say_missing(kernel, status.programs);
	say_lost(kernel, status.counters[BPFMAP_COUNT_EVENTS_LOST]);
}

void spoa_kernel_use(struct spoa_kernel *kernel, struct spoa_config *config, struct spoa_maps *maps,
	const char *dir)
{
	bool configured = config != kernel->config;

	spoa_config_ref(config);
	spoa_config_unref(kernel->config);
	kernel->config = config;
	if (maps != kernel->maps) {
		let_go(kernel);
		kernel->maps = maps ? spoa_maps_ref(maps) : NULL;
	}
	if (!kernel->maps)
		return;
	look_at_status(kernel);
	if (!spoa_kernel_owns(kernel)) {
		become_owner(kernel, dir);
	} else if (configured) {
		tell_modes(kernel);
		spoa_kernel_end(kernel, true);
	}
}

void spoa_kernel_observe(struct spoa_kernel *kernel, bool observe)
{
	bool changed = observe != kernel->observe;

	kernel->observe = observe;
	if (changed && kernel->maps && spoa_kernel_owns(kernel)) {
		tell_modes(kernel);
		spoa_kernel_end(kernel, true); /* those that were spared */
	}
}

static void look_at_glass(struct spoa_kernel *kernel, uint64_t now)
{
	struct bpfmap_control control;

	if (bpfmap_control_get(kernel->maps->map, &control))
		return;
	if (kernel->glass_broken && control.break_glass_until <= now) {
		spoa_log(BASE_LOG_WARNING, "break_glass", "state",
			"over: the kernel enforces again");
		spoa_kernel_audit_glass(kernel->audit, 0, "its time is over");
		spoa_kernel_end(kernel, true); /* those that were spared */
	}
	kernel->glass_broken = control.break_glass_until > now;
}

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct spoa_kernel *kernel = timer->data;
	struct base_now now;
	uint64_t due = 0;

	(void)loop;
	(void)events;
	if (!kernel->maps || !spoa_kernel_owns(kernel))
		return;
	base_clock_now(&now);
	look_at_glass(kernel, now.boot_ns);
	if (!bpfmap_due(kernel->maps->map, &due) && due && due <= now.boot_ns)
		spoa_kernel_end(kernel, true);
}

int spoa_kernel_break_glass(
	struct spoa_kernel *kernel, uint64_t until, int64_t seconds, const char *why)
{
	struct bpfmap_control control;
	struct base_log log;
	int err = kernel->maps ? bpfmap_control_get(kernel->maps->map, &control) : -ENOENT;

	if (!err) {
		control.break_glass_until = until;
		err = bpfmap_control_put(kernel->maps->map, &control);
	}
	if (err)
		return err;
	kernel->glass_broken = until != 0;
	spoa_kernel_audit_glass(kernel->audit, seconds, why);
	if (!until)
		spoa_kernel_end(kernel, true);
	if (!spoa_log_open(&log, BASE_LOG_WARNING, "break_glass"))
		return 0;
	base_log_str(&log, "state",
		until ? "broken: the kernel only audits" : "mended: the kernel enforces again");
	base_log_int(&log, "seconds", seconds);
	base_log_str(&log, "why", why);
	spoa_log_close(&log);
	return 0;
}

void spoa_kernel_init(struct spoa_kernel *kernel, struct ev_loop *loop,
	struct spoa_metrics *metrics, const struct spoa_audit *audit,
	const struct spoa_kernel_policy *in_kernel)
{
	*kernel = (struct spoa_kernel){.loop = loop,
		.metrics = metrics,
		.audit = audit,
		.in_kernel = in_kernel,
		.lock_fd = -1,
		.programs = ALL_PROGRAMS};
	ev_init(&kernel->on_event, on_event);
	ev_timer_init(&kernel->tick, on_tick, TICK_S, TICK_S);
	ev_timer_init(&kernel->look, on_look, LOOK_S, LOOK_S);
	spoa_kernel_revoke_init(kernel);
	spoa_kernel_kill_init(kernel);
	kernel->on_event.data = kernel->tick.data = kernel->look.data = kernel;
	ev_timer_start(loop, &kernel->tick);
	ev_timer_start(loop, &kernel->look);
}

void spoa_kernel_done(struct spoa_kernel *kernel)
{
	if (!kernel->loop)
		return;
	ev_timer_stop(kernel->loop, &kernel->tick);
	ev_timer_stop(kernel->loop, &kernel->look);
	spoa_kernel_revoke_done(kernel);
	let_go(kernel);
	spoa_config_unref(kernel->config);
}
