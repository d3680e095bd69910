/* SPDX-License-Identifier: MIT */
#include "mailbox.h"

#include <string.h>

const char *
mailbox_parse(const char *text, struct mailbox_pattern *out)
{
	bool user = false;

	*out = (struct mailbox_pattern){ .text = text };
	for (const char *p = strchr(text, '%'); p != NULL;
	    p = strchr(p + 2, '%')) {
		if (p[1] == 'd')
			out->by_domain = true;
		else if (p[1] == 'u')
			user = true;
		else if (p[1] != '%')
			return "after % comes u (user), d (domain) or %";
	}
	if (!user)
		return "without %u, all users would share one mailbox";
	for (const char *p = text; *p != '%'; p++)
		if (*p == '/')
			out->root_len = (size_t)(p - text) + 1;
	return NULL;
}

int
mailbox_root(const struct mailbox_pattern *p, char *buf, size_t size)
{
	if (p->root_len + 2 > size)
		return -1;
	memcpy(buf, p->text, p->root_len);
	buf[p->root_len] = '\0';
	if (p->root_len == 0)
		memcpy(buf, ".", 2);
	return 0;
}

int
mailbox_path(const struct mailbox_pattern *p, const char *user,
    const char *domain, char *buf, size_t size)
{
	size_t at = 0;

	for (const char *in = p->text; *in != '\0'; in++) {
		const char *piece = in;
		size_t len = 1;

		if (*in == '%') {
			in++;
			piece = *in == 'u' ? user : domain;
			if (*in == '%')
				piece = "%";
			len = strlen(piece);
		}
		if (len >= size - at)
			return -1;
		memcpy(buf + at, piece, len);
		at += len;
	}
	buf[at] = '\0';
	return 0;
}
