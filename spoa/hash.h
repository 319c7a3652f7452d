/* Texts of tokens as the kernel's map keeps them: 64 bits each. */
#ifndef SPOA_HASH_H
#define SPOA_HASH_H

#include "base/span.h"
#include "bpfmap/sweep.h"
#include "token/revocation.h"

/* 64 bits of SHA-256; 0 for an empty text and for no other. */
uint64_t spoa_hash_text(struct span text);

/* A revocation as the flows know it. */
struct bpfmap_revocation spoa_hash_revocation(const struct token_revocation *what);

#endif
