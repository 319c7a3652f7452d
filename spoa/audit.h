/*
 * Decisions on their way into the audit log (audit/audit.h): what of a request
 * and its decision a line tells, and which allowed ones are left out.
 */
#ifndef SPOA_AUDIT_H
#define SPOA_AUDIT_H

#include "audit/audit.h"
#include "base/clock.h"
#include "spoa/decision.h"
#include "spoa/recent.h"
#include "spoa/request.h"
#include "spoa/snapshot.h"

struct spoa_audit {
	struct audit *log; /* NULL: audit.to is none */
	char node[512];
	char *path;                 /* of the file; the configuration it came from may go */
	unsigned char *key;         /* of pseudonyms; or NULL */
	unsigned main_ring;         /* for what is not of a worker */
	struct audit_style style;   /* of lines, in the log or elsewhere */
	struct spoa_recent *recent; /* NULL in some tests: nobody can watch */
};

#define SPOA_AUDIT_WHY 256

/*
 * Starts the log that conf asks for, if any, with a ring for each of the
 * workers and one for the main thread. 0; or -EINVAL with why (a key file that
 * cannot be used), -ENOMEM, another -errno. A file that cannot be written is
 * no failure here: it is tried again each second, and said.
 */
int spoa_audit_start(struct spoa_audit *audit, const struct conf *conf, unsigned n_workers,
	char ret_why[SPOA_AUDIT_WHY]) must_check;
/* Keeps the last decisions for the admin interface, too; between start and stop. 0 or -ENOMEM. */
int spoa_audit_watch(struct spoa_audit *audit, struct ev_loop *loop) must_check;
void spoa_audit_stop(struct spoa_audit *audit);

/*
 * From worker number ring. *n_allowed counts that worker's allowed requests,
 * of which one in audit.allowed is written; all others always are.
 */
void spoa_audit_decision(const struct spoa_audit *audit, unsigned ring, uint64_t *n_allowed,
	const struct spoa_snapshot *snapshot, const struct spoa_request *request,
	const struct spoa_decision *decision, const struct base_now *now);

/* Something that an operator did: one word, one sentence. From the main thread only. */
void spoa_audit_note(const struct spoa_audit *audit, const char *type, const char *text);

#endif
