/* What a benchmark wants of the machine: a core of its own, time, CPU time of somebody. */
#ifndef BENCH_MACHINE_H
#define BENCH_MACHINE_H

#include <stdint.h>
#include <sys/types.h>

/* Ends the program with a sentence. */
void bench_die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Stays on this core; -1: anywhere. */
void bench_pin(int cpu);

/* CLOCK_MONOTONIC, and this thread's CPU time; ns. */
uint64_t bench_now(void);
uint64_t bench_cpu(void);

/* CPU time of all threads of a process, from schedstat, ns. 0 when there is none. */
uint64_t bench_cpu_of(pid_t pid);

#endif
