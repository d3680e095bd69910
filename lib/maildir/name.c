/* SPDX-License-Identifier: MIT */
#include "maildir/name.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

int
smtpd__maildir_name_init(struct smtpd_maildir_names *names, const char *host)
{
	struct smtpd_text text;

	if (sem_init(&names->guard, 0, 1) == -1)
		return -1;
	names->counter = 0;
	smtpd__text_init(&text, names->host, sizeof(names->host));
	/* Bytes that a reader of the Maildir could misunderstand become \ooo;
	 * it is cut off before the first character that does not fit whole. */
	for (; *host != '\0'; host++) {
		unsigned char c = (unsigned char)*host;

		if (!smtpd__text_is_control(c) && strchr("/:,\\ ", c) == NULL)
			smtpd__text_byte(&text, *host);
		else if (text.len + 4 < text.size)
			smtpd__text_format(&text, "\\%03o", c);
		else
			break;
	}
	return 0;
}

void
smtpd__maildir_name_finish(struct smtpd_maildir_names *names)
{
	sem_destroy(&names->guard);
}

void
smtpd__maildir_name_make(
    struct smtpd_maildir_names *names, int64_t size, char *name)
{
	struct smtpd_text text;
	struct timespec now;
	uint64_t number;

	clock_gettime(CLOCK_REALTIME, &now);
	while (sem_wait(&names->guard) == -1 && errno == EINTR)
		continue;
	number = ++names->counter;
	sem_post(&names->guard);
	smtpd__text_init(&text, name, SMTPD_MAILDIR_NAME_SIZE);
	smtpd__text_format(&text, "%jd.M%06ldP%jdQ%" PRIu64 ".%s",
	    (intmax_t)now.tv_sec, now.tv_nsec / 1000, (intmax_t)getpid(),
	    number, names->host);
	if (size >= 0)
		smtpd__text_format(&text, ",S=%" PRId64, size);
}

/* Move *S past one or more digits and THEN, which must follow them. */
static bool
skip_number(const char **s, const char *then)
{
	size_t digits = strspn(*s, "0123456789");
	size_t len = strlen(then);

	if (digits == 0 || strncmp(*s + digits, then, len) != 0)
		return false;
	*s += digits + len;
	return true;
}

bool
smtpd__maildir_name_is_ours(const char *name)
{
	return skip_number(&name, ".M") && skip_number(&name, "P") &&
	    skip_number(&name, "Q") && skip_number(&name, ".") &&
	    *name != '\0' && strchr(name, ':') == NULL;
}
