/* SPDX-License-Identifier: MIT */
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE 72

static const char end_and_quit[] = ".\r\nQUIT\r\n";

static size_t
append(char *buf, const char *s)
{
	size_t len = strlen(s);
	memcpy(buf, s, len);
	return len;
}

/* PATTERN with its first %d replaced by a number that rotates. */
static size_t
append_address(char *buf, const char *pattern, uint64_t n, uint32_t rotate)
{
	const char *mark = strstr(pattern, "%d");
	if (mark == NULL)
		return append(buf, pattern);
	size_t at = (size_t)(mark - pattern);
	memcpy(buf, pattern, at);
	at += (size_t)snprintf(
	    buf + at, 24, "%llu", (unsigned long long)(n % rotate));
	return at + append(buf + at, mark + 2);
}

static size_t
append_command(char *buf, const char *verb, const char *pattern, uint64_t n,
    uint32_t rotate)
{
	size_t len = append(buf, verb);
	len += append_address(buf + len, pattern, n, rotate);
	return len + append(buf + len, ">\r\n");
}

size_t
text_mail(char *buf, const struct options *opt, uint64_t seq)
{
	return append_command(buf, "MAIL FROM:<", opt->from, seq, opt->rotate);
}

size_t
text_rcpt(char *buf, const struct options *opt, uint64_t seq, uint32_t i)
{
	return append_command(
	    buf, "RCPT TO:<", opt->to, seq * opt->recipients + i, opt->rotate);
}

size_t
text_group(char *buf, const struct options *opt, uint64_t seq)
{
	size_t len = text_mail(buf, opt, seq);
	for (uint32_t i = 0; i < opt->recipients; i++)
		len += text_rcpt(buf + len, opt, seq, i);
	return len;
}

/* Always of the same length. */
size_t
text_header(char *buf, const struct options *opt, uint64_t seq)
{
	size_t len = append(buf,
	    "From: Load <load@example.net>\r\n"
	    "To: Users <users@example.org>\r\n"
	    "Subject: load\r\n"
	    "Date: Thu, 01 Jan 2026 00:00:00 +0000\r\n");
	if (opt->sequence)
		len += (size_t)snprintf(buf + len, 48,
		    "X-Bench-Seq: %020llu\r\n", (unsigned long long)seq);
	return len + append(buf + len, "\r\n");
}

size_t
text_chunk(char *buf, const struct options *opt, uint64_t seq, size_t lines)
{
	char header[512];
	size_t header_len = text_header(header, opt, seq);
	size_t len =
	    (size_t)snprintf(buf, 64, "BDAT %zu LAST\r\n", header_len + lines);
	memcpy(buf + len, header, header_len);
	return len + header_len;
}

size_t
text_room(const struct options *opt)
{
	size_t group = 64 + strlen(opt->from) +
	    (size_t)opt->recipients * (48 + strlen(opt->to));
	return group + 512;
}

static void
fill_lines(char *at, size_t len)
{
	memset(at, 'x', len);
	for (size_t end = LINE + 2; end < len; end += LINE + 2)
		memcpy(at + end - 2, "\r\n", 2);
	if (len >= 2)
		memcpy(at + len - 2, "\r\n", 2);
	/* Not the CR of one line end and the LF of another. */
	if (len >= 3 && at[len - 3] == '\r')
		at[len - 3] = 'x';
}

int
text_body_create(struct body *body, const struct options *opt)
{
	char header[512];
	size_t used = text_header(header, opt, 0);
	size_t lines = opt->size > used + 2 ? (size_t)opt->size - used : 2;
	size_t end = sizeof(end_and_quit) - 1;
	body->text = malloc(lines + end);
	if (body->text == NULL)
		return -1;
	fill_lines(body->text, lines);
	memcpy(body->text + lines, end_and_quit, end);
	body->lines = lines;
	body->len = lines + 3;
	body->quit_len = lines + end;
	return 0;
}

void
text_body_destroy(struct body *body)
{
	free(body->text);
}
