/* SPDX-License-Identifier: MIT */
/*
 * server CERT KEY: the library's server on two free ports of 127.0.0.1, whose
 * numbers it prints: with TLS at once, and without.  For each line on its
 * standard input it prints the microseconds of CPU that it has used.
 */
#include <smtpd.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

static int
deliver(struct smtpd_session *s, const struct smtpd_envelope *e,
    struct smtpd_body *body, void *user)
{
	(void)s;
	(void)e;
	(void)body;
	(void)user;
	return 0;
}

static const char *
port_of(const struct smtpd_server *srv, size_t i)
{
	return strrchr(smtpd_server_address(srv, i), ':') + 1;
}

static int
run(struct smtpd_server *srv, struct smtpd_tls *tls, char **argv)
{
	struct timespec used;
	char line[16];

	if (smtpd_tls_add_files(tls, argv[1], argv[2]) != 0) {
		fprintf(stderr, "server: %s\n", smtpd_tls_error(tls));
		return 1;
	}
	smtpd_server_set_deliver(srv, deliver, NULL);
	if (smtpd_server_set_tls(srv, tls) != 0 ||
	    smtpd_server_listen(srv, "127.0.0.1:0", SMTPD_LISTEN_TLS) != 0 ||
	    smtpd_server_listen(srv, "127.0.0.1:0", 0) != 0 ||
	    smtpd_server_start(srv) != 0) {
		fprintf(stderr, "server: %s\n", smtpd_server_error(srv));
		return 1;
	}
	printf("%s %s\n", port_of(srv, 0), port_of(srv, 1));
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
		printf("%.1f\n",
		    (double)used.tv_sec * 1e6 + (double)used.tv_nsec / 1e3);
		fflush(stdout);
	}
	return 0;
}

int
main(int argc, char **argv)
{
	const struct smtpd_settings settings = {
		SMTPD_SETTINGS_INIT,
		.max_connections = SMTPD_NO_LIMIT,
		.max_per_address = SMTPD_NO_LIMIT,
		.max_per_network = SMTPD_NO_LIMIT,
	};
	struct smtpd_server *srv = smtpd_server_create(&settings);
	struct smtpd_tls *tls = smtpd_tls_create(NULL);
	int status = 64;

	if (argc == 3 && srv != NULL && tls != NULL)
		status = run(srv, tls, argv);
	smtpd_server_destroy(srv);
	smtpd_tls_unref(tls);
	return status;
}
