/* SPDX-License-Identifier: MIT */
/*
 * The server of the model's test: that of a conversation file's settings (see
 * tests/talk/README), listening at a UNIX socket.  It prints what the program
 * is told, a line each, and ends with its standard input.
 */
#include <stdio.h>
#include <string.h>

#include "talk/host.h"

static void
set_tls(struct host *h, const char *certificate, const char *key)
{
	struct smtpd_tls *tls = smtpd_tls_create(NULL);

	if (tls == NULL || smtpd_tls_add_files(tls, certificate, key) == -1 ||
	    smtpd_server_set_tls(h->server, tls) == -1)
		die("no TLS: %s", smtpd_tls_error(tls));
	smtpd_tls_unref(tls);
}

int
main(int argc, char **argv)
{
	struct script script;
	struct host h;

	if (argc != 3 && argc != 5)
		die("usage: model_host SETTINGS SOCKET [CERTIFICATE KEY]");
	script_read(&script, argv[1]);
	host_init(&h, &script);
	h.out = stdout;
	if (argc == 5)
		set_tls(&h, argv[3], argv[4]);
	if (smtpd_server_listen(h.server, argv[2], h.flags) == -1 ||
	    smtpd_server_start(h.server) == -1)
		die("no server: %s", smtpd_server_error(h.server));
	puts("ready");
	fflush(stdout);
	while (getchar() != EOF)
		continue;
	host_finish(&h);
	script_finish(&script);
	return 0;
}
