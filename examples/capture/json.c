/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <inttypes.h>
#include <string.h>

/* Behind a value there is a comma before the next. */
static void
separate_value(GString *out)
{
	if (out->len > 0 && strchr("[{:", out->str[out->len - 1]) == NULL)
		g_string_append_c(out, ',');
}

void
json_open(GString *out, char bracket)
{
	separate_value(out);
	g_string_append_c(out, bracket);
}

void
json_close(GString *out, char bracket)
{
	g_string_append_c(out, bracket);
}

static void
append_string(GString *out, const char *text)
{
	g_string_append_c(out, '"');
	for (const char *at = text; *at != '\0'; at++) {
		if ((unsigned char)*at < ' ')
			g_string_append_printf(
			    out, "\\u%04x", (unsigned char)*at);
		else if (*at == '"' || *at == '\\')
			g_string_append_printf(out, "\\%c", *at);
		else
			g_string_append_c(out, *at);
	}
	g_string_append_c(out, '"');
}

void
json_name(GString *out, const char *name)
{
	separate_value(out);
	append_string(out, name);
	g_string_append_c(out, ':');
}

void
json_text(GString *out, const char *text)
{
	separate_value(out);
	if (text == NULL)
		g_string_append(out, "null");
	else
		append_string(out, text);
}

void
json_number(GString *out, uint64_t number)
{
	separate_value(out);
	g_string_append_printf(out, "%" PRIu64, number);
}

void
json_bool(GString *out, gboolean value)
{
	separate_value(out);
	g_string_append(out, value ? "true" : "false");
}

void
json_raw(GString *out, const char *json, size_t len)
{
	separate_value(out);
	g_string_append_len(out, json, (gssize)len);
}

void
json_name_text(GString *out, const char *name, const char *text)
{
	json_name(out, name);
	json_text(out, text);
}

void
json_name_number(GString *out, const char *name, uint64_t number)
{
	json_name(out, name);
	json_number(out, number);
}
