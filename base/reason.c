#include "base/reason.h"

static const struct {
	const char *word;
	int status;
	const char *help;
} REASONS[] = {
#define X(suffix, word, status, help) {word, status, help},
	BASE_REASONS(X)
#undef X
};

_Static_assert(sizeof(REASONS) / sizeof(REASONS[0]) == BASE_REASON_COUNT, "a row for every reason");

const char *base_reason_word(enum base_reason reason)
{
	return REASONS[reason].word;
}

const char *base_reason_help(enum base_reason reason)
{
	return REASONS[reason].help;
}

int base_reason_status(enum base_reason reason)
{
	return REASONS[reason].status;
}
