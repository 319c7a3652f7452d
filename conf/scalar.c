#include "conf/scalar.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct unit {
	const char *name;
	int64_t factor;
};

/* Largest first: the formatter takes the first that divides the value. */
static const struct unit DURATIONS[] = {
	{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}, {NULL, 0}};
static const struct unit SIZES[] = {
	{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"", 1}, {NULL, 0}};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits without leading zeros, up to the first character that is none. */
static int digits(const char **text, int64_t *ret_value)
{
	const char *p = *text;
	int64_t value = 0;
	bool large = false;

	if (!is_digit(*p) || (p[0] == '0' && is_digit(p[1])))
		return -EINVAL;
	for (; is_digit(*p); p++)
		large = large || __builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, *p - '0', &value);
	*text = p;
	if (!large)
		*ret_value = value;
	return large ? -ERANGE : 0;
}

static int parse_int(const char *text, int64_t *ret_value)
{
	bool negative = *text == '-';
	const char *p = text + negative;
	int64_t value = 0;
	int err = digits(&p, &value);

	if (err == -EINVAL || *p)
		return -EINVAL;
	if (err)
		return err;
	*ret_value = negative ? -value : value;
	return 0;
}

static int parse_unit(const struct unit *units, const char *text, int64_t *ret_value)
{
	const char *p = text;
	int64_t value = 0;
	int err = digits(&p, &value);

	if (err == -EINVAL)
		return err;
	while (units->name && strcmp(units->name, p))
		units++;
	/* Nothing is nothing in every unit, so a bare 0 is clear. */
	if (!units->name && strcmp(text, "0"))
		return -EINVAL;
	if (err || (units->name && __builtin_mul_overflow(value, units->factor, &value)))
		return -ERANGE;
	*ret_value = value;
	return 0;
}

static int parse_duration(const char *text, int64_t *ret_value)
{
	return parse_unit(DURATIONS, text, ret_value);
}

static int parse_size(const char *text, int64_t *ret_value)
{
	return parse_unit(SIZES, text, ret_value);
}

static int parse_bool(const char *text, int64_t *ret_value)
{
	int place = conf_scalar_word("false true", text);

	if (place < 0)
		return -EINVAL;
	*ret_value = place;
	return 0;
}

/* Exactly as chmod's octal: a zero and three digits, so that 660 is not read as decimal. */
static int parse_mode(const char *text, int64_t *ret_value)
{
	int64_t value = 0;

	if (strlen(text) != 4 || text[0] != '0' || strspn(text, "01234567") != 4)
		return -EINVAL;
	for (const char *p = text; *p; p++)
		value = value * 8 + (*p - '0');
	*ret_value = value;
	return 0;
}

int conf_scalar_parse(enum conf_type type, const char *text, int64_t *ret_value)
{
	static int (*const PARSERS[CONF_TYPES])(const char *, int64_t *) = {
		[CONF_BOOL] = parse_bool,
		[CONF_INT] = parse_int,
		[CONF_DURATION] = parse_duration,
		[CONF_SIZE] = parse_size,
		[CONF_MODE] = parse_mode,
	};

	return PARSERS[type] ? PARSERS[type](text, ret_value) : -EINVAL;
}

void conf_scalar_format(enum conf_type type, int64_t value, char ret_text[CONF_SCALAR_TEXT])
{
	const struct unit *unit = type == CONF_DURATION ? DURATIONS : SIZES;

	if (type == CONF_BOOL) {
		snprintf(ret_text, CONF_SCALAR_TEXT, value ? "true" : "false");
		return;
	}
	if (type == CONF_MODE) {
		snprintf(ret_text, CONF_SCALAR_TEXT, "%04" PRIo64, (uint64_t)value);
		return;
	}
	if ((type != CONF_DURATION && type != CONF_SIZE) || value == 0) {
		snprintf(ret_text, CONF_SCALAR_TEXT, "%" PRId64, value);
		return;
	}
	while (value % unit->factor)
		unit++;
	snprintf(ret_text, CONF_SCALAR_TEXT, "%" PRId64 "%s", value / unit->factor, unit->name);
}

int conf_scalar_word(const char *words, const char *text)
{
	size_t n = strlen(text);

	for (int place = 0; *words; place++) {
		size_t word = strcspn(words, " ");

		if (word == n && !memcmp(words, text, n))
			return place;
		words += word + (words[word] == ' ');
	}
	return -1;
}

int conf_scalar_address(const char *text, char ret_host[CONF_SCALAR_HOST], uint16_t *ret_port)
{
	const char *colon = strrchr(text, ':');
	bool six = text[0] == '[';
	size_t n = colon ? (size_t)(colon - text) : 0;
	char host[CONF_SCALAR_HOST];
	unsigned char raw[sizeof(struct in6_addr)];
	int64_t port = 0;

	if (n == 0 || n >= sizeof(host) || parse_int(colon + 1, &port) || port < 1 || port > 65535)
		return -EINVAL;
	if (six && (n < 2 || colon[-1] != ']'))
		return -EINVAL;
	memcpy(host, text + six, n - 2 * six);
	host[n - 2 * six] = '\0';
	if (inet_pton(six ? AF_INET6 : AF_INET, host, raw) != 1)
		return -EINVAL;
	memcpy(ret_host, host, sizeof(host));
	*ret_port = (uint16_t)port;
	return 0;
}
