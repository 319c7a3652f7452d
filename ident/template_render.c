#include "ident/labels.h"
#include "ident/template.h"
#include "ident/template_part.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CLAIM_MAX 1024 /* bytes of a claim that is looked at */

/* A claim as text: whole, or with a fault. */
static const char *text_of(const json_t *claim, char buf[24], struct span *ret_text)
{
	switch (json_typeof(claim)) {
	case JSON_STRING:
		*ret_text = (struct span){json_string_value(claim), json_string_length(claim)};
		break;
	case JSON_INTEGER:
		snprintf(buf, 24, "%" JSON_INTEGER_FORMAT, json_integer_value(claim));
		*ret_text = span_of(buf);
		break;
	case JSON_TRUE:
		*ret_text = SPAN("true");
		break;
	case JSON_FALSE:
		*ret_text = SPAN("false");
		break;
	default:
		return "the claim is no text, whole number or boolean";
	}
	if (!ret_text->n)
		return "the claim is empty";
	return ret_text->n > CLAIM_MAX ? "the claim is longer than 1024 bytes" : NULL;
}

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static void put_slug(struct wr *to, char c)
{
	bool keep = is_alnum(c) || c == '_' || c == '.' || c == '-';

	if (!keep && wr_len(to) && to->p[-1] == '-')
		return;
	wr_u8(to, (uint8_t)(keep ? c : '-'));
}

static struct span trim(struct span text)
{
	while (text.n && !is_alnum(text.p[0])) {
		text.p++;
		text.n--;
	}
	while (text.n && !is_alnum(text.p[text.n - 1]))
		text.n--;
	return text;
}

static struct span filter(struct span text, unsigned filters, char buf[CLAIM_MAX])
{
	struct wr to = wr_of(buf, CLAIM_MAX);

	if (!filters)
		return text;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if ((filters & IDENT_FILTER_LOWER) && c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (filters & IDENT_FILTER_SLUG)
			put_slug(&to, c);
		else
			wr_u8(&to, (uint8_t)c);
	}
	text = (struct span){buf, wr_len(&to)};
	return filters & IDENT_FILTER_SLUG ? trim(text) : text;
}

int ident_template_sample(const char *label, char *buf, size_t size)
{
	const char *open = strchr(label, '{');
	const char *close = open ? strchr(open, '}') : NULL;
	struct wr to = wr_of(buf, size);
	char slug[CLAIM_MAX];
	struct span place;

	if (!close) {
		wr_bytes(&to, label, strlen(label) + 1);
		return to.bad ? -ENAMETOOLONG : 0;
	}
	place = (struct span){open + 1, (size_t)(close - open - 1)};
	if (place.n > sizeof(slug))
		return -ENAMETOOLONG;
	place = filter(place, IDENT_FILTER_SLUG, slug);
	wr_bytes(&to, label, (size_t)(open - label));
	wr_bytes(&to, place.p, place.n);
	wr_bytes(&to, close + 1, strlen(close + 1) + 1);
	return to.bad ? -ENAMETOOLONG : 0;
}

/* The claim, or NULL with *ret_fit. */
static const json_t *find(const struct ident_template_part *part, const struct ident_caller *caller,
	enum ident_fit *ret_fit)
{
	const json_t *at = part->root == IDENT_ROOT_ACTOR ? caller->actor : caller->claims;

	for (size_t i = 0; i < part->n_path; i++)
		at = json_object_get(at, part->path[i]);
	if (at && !json_is_null(at))
		return at;
	*ret_fit = IDENT_FIT_ABSENT;
	if (part->root == IDENT_ROOT_CLAIMS &&
		ident_claim_is_elsewhere(caller->claims, part->path[0]))
		*ret_fit = IDENT_FIT_UNSAID;
	return NULL;
}

/* What stands in the place, before it is looked at as a label. */
static enum ident_fit fill(const struct ident_template_part *part,
	const struct ident_caller *caller, char buf[24], struct span *ret_text,
	const char **ret_fault)
{
	enum ident_fit fit = IDENT_FIT;
	const json_t *claim;

	*ret_text = (struct span){0};
	if (part->root == IDENT_ROOT_NONE)
		return fit;
	if (part->root == IDENT_ROOT_PROVIDER) {
		*ret_text = span_of(caller->provider);
		return fit;
	}
	claim = find(part, caller, &fit);
	*ret_fault = fit == IDENT_FIT_UNSAID ? "the provider left the claim out of the token"
					     : "there is no such claim";
	if (!claim)
		return fit;
	*ret_fault = text_of(claim, buf, ret_text);
	return *ret_fault ? IDENT_FIT_NOT : IDENT_FIT;
}

static enum ident_fit render(const struct ident_template_part *part,
	const struct ident_caller *caller, struct wr *out, const char **ret_fault)
{
	char number[24], filtered[CLAIM_MAX], value[IDENT_LABEL_VALUE_MAX + 1];
	struct wr to = wr_of(value, sizeof(value));
	struct span text;
	enum ident_fit fit = fill(part, caller, number, &text, ret_fault);

	if (fit != IDENT_FIT)
		return fit;
	text = filter(text, part->filters, filtered);
	wr_bytes(&to, part->before.p, part->before.n);
	wr_bytes(&to, text.p, text.n);
	wr_bytes(&to, part->after.p, part->after.n);
	*ret_fault = to.bad ? "the value is longer than 63 bytes" : NULL;
	if (part->root != IDENT_ROOT_NONE && !text.n)
		*ret_fault = "nothing of the claim is left";
	if (!*ret_fault)
		*ret_fault = ident_label_value_fault((struct span){value, wr_len(&to)});
	if (*ret_fault)
		return IDENT_FIT_NOT;
	wr_bytes(out, part->label.source, strlen(part->label.source));
	wr_u8(out, ':');
	wr_bytes(out, part->label.key, strlen(part->label.key));
	wr_u8(out, '=');
	wr_bytes(out, value, wr_len(&to));
	wr_u8(out, ';');
	return IDENT_FIT;
}

enum ident_fit ident_template_render(const struct ident_template *template,
	const struct ident_caller *caller, struct wr *out, struct ident_misfit *ret_misfit)
{
	size_t before = wr_len(out);
	enum ident_fit fit = IDENT_FIT;

	for (size_t i = 0; fit == IDENT_FIT && i < template->n; i++) {
		const struct ident_template_part *part = template->sorted[i];
		struct ident_misfit misfit = {.label = part->text};

		fit = render(part, caller, out, &misfit.fault);
		if (fit == IDENT_FIT &&
			(out->bad || wr_len(out) - before > IDENT_LABELS_TEXT_MAX)) {
			misfit.fault = "the labels are too long together";
			fit = IDENT_FIT_NOT;
		}
		if (fit != IDENT_FIT)
			*ret_misfit = misfit;
	}
	if (fit != IDENT_FIT)
		wr_rewind(out, before);
	return fit;
}
