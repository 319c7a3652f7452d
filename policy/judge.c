#include "policy/model.h"

static const struct policy_cause NO_CAUSE = {POLICY_NONE, POLICY_NONE, POLICY_NONE};

/* Both halves of what is known: entries of rules for anybody, and for this party. */
struct halves {
	const struct policy_entry *items[2];
	size_t n[2];
};

/* What one walk over the entries finds. */
struct finding {
	const struct policy_entry *deny, *plain, *l7; /* the first of each */
};

static bool is_meant(const struct policy_entry *entry, const struct policy_question *question)
{
	return (entry->proto == POLICY_PROTO_ANY || entry->proto == question->proto) &&
	       entry->first <= question->port && question->port <= entry->last;
}

static struct finding walk(
	const struct halves *halves, const struct policy_question *question, bool with_audit)
{
	struct finding found = {0};

	for (size_t h = 0; h < 2; h++)
		for (size_t i = 0; i < halves->n[h]; i++) {
			const struct policy_entry *entry = &halves->items[h][i];
			const struct policy_entry **place =
				entry->flags & POLICY_ENTRY_DENY ? &found.deny
				: entry->flags & POLICY_ENTRY_L7 ? &found.l7
								 : &found.plain;

			if (!*place && is_meant(entry, question) &&
				(with_audit || !(entry->flags & POLICY_ENTRY_AUDIT)))
				*place = entry;
		}
	return found;
}

static struct policy_cause cause_of(const struct policy_entry *entry)
{
	return entry ? (struct policy_cause){entry->rule, entry->group, POLICY_NONE} : NO_CAUSE;
}

/* The L7 rules that concern the party: one that fits is enough, and a limit is no "no". */
static void judge_l7(const struct policy_set *set, const struct halves *halves,
	const struct policy_question *question, bool with_audit, struct policy_scratch *scratch,
	struct policy_answer *answer)
{
	answer->l7 = POLICY_DENY;
	for (size_t h = 0; h < 2; h++)
		for (size_t i = 0; i < halves->n[h]; i++) {
			const struct policy_entry *entry = &halves->items[h][i];
			uint32_t http;
			int holds;

			if (!(entry->flags & POLICY_ENTRY_L7) || !is_meant(entry, question) ||
				(entry->flags & POLICY_ENTRY_AUDIT && !with_audit))
				continue;
			holds = policy_match_group(set,
				&set->rules[entry->rule].groups[entry->group], question->request,
				scratch, &http);
			if (holds > 0) {
				answer->l7 = POLICY_ALLOW;
				answer->cause = cause_of(entry);
				answer->cause.http = http;
				return;
			}
			if (holds < 0) {
				answer->l7 = POLICY_ERROR;
				answer->cause = cause_of(entry);
			}
		}
}

static struct policy_answer judge(const struct policy_set *set, const struct policy_target *target,
	const struct halves *halves, const struct policy_question *question, bool with_audit,
	struct policy_scratch *scratch)
{
	const struct finding found = walk(halves, question, with_audit);
	struct policy_answer answer = {
		.selected = with_audit ? target->refuses : target->refuses_enforced,
		.l7 = POLICY_ALLOW,
		.cause = cause_of(found.deny    ? found.deny
				  : found.plain ? found.plain
						: found.l7),
	};

	if (found.deny || (!found.plain && !found.l7 && answer.selected)) {
		answer.l4 = answer.verdict = POLICY_DENY;
		return answer;
	}
	answer.has_l7 = found.l7 != NULL;
	/* Where everything is allowed at L4, be it by default, L7 rules have nothing to refuse. */
	if (!found.plain && !answer.selected)
		answer.cause = NO_CAUSE;
	else if (found.l7 && !found.plain && question->request)
		judge_l7(set, halves, question, with_audit, scratch, &answer);
	answer.verdict = answer.l7;
	return answer;
}

void policy_judge_entries(const struct policy_set *set, const struct policy_target *target,
	const struct policy_entry *items, size_t n, const struct policy_question *question,
	struct policy_scratch *scratch, struct policy_answer *ret_answer)
{
	const struct halves halves = {
		.items = {target->anybody.items, items}, .n = {target->anybody.n, n}};
	struct policy_answer all;

	*ret_answer = judge(set, target, &halves, question, false, scratch);
	if (!set->has_audit || ret_answer->verdict != POLICY_ALLOW)
		return;
	all = judge(set, target, &halves, question, true, scratch);
	if (all.verdict == POLICY_ALLOW)
		return;
	ret_answer->audited = true;
	ret_answer->cause = all.cause;
}

void policy_view_judge(const struct policy_set *set, const struct policy_view *view,
	enum policy_proto proto, uint16_t port, const struct policy_request *request,
	struct policy_scratch *scratch, struct policy_answer *ret_answer)
{
	const struct policy_question question = {proto, port, request};

	policy_judge_entries(set, view->target, view->entries.items, view->entries.n, &question,
		scratch, ret_answer);
}
