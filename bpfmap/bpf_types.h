/*
 * The few types that the kernel programs need. Everything they read is in the
 * stable user API, so neither vmlinux.h nor the kernel's BTF is involved.
 */
#ifndef BPFMAP_BPF_TYPES_H
#define BPFMAP_BPF_TYPES_H

#include <linux/types.h>

#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* From the C library's sys/socket.h, which a BPF program cannot include. */
#define AF_INET  2
#define AF_INET6 10

#endif
