/* SPDX-License-Identifier: MIT */
#include <smtpd/version.h>

const char *
smtpd_version(void)
{
	return SMTPD_VERSION;
}
