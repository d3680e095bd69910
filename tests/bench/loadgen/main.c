/* SPDX-License-Identifier: MIT */
/* loadgen: send mail by SMTP over many connections, and measure. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "load.h"

int
main(int argc, char **argv)
{
	struct options opt;
	int status = options_parse(argc, argv, &opt);
	if (status >= 0)
		return status;

	struct load load;
	if (load_init(&load, &opt) < 0) {
		fprintf(stderr, "loadgen: %s\n", strerror(errno));
		return EX_OSERR;
	}
	load_run(&load);
	stats_print(&load.stats, opt.json, stdout);
	status = load.stats.unexpected > 0 ? 1 : 0;
	load_finish(&load);
	return status;
}
