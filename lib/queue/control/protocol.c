/* SPDX-License-Identifier: MIT */
#include "queue/control/protocol.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

void
smtpd__control_protocol_address(int dir_fd, struct sockaddr_un *out)
{
	memset(out, 0, sizeof(*out));
	out->sun_family = AF_UNIX;
	snprintf(out->sun_path, sizeof(out->sun_path),
	    "/proc/self/fd/%d/" SMTPD_CONTROL_NAME, dir_fd);
}

int
smtpd__control_protocol_format(
    const char *const *words, size_t count, char *buf, size_t size)
{
	size_t at = 0;

	if (count == 0 || count > SMTPD_CONTROL_WORDS)
		return -1;
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(words[i]);

		if (len + 1 > size - at || strchr(words[i], '\n') != NULL)
			return -1;
		memcpy(buf + at, words[i], len);
		at += len;
		buf[at++] = i + 1 < count ? '\0' : '\n';
	}
	return (int)at;
}

int
smtpd__control_protocol_parse(char *line, size_t len, const char **words)
{
	int count = 0;

	if (len == 0 || line[len - 1] != '\n')
		return -1;
	line[len - 1] = '\0';
	for (size_t at = 0; at < len; at += strlen(line + at) + 1) {
		if (count == SMTPD_CONTROL_WORDS)
			return -1;
		words[count++] = line + at;
	}
	return count;
}
