/* SPDX-License-Identifier: MIT */
#include "maildir/name.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

/* Append TEXT.  Bytes that a reader of the Maildir could misunderstand become
 * \ooo; it is cut off before the first character that does not fit whole. */
static void
add_escaped(struct smtpd_text *t, const char *text)
{
	for (const char *p = text; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;

		if (!smtpd__text_is_control(c) && strchr("/:,\\ ", c) == NULL) {
			smtpd__text_byte(t, *p);
		} else if (t->len + 4 < t->size) {
			smtpd__text_format(t, "\\%03o", c);
		} else {
			return;
		}
	}
}

int
smtpd__maildir_name_init(struct smtpd_maildir_names *names, const char *host)
{
	struct smtpd_text text;

	if (sem_init(&names->guard, 0, 1) == -1)
		return -1;
	names->counter = 0;
	smtpd__text_init(&text, names->host, sizeof(names->host));
	add_escaped(&text, host);
	return 0;
}

void
smtpd__maildir_name_finish(struct smtpd_maildir_names *names)
{
	sem_destroy(&names->guard);
}

static uint64_t
next_number(struct smtpd_maildir_names *names)
{
	uint64_t n;

	while (sem_wait(&names->guard) == -1 && errno == EINTR)
		continue;
	n = ++names->counter;
	sem_post(&names->guard);
	return n;
}

void
smtpd__maildir_name_make(
    struct smtpd_maildir_names *names, int64_t size, char *name)
{
	struct smtpd_text text;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	smtpd__text_init(&text, name, SMTPD_MAILDIR_NAME_SIZE);
	smtpd__text_format(&text, "%jd.M%06ldP%jdQ%" PRIu64 ".%s",
	    (intmax_t)now.tv_sec, now.tv_nsec / 1000, (intmax_t)getpid(),
	    next_number(names), names->host);
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
