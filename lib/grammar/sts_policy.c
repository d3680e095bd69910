/* SPDX-License-Identifier: MIT */
#include "grammar/sts_policy.h"

#include <string.h>

#include "base/text.h"
#include "base/utf8.h"
#include "grammar/idn.h"
#include "grammar/txt_fields.h"

/* Room for a name in A-labels; longer ones are no host's. */
#define NAME_SIZE 256

/* "key: value" */
struct line {
	const char *key;
	size_t key_len;
	const char *value;
	size_t value_len;
};

static const char *const words[] = {
	[SMTPD_STS_NONE] = "none",
	[SMTPD_STS_TESTING] = "testing",
	[SMTPD_STS_ENFORCE] = "enforce",
};

const char *
smtpd__sts_policy_word(enum smtpd_sts_mode mode)
{
	return words[mode];
}

const char *
smtpd__sts_policy_line(
    const struct smtpd_sts_policy *p, size_t *at, size_t *len)
{
	const char *line = p->text + *at;
	const size_t left = p->len - *at;
	const char *end;

	if (left == 0)
		return NULL;
	end = memchr(line, '\n', left);
	*len = end != NULL ? (size_t)(end - line) : left;
	*at += *len + (end != NULL);
	if (end != NULL && *len > 0 && line[*len - 1] == '\r')
		--*len;
	while (*len > 0 && smtpd__text_is_white((unsigned char)line[*len - 1]))
		--*len;
	return line;
}

/* Whether LEN bytes at S are UTF-8 without controls. */
static bool
is_value(const char *s, size_t len)
{
	size_t n;

	for (size_t i = 0; i < len; i += n) {
		uint32_t point;

		n = smtpd__utf8_decode(s + i, len - i, &point);
		if (n == 0 || smtpd__utf8_is_control(point))
			return false;
	}
	return len > 0;
}

/* Divide the LEN bytes at S; whether they have the form. */
static bool
split_line(const char *s, size_t len, struct line *out)
{
	const char *colon = memchr(s, ':', len), *value;

	if (colon == NULL)
		return false;
	value = colon + 1;
	while (value < s + len && smtpd__text_is_white((unsigned char)*value))
		value++;
	*out = (struct line){ s, (size_t)(colon - s), value,
		(size_t)(s + len - value) };
	return smtpd__txt_fields_is_name(out->key, out->key_len) &&
	    is_value(out->value, out->value_len);
}

static bool
has_key(const struct line *l, const char *key)
{
	return l->key_len == strlen(key) &&
	    memcmp(l->key, key, l->key_len) == 0;
}

static bool
has_value(const struct line *l, const char *value)
{
	return l->value_len == strlen(value) &&
	    memcmp(l->value, value, l->value_len) == 0;
}

/* Write the LEN bytes at S, a name of a policy, as those of hosts are: in lower
 * case and A-labels.  Whether there can be such a host. */
static bool
normalise_name(const char *s, size_t len, char *out)
{
	char name[NAME_SIZE];

	if (len == 0 || len >= sizeof(name))
		return false;
	memcpy(name, s, len);
	name[len] = '\0';
	if (!smtpd__text_is_ascii(name, len))
		return smtpd__idn_to_ascii(name, out, NAME_SIZE) == 0;
	for (size_t i = 0; i <= len; i++)
		out[i] = (char)smtpd__text_to_lower((unsigned char)name[i]);
	return true;
}

/* Whether the LEN bytes at S are labels of letters, digits and "-" (RFC 5321,
 * 4.1.2), in UTF-8 too. */
static bool
is_domain(const char *s, size_t len)
{
	for (size_t i = 0, label = 0; i < len; i++) {
		const bool edge = i == label || i + 1 == len || s[i + 1] == '.';
		const unsigned char c = (unsigned char)s[i];

		if (c == '.' && i > label)
			label = i + 1;
		else if (c < 0x80 && !smtpd__text_is_alnum(c) && c != '_' &&
		    (c != '-' || edge))
			return false;
	}
	return len > 0 && s[len - 1] != '.';
}

