/* SPDX-License-Identifier: MIT */
#include "grammar/param.h"

#include <string.h>

#include "base/text.h"
#include "base/utf8.h"

/* esmtp-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-") */
static bool
is_keyword(const char *s, size_t len)
{
	if (len == 0 || s[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!smtpd__text_is_alnum(s[i]) && s[i] != '-')
			return false;
	}
	return true;
}

bool
smtpd__param_value_is_valid(const char *s, size_t len)
{
	for (size_t at = 0, n; at < len; at += n) {
		uint32_t point;

		n = smtpd__utf8_decode(s + at, len - at, &point);
		if (n == 0 || smtpd__utf8_is_control(point) || point == ' ' ||
		    point == '=')
			return false;
	}
	return len > 0;
}

/* esmtp-param = esmtp-keyword ["=" esmtp-value] that fills LEN bytes at S */
static enum smtpd_param_fault
read_param(const char *s, size_t len, struct smtpd_arena *arena,
    struct smtpd_param *out)
{
	const char *equals = memchr(s, '=', len);
	size_t name_len = equals != NULL ? (size_t)(equals - s) : len;
	char *text;

	if (!is_keyword(s, name_len))
		return SMTPD_PARAM_SYNTAX;
	if (equals != NULL &&
	    !smtpd__param_value_is_valid(equals + 1, len - name_len - 1))
		return SMTPD_PARAM_SYNTAX;
	text = smtpd__arena_text(arena, s, len);
	if (text == NULL)
		return SMTPD_PARAM_NO_MEMORY;
	for (size_t i = 0; i < name_len; i++)
		text[i] = (char)smtpd__text_to_upper(text[i]);
	text[name_len] = '\0';
	out->name = text;
	out->value = equals != NULL ? text + name_len + 1 : NULL;
	return SMTPD_PARAM_OK;
}

static bool
is_duplicate(const struct smtpd_param *list, size_t n, const char *param_name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i].name, param_name) == 0)
			return true;
	}
	return false;
}

/* As smtpd__param_parse_all(), but into LIST of SMTPD_PARAMS_MAX. */
static enum smtpd_param_fault
read_params(const char *s, size_t len, struct smtpd_arena *arena,
    struct smtpd_param *list, size_t *count)
{
	const char *end = s + len;
	size_t n = 0;

	while (s < end) {
		enum smtpd_param_fault fault;
		const char *word;

		if (!smtpd__text_is_white(*s))
			return SMTPD_PARAM_SYNTAX;
		while (s < end && smtpd__text_is_white(*s))
			s++;
		for (word = s; s < end && !smtpd__text_is_white(*s);)
			s++;
		if (s == word)
			break;
		if (n == SMTPD_PARAMS_MAX)
			return SMTPD_PARAM_TOO_MANY;
		fault = read_param(word, (size_t)(s - word), arena, &list[n]);
		if (fault != SMTPD_PARAM_OK)
			return fault;
		if (is_duplicate(list, n, list[n].name))
			return SMTPD_PARAM_DUPLICATE;
		n++;
	}
	*count = n;
	return SMTPD_PARAM_OK;
}

enum smtpd_param_fault
smtpd__param_parse_all(const char *s, size_t len, struct smtpd_arena *arena,
    const struct smtpd_params **out)
{
	struct smtpd_param list[SMTPD_PARAMS_MAX];
	struct smtpd_params *params = NULL;
	enum smtpd_param_fault fault;
	size_t n = 0;

	fault = read_params(s, len, arena, list, &n);
	if (fault != SMTPD_PARAM_OK)
		return fault;
	if (n > 0) {
		params = smtpd__arena_alloc(
		    arena, sizeof(*params) + n * sizeof(list[0]));
		if (params == NULL)
			return SMTPD_PARAM_NO_MEMORY;
		params->count = n;
		memcpy(params->list, list, n * sizeof(list[0]));
	}
	*out = params;
	return SMTPD_PARAM_OK;
}

bool
smtpd__param_name_is_valid(const char *s)
{
	return is_keyword(s, strlen(s));
}

int
smtpd__param_number(const char *s, uint64_t *out)
{
	size_t len = strlen(s);
	uint64_t n = 0;

	if (len == 0 || len > SMTPD_PARAM_DIGITS_MAX)
		return -1;
	for (; *s != '\0'; s++) {
		uint64_t digit = (uint64_t)(*s - '0');

		if (!smtpd__text_is_digit(*s) || n > (UINT64_MAX - digit) / 10)
			return -1;
		n = n * 10 + digit;
	}
	*out = n;
	return 0;
}

size_t
smtpd_params_count(const struct smtpd_params *params)
{
	return params != NULL ? params->count : 0;
}

const struct smtpd_param *
smtpd_params_get(const struct smtpd_params *params, size_t i)
{
	return i < smtpd_params_count(params) ? &params->list[i] : NULL;
}

const char *
smtpd_params_value(const struct smtpd_params *params, const char *name)
{
	for (size_t i = 0; i < smtpd_params_count(params); i++) {
		const struct smtpd_param *p = &params->list[i];

		if (strcmp(p->name, name) == 0)
			return p->value != NULL ? p->value : "";
	}
	return NULL;
}
