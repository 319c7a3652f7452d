#include "spoa/allowance.h"

struct spoa_allowance spoa_allowance_full(uint64_t now)
{
	return (struct spoa_allowance){.left = SPOA_ALLOWANCE_BURST, .at = now};
}

static void refill(struct spoa_allowance *allowance, uint64_t now)
{
	allowance->left += (double)(now - allowance->at) / (double)SPOA_ALLOWANCE_INTERVAL_NS;
	if (allowance->left > SPOA_ALLOWANCE_BURST)
		allowance->left = SPOA_ALLOWANCE_BURST;
	allowance->at = now;
}

/* How much must be left. */
static double price(bool doubted)
{
	return doubted ? SPOA_ALLOWANCE_BURST : 1.;
}

bool spoa_allowance_take(struct spoa_allowance *allowance, bool doubted, uint64_t now)
{
	refill(allowance, now);
	if (allowance->left < price(doubted))
		return false;
	allowance->left -= 1.;
	return true;
}

uint64_t spoa_allowance_from(struct spoa_allowance *allowance, bool doubted, uint64_t now)
{
	double missing;

	refill(allowance, now);
	missing = price(doubted) - allowance->left;
	return missing <= 0. ? 0 : now + (uint64_t)(missing * (double)SPOA_ALLOWANCE_INTERVAL_NS);
}
