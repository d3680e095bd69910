/* SPDX-License-Identifier: MIT */
#include "https.h"

#include <stdio.h>

bool
https_is_available(void)
{
	return false;
}

int
https_begin(struct https *h)
{
	(void)h;
	return 0;
}

void
https_end(struct https *h)
{
	(void)h;
}

enum smtpd_sts_fetched
https_fetch(struct smtpd_sts_fetch *fetch, void *https)
{
	(void)https;
	snprintf(fetch->reason, fetch->reason_size, "built without libcurl");
	return SMTPD_STS_UNREACHABLE;
}

int
https_post(const struct https *h, const char *url, const char *type,
    const void *data, size_t len, const struct smtpd_cancel *cancel, char *why,
    size_t size)
{
	(void)h;
	(void)url;
	(void)type;
	(void)data;
	(void)len;
	(void)cancel;
	snprintf(why, size, "built without libcurl");
	return -1;
}
