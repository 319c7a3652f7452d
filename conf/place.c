#include "conf/place.h"

#include "base/utf8.h"

struct conf_place conf_place_start(const char *text, size_t n)
{
	return (struct conf_place){.text = text, .n = n, .line = 1, .column = 1};
}

static void step(struct conf_place *place)
{
	const char *at = place->text + place->bytes;
	size_t len = base_utf8_next((struct span){.p = at, .n = place->n - place->bytes});

	place->chars++;
	/* A byte that is no UTF-8 counts as a character, so that every walk ends. */
	place->bytes += len ? len : 1;
	if (*at == '\n') {
		place->line++;
		place->line_start = place->bytes;
	}
	place->column = (unsigned)(place->bytes - place->line_start) + 1;
}

void conf_place_to_char(struct conf_place *place, size_t chars)
{
	if (chars < place->chars)
		*place = conf_place_start(place->text, place->n);
	while (place->chars < chars && place->bytes < place->n)
		step(place);
}

void conf_place_to_byte(struct conf_place *place, size_t bytes)
{
	if (bytes < place->bytes)
		*place = conf_place_start(place->text, place->n);
	while (place->bytes < bytes && place->bytes < place->n)
		step(place);
}
