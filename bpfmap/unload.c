#include "bpfmap/attach.h"
#include "bpfmap/link.h"
#include "bpfmap/load.h"

int bpfmap_unload(const char *dir, unsigned *ret_n, char why[BPFMAP_WHY])
{
	unsigned n = 0;
	int err = 0;

	for (int i = 0; i < BPFMAP_PROGRAMS && !err; i++)
		err = bpfmap_detach(dir, i, &n, why);
	if (!err)
		err = bpfmap_unpin(dir, BPFMAP_ASIDE, &n, why);
	for (int i = 0; i < BPFMAP_MAPS && !err; i++)
		err = bpfmap_unpin(dir, bpfmap_pins[i].name, &n, why);
	if (err)
		return err;
	*ret_n = n;
	return 0;
}
