/* SPDX-License-Identifier: MIT */
#ifndef CALL_CHECK_H
#define CALL_CHECK_H

/* The results that a file wants, compared with what came. */

#include <smtpd.h>

#include "script.h"

/* Whether LINE is about the present message of S. */
bool call_check_is_present(
    const struct call_script *s, const struct call_line *line);

/* Whether a result WORD is wanted of the present message of S. */
bool call_check_wants(const struct call_script *s, const char *word);

/* Whether LINE is about recipient I (from 0): "all", its number, or a range of
 * numbers, as in "1-50". */
bool call_check_covers(const struct call_line *line, size_t i);

/* Fail unless GOT is what LINE wants; "*" at its end: it begins so. */
void call_check_line(
    const struct call_script *s, const struct call_line *line, const char *got);

/* Fail unless the lines of GOT are those of the results WORD, where S has any
 * of the present message; one that is empty wants no line. */
void call_check_lines(
    const struct call_script *s, const char *word, const char *got);

/* Fail: LINE is no result that there is. */
void call_check_unknown(
    const struct call_script *s, const struct call_line *line);

/* "sent", and so on. */
const char *call_check_outcome(const struct smtpd_result *r);

/* Write LEN bytes at TEXT to OUT with \r, \n for CR, LF. */
void call_check_escape(const char *text, size_t len, char *out, size_t size);

#endif
