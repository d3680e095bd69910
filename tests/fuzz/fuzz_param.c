/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <string.h>

#include "base/text.h"
#include "grammar/param.h"
#include "grammar/xtext.h"

#define INPUT_MAX 2048

static void
must_be_valid(const struct smtpd_params *params)
{
	must(smtpd_params_count(params) <= SMTPD_PARAMS_MAX);
	for (size_t i = 0; i < smtpd_params_count(params); i++) {
		const char *value = params->list[i].value;

		must(smtpd__param_name_is_valid(params->list[i].name));
		for (size_t k = 0; k < i; k++)
			must(!smtpd__text_same(
			    params->list[i].name, params->list[k].name));
		if (value == NULL)
			continue;
		must(value[0] != '\0' &&
		    is_printable_utf8(value, strlen(value)));
		must(strpbrk(value, " =") == NULL);
	}
}

/* Written again and parsed again, they are the same. */
static void
must_parse_again(const struct smtpd_params *params)
{
	static char block[2 * INPUT_MAX + 1024];
	static char buf[INPUT_MAX + 16];
	const struct smtpd_params *again;
	struct smtpd_arena arena;
	struct smtpd_text t;

	smtpd__text_init(&t, buf, sizeof(buf));
	for (size_t i = 0; i < smtpd_params_count(params); i++) {
		smtpd__text_format(&t, " %s", params->list[i].name);
		if (params->list[i].value != NULL)
			smtpd__text_format(&t, "=%s", params->list[i].value);
	}
	must(!t.cut);
	smtpd__arena_init(&arena, block, sizeof(block), 0);
	must(smtpd__param_parse_all(t.at, t.len, &arena, &again) ==
	    SMTPD_PARAM_OK);
	must(smtpd_params_count(again) == smtpd_params_count(params));
	for (size_t i = 0; i < smtpd_params_count(params); i++) {
		const char *value = params->list[i].value;

		must(strcmp(params->list[i].name, again->list[i].name) == 0);
		must((value == NULL) == (again->list[i].value == NULL));
		must(value == NULL || strcmp(value, again->list[i].value) == 0);
	}
}

static void
try_params(const char *s, size_t len)
{
	static char block[2 * INPUT_MAX + 1024];
	const struct smtpd_params *params;
	enum smtpd_param_fault fault;
	struct smtpd_arena arena;

	smtpd__arena_init(&arena, block, sizeof(block), 0);
	fault = smtpd__param_parse_all(s, len, &arena, &params);
	must(fault != SMTPD_PARAM_NO_MEMORY);
	if (fault != SMTPD_PARAM_OK)
		return;
	must_be_valid(params);
	must_parse_again(params);
}

static void
try_number(const char *s)
{
	const char *digits = s + strspn(s, "0");
	char buf[32];
	struct smtpd_text t;
	uint64_t n;

	if (smtpd__param_number(s, &n) != 0)
		return;
	smtpd__text_init(&t, buf, sizeof(buf));
	smtpd__text_number(&t, n);
	must(strcmp(*digits != '\0' ? digits : "0", buf) == 0);
}

static void
try_decode(const char *s, size_t len)
{
	static char out[INPUT_MAX + 1];
	int n = smtpd__xtext_decode(s, len, out, sizeof(out));

	if (n < 0)
		return;
	must(strlen(out) == (size_t)n && (size_t)n <= len);
	for (int i = 0; i < n; i++)
		must(!smtpd__text_is_control((unsigned char)out[i]));
}

/* The coding by the letter of RFC 3461, 4: every byte as hexchar. */
static void
try_hexchars(const char *s, size_t len)
{
	static char encoded[3 * INPUT_MAX + 1];
	static char out[INPUT_MAX + 1];
	struct smtpd_text t;
	bool control = false;
	int n;

	smtpd__text_init(&t, encoded, sizeof(encoded));
	for (size_t i = 0; i < len; i++) {
		smtpd__text_format(&t, "+%02X", (unsigned char)s[i]);
		control =
		    control || smtpd__text_is_control((unsigned char)s[i]);
	}
	n = smtpd__xtext_decode(encoded, t.len, out, sizeof(out));
	must(control ? n == -1 : n == (int)len);
	must(control || memcmp(out, s, len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *s = (const char *)data;
	char *copy;

	if (size > INPUT_MAX)
		return 0;
	try_params(s, size);
	try_decode(s, size);
	try_hexchars(s, size);
	copy = malloc(size + 1);
	must(copy != NULL);
	memcpy(copy, s, size);
	copy[size] = '\0';
	try_number(copy);
	free(copy);
	return 0;
}
