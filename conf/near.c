#include "conf/near.h"

#include <string.h>

#define LONGEST 32 /* no key is longer; what is cannot be near one */
#define FAR     99

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned conf_near_steps(const char *a, const char *b)
{
	size_t n = strnlen(a, LONGEST + 1), m = strnlen(b, LONGEST + 1);
	unsigned d[LONGEST + 1][LONGEST + 1];

	if (n > LONGEST || m > LONGEST)
		return FAR;
	for (size_t i = 0; i <= n; i++) {
		for (size_t k = 0; k <= m; k++) {
			if (i == 0 || k == 0) {
				d[i][k] = (unsigned)(i + k);
				continue;
			}
			d[i][k] = d[i - 1][k - 1] + (a[i - 1] != b[k - 1]);
			d[i][k] = least(d[i][k], least(d[i - 1][k], d[i][k - 1]) + 1);
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
				d[i][k] = least(d[i][k], d[i - 2][k - 2] + 1);
		}
	}
	return d[n][m];
}

const char *conf_near_key(const struct conf_section *section, const char *name)
{
	const char *nearest = NULL;
	unsigned fewest = 3;

	for (size_t i = 0; i < section->n_keys; i++) {
		unsigned steps = conf_near_steps(section->keys[i].name, name);

		/* Two steps turn any word of two letters into any other. */
		if (steps >= fewest || steps >= strlen(section->keys[i].name))
			continue;
		fewest = steps;
		nearest = section->keys[i].name;
	}
	return nearest;
}
