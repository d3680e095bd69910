/* SPDX-License-Identifier: MIT */
#ifndef JSON_H
#define JSON_H

/*
 * Writing JSON (RFC 8259): members and elements get their commas by
 * themselves.
 */

#include <glib.h>

#include <stdint.h>

/* Begin an object or an array by BRACKET, and end it by its other one. */
void json_open(GString *out, char bracket);
void json_close(GString *out, char bracket);

/* Begin member NAME of an object; its value follows. */
void json_name(GString *out, const char *name);

/* TEXT in UTF-8; NULL: null. */
void json_text(GString *out, const char *text);

void json_number(GString *out, uint64_t number);

void json_bool(GString *out, gboolean value);

/* A value that is JSON already. */
void json_raw(GString *out, const char *json, size_t len);

/* Both at once. */
void json_name_text(GString *out, const char *name, const char *text);
void json_name_number(GString *out, const char *name, uint64_t number);

#endif
