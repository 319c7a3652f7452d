#include "spoa/kernel_status.h"

#include <stdlib.h>
#include <string.h>

static json_t *modes(const struct bpfmap_control *control)
{
	json_t *object = json_object();

	for (int i = 0; i < BPFMAP_PARTS; i++)
		json_object_set_new(object, bpfmap_part_name(i),
			json_string(bpfmap_mode_name(control->mode[i])));
	return object;
}

/* Programs that are not there, each with what is lost. */
static json_t *missing(uint32_t programs)
{
	json_t *list = json_array();

	for (int i = 0; i < BPFMAP_PROGRAMS; i++) {
		const struct bpfmap_program_info *info = &bpfmap_programs[i];

		if (!(programs & 1U << i))
			json_array_append_new(list,
				json_pack("{s:s, s:s}", "program", info->pin, "lost", info->lost));
	}
	return list;
}

static const struct {
	enum bpfmap_counter counter;
	const char *name;
} COUNTS[] = {
	{BPFMAP_COUNT_FLOWS_OPENED, "flows_opened"},
	{BPFMAP_COUNT_FLOWS_CLOSED, "flows_closed"},
	{BPFMAP_COUNT_FLOWS_FULL, "flows_full"},
	{BPFMAP_COUNT_FLOWS_SEEDED, "flows_seeded"},
	{BPFMAP_COUNT_FLOWS_DEAD, "flows_dead"},
	{BPFMAP_COUNT_DENIED, "denied"},
	{BPFMAP_COUNT_DROPPED, "dropped"},
	{BPFMAP_COUNT_KILLED, "killed"},
	{BPFMAP_COUNT_AUDITED, "audited"},
	{BPFMAP_COUNT_EVENTS_LOST, "events_lost"},
	{BPFMAP_COUNT_STATS_FULL, "stats_full"},
};
_Static_assert(ARRAY_SIZE(COUNTS) == BPFMAP_COUNTERS, "a name for each counter");

void spoa_kernel_status(const struct spoa_kernel *kernel, json_t *object)
{
	struct bpfmap_control control;
	struct bpfmap_status status;
	struct base_now now;

	if (!kernel->maps || bpfmap_status(kernel->maps->map, &status) ||
		bpfmap_control_get(kernel->maps->map, &control))
		return;
	base_clock_now(&now);
	json_object_set_new(object, "attached", json_boolean(status.attached));
	json_object_set_new(object, "owner", json_boolean(spoa_kernel_owns(kernel)));
	json_object_set_new(object, "max_flows", json_integer(status.max_flows));
	json_object_set_new(object, "epoch", json_integer(control.epoch));
	json_object_set_new(object, "modes", modes(&control));
	json_object_set_new(object, "break_glass_s",
		json_integer(control.break_glass_until > now.boot_ns
				     ? (json_int_t)((control.break_glass_until - now.boot_ns) /
						    (uint64_t)NS_PER_S)
				     : 0));
	json_object_set_new(object, "missing", missing(status.programs));
	for (size_t i = 0; i < ARRAY_SIZE(COUNTS); i++)
		json_object_set_new(object, COUNTS[i].name,
			json_integer((json_int_t)status.counters[COUNTS[i].counter]));
}
