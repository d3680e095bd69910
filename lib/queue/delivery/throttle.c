/* SPDX-License-Identifier: MIT */
#include "queue/delivery/throttle.h"

#include <stddef.h>
#include <string.h>

#include "base/text.h"

/* Return true if TEXT has one of the COUNT words at WORDS, in any case, and not
 * within a longer one; a "*" at a word's end stands for any rest. */
static bool
has_word(const char *text, const char *const *words, size_t count)
{
	for (const char *at = text; *at != '\0'; at++) {
		if (at > text && smtpd__text_is_alpha(at[-1]))
			continue;
		for (size_t i = 0; i < count; i++) {
			size_t len = strlen(words[i]);
			bool open = words[i][len - 1] == '*';

			len -= open;
			if (strlen(at) >= len &&
			    smtpd__text_same_bytes(at, words[i], len) &&
			    (open || !smtpd__text_is_alpha(at[len])))
				return true;
		}
	}
	return false;
}

enum smtpd_throttle
smtpd__throttle_read(const struct smtpd_result *result)
{
	static const char *const fast[] = { "rate", "rates", "ratelimit*",
		"throttl*", "too fast", "too quickly", "too frequent*",
		"slow down", "too many messages", "too many mails",
		"too many emails", "too much mail", "unexpected volume",
		"message limit", "sending limit*" };
	static const char *const other[] = { "greylist*", "graylist*",
		"grey-list*", "gray-list*", "greylisted", "connections",
		"connection" };
	const size_t nfast = sizeof(fast) / sizeof(fast[0]);
	const size_t nother = sizeof(other) / sizeof(other[0]);

	if (result->code / 100 != 4 || has_word(result->text, other, nother))
		return SMTPD_THROTTLE_NONE;
	if (has_word(result->text, fast, nfast) ||
	    strcmp(result->status, "4.7.28") == 0)
		return SMTPD_THROTTLE_SURE;
	return strncmp(result->status, "4.7.", 4) == 0 ? SMTPD_THROTTLE_LIKELY
						       : SMTPD_THROTTLE_NONE;
}