static bool
is_pattern(const struct line *l)
{
	const size_t star =
	    l->value_len > 2 && memcmp(l->value, "*.", 2) == 0 ? 2 : 0;

	return is_domain(l->value + star, l->value_len - star);
}

const char *
smtpd__sts_policy_mx(const char *s, size_t len, size_t *name_len)
{
	struct line l;

	if (!split_line(s, len, &l) || !has_key(&l, "mx"))
		return NULL;
	*name_len = l.value_len;
	return l.value;
}

/* Read digits, at most SMTPD_STS_AGE_MAX.  Return 0 or -1. */
static int
read_age(const struct line *l, uint32_t *out)
{
	uint64_t n = 0;

	if (l->value_len > 10)
		return -1;
	for (size_t i = 0; i < l->value_len; i++) {
		if (!smtpd__text_is_digit((unsigned char)l->value[i]))
			return -1;
		n = n * 10 + (uint64_t)(l->value[i] - '0');
	}
	*out = (uint32_t)n;
	return n <= SMTPD_STS_AGE_MAX ? 0 : -1;
}

static int
read_mode(const struct line *l, enum smtpd_sts_mode *out)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (has_value(l, words[i])) {
			*out = (enum smtpd_sts_mode)i;
			return 0;
		}
	return -1;
}

/* What was seen in a policy. */
struct seen {
	bool version, mode, max_age, mx;
};

/* Read one line.  Return NULL or what is wrong. */
static const char *
read_line(const struct line *l, struct smtpd_sts_policy *out, struct seen *seen)
{
	if (has_key(l, "version") && !seen->version) {
		seen->version = true;
		return has_value(l, "STSv1") ? NULL : "its version is unknown";
	}
	if (has_key(l, "mode") && !seen->mode) {
		seen->mode = true;
		return read_mode(l, &out->mode) == 0 ? NULL
						     : "its mode is unknown";
	}
	if (has_key(l, "max_age") && !seen->max_age) {
		seen->max_age = true;
		return read_age(l, &out->max_age_s) == 0
		    ? NULL
		    : "its max_age is no number, or more than a year";
	}
	if (has_key(l, "mx")) {
		seen->mx = true;
		return is_pattern(l) ? NULL
				     : "an mx of it is no name of a host";
	}
	return NULL;
}

const char *
smtpd__sts_policy_read(
    const char *text, size_t len, struct smtpd_sts_policy *out)
{
	struct seen seen = { false };
	const char *fault = NULL, *s;
	size_t at = 0, n;

	*out = (struct smtpd_sts_policy){ .text = text, .len = len };
	if (len > SMTPD_STS_POLICY_MAX)
		return "it is longer than 64 KiB";
	while (fault == NULL &&
	    (s = smtpd__sts_policy_line(out, &at, &n)) != NULL) {
		struct line l;

		/* Many end in an empty line. */
		if (n == 0)
			continue;
		fault = split_line(s, n, &l)
		    ? read_line(&l, out, &seen)
		    : "it has a line that is not \"key: value\"";
	}
	if (fault != NULL)
		return fault;
	if (!seen.version)
		return "it has no version";
	if (!seen.mode)
		return "it has no mode";
	if (!seen.max_age)
		return "it has no max_age";
	return seen.mx || out->mode == SMTPD_STS_NONE ? NULL : "it has no mx";
}

/* Whether the name of LEN bytes at S allows HOST. */
static bool
matches(const char *s, size_t len, const char *host)
{
	char name[NAME_SIZE];

	if (len > 2 && s[0] == '*' && s[1] == '.') {
		host = strchr(host, '.');
		if (host == NULL)
			return false;
		host++;
		s += 2;
		len -= 2;
	}
	return normalise_name(s, len, name) && strcmp(name, host) == 0;
}

bool
smtpd__sts_policy_allows(const struct smtpd_sts_policy *p, const char *host)
{
	size_t at = 0, len, name_len;
	const char *s;

	while ((s = smtpd__sts_policy_line(p, &at, &len)) != NULL) {
		const char *name = smtpd__sts_policy_mx(s, len, &name_len);

		if (name != NULL && matches(name, name_len, host))
			return true;
	}
	return false;
}
