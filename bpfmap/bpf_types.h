/*
 * The few types that the kernel programs need. Everything that edge.bpf.c
 * reads is in the stable user API, so neither vmlinux.h nor the kernel's BTF
 * is involved; walk.bpf.c has its own types below.
 */
#ifndef BPFMAP_BPF_TYPES_H
#define BPFMAP_BPF_TYPES_H

#include <linux/types.h>

#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* From the C library's headers, which a BPF program cannot include. */
#define AF_INET  2
#define AF_INET6 10

#define IPPROTO_TCP 6
#define IPPROTO_UDP 17

#define NS_PER_S 1000000000ULL

#endif
