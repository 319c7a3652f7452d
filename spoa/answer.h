/*
 * A decision as an ACK frame: every variable of the SPOE contract is set or
 * unset, the verdict last.
 */
#ifndef SPOA_ANSWER_H
#define SPOA_ANSWER_H

#include "base/mem.h"
#include "base/wr.h"
#include "spoa/decide.h"

#include <stdint.h>

/*
 * Writes one ACK for the frame with these ids. 0, or -EMSGSIZE when it would
 * exceed max_frame or the writer; then nothing was written.
 */
int spoa_answer(struct wr *w, uint64_t stream_id, uint64_t frame_id, uint32_t max_frame,
	const struct spoa_config *config, const struct spoa_decision *decision) must_check;

/*
 * The shortest ACK: status, reason and verdict alone, for a frame too small
 * for the rest. HAProxy has unset the others before it asked. It fits 256 bytes.
 */
int spoa_answer_short(struct wr *w, uint64_t stream_id, uint64_t frame_id, uint32_t max_frame,
	const struct spoa_decision *decision) must_check;

#endif
