/* SPDX-License-Identifier: MIT */

/* capture: catch the mail of programs under test, and show it in a browser. */

#include <signal.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include <smtpd.h>

#include "certificate.h"
#include "complain.h"
#include "daemon.h"
#include "http.h"
#include "listen.h"
#include "log.h"
#include "mime.h"
#include "options.h"
#include "receive.h"
#include "settings.h"
#include "startup.h"
#include "store.h"
#include "tls_files.h"
#include "web.h"

/* How long messages that are being received have at the end. */
#define DRAIN_MS 2000

/* Everything that lives as long as the program. */
struct capture {
	struct settings settings;
	struct log *log;
	struct store *store;
	struct smtpd_server *server;
	struct listen_where where;
	struct text_list no_interfaces;
	struct tls_files tls_files;
	struct http *http;
	char url[WEB_URL_SIZE];
};

static int
create_server(struct capture *c)
{
	struct smtpd_settings s;

	c->log = log_create(c->settings.in.log_level);
	if (c->log == NULL)
		return complain(PROGRAM, EX_OSERR, "no memory");
	c->store =
	    store_create(c->settings.max_messages, c->settings.max_memory);
	settings_for_server(&c->settings, &s);
	s.log_user = c->log;
	c->server = smtpd_server_create(&s);
	if (c->server == NULL || receive_register(c->server, c->store) == -1)
		return complain(PROGRAM, EX_OSERR, "no memory");
	return 0;
}

static int
set_tls(struct capture *c)
{
	struct smtpd_tls *tls;
	char why[1024];
	int status;

	c->tls_files = (struct tls_files){
		.server = c->server,
		.log = c->log,
		.certs = &c->settings.in.tls_certs,
		.keys = &c->settings.in.tls_keys,
	};
	status = tls_files_load(&c->tls_files, why, sizeof(why));
	if (status != 0)
		return complain(PROGRAM, status, "%s", why);
	if (!c->settings.tls)
		return 0;
	tls = certificate_make();
	if (tls == NULL || smtpd_server_set_tls(c->server, tls) == -1)
		status = complain(PROGRAM, EX_SOFTWARE,
		    "--tls: no certificate could be made");
	smtpd_tls_unref(tls);
	return status;
}

static int
open_smtp(struct capture *c)
{
	unsigned port = (unsigned)c->settings.in.port;

	c->where = (struct listen_where){
		.interfaces = &c->no_interfaces,
		.loopback = c->settings.in.loopback,
		.addresses = &c->settings.in.listen,
		.port = port != 0 ? port : LISTEN_ANY_PORT,
	};
	return listen_open(PROGRAM, c->server, &c->where, c->log);
}

static int
open_web(struct capture *c)
{
	const struct http_site site = {
		.store = c->store,
		.names = &c->settings.web_names,
		.smtp = smtpd_server_address(c->server, 0),
	};
	int fd = web_listen(PROGRAM, c->settings.web, c->url, sizeof(c->url));

	if (fd == -1)
		return EX_UNAVAILABLE;
	c->http = http_start(fd, &site);
	if (c->http != NULL)
		return 0;
	close(fd);
	return complain(PROGRAM, EX_OSERR, "cannot serve the page");
}

/* Tell the user, or the test that started this, where everything is. */
static void
announce_addresses(const struct capture *c)
{
	const char *address;

	for (size_t i = 0;
	    (address = smtpd_server_address(c->server, i)) != NULL; i++)
		printf("SMTP  %s\n", address);
	printf("Page  %s\n", c->url);
	fflush(stdout);
}

static void
wait_for_end(void)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	while (sigwait(&set, &sig) != 0)
		continue;
}

static int
run_capture(struct capture *c)
{
	int status;

	daemon_prepare();
	mime_start();
	if ((status = create_server(c)) != 0 || (status = set_tls(c)) != 0 ||
	    (status = open_smtp(c)) != 0 || (status = open_web(c)) != 0)
		return status;
	if (smtpd_server_start(c->server) == -1)
		return complain(PROGRAM, EX_OSERR, "cannot start: %s",
		    smtpd_server_error(c->server));
	announce_addresses(c);
	wait_for_end();
	smtpd_server_drain(c->server, DRAIN_MS);
	return EX_OK;
}

static void
finish_capture(struct capture *c)
{
	smtpd_server_destroy(c->server);
	if (c->store != NULL)
		store_close(c->store);
	http_stop(c->http);
	store_destroy(c->store);
	tls_files_finish(&c->tls_files);
	listen_finish(&c->where);
	log_destroy(c->log);
	mime_end();
}

int
main(int argc, char **argv)
{
	struct capture c = { .log = NULL };
	int status;

	startup_prepare();
	status = settings_read(argc, argv, &c.settings);
	if (status == OPTIONS_GO) {
		status = run_capture(&c);
		finish_capture(&c);
	}
	settings_finish(&c.settings);
	return status;
}
