/* SPDX-License-Identifier: MIT */
/* Where a server listens: addresses, paths, descriptors. */
#include <smtpd.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/sizes.h"
#include "net/socket.h"
#include "peer.h"

#include "test.h"

static int
accept_rcpt(
    struct smtpd_session *s, const struct smtpd_command *command, void *user)
{
	(void)s, (void)command, (void)user;
	return 0;
}

static int
deliver(struct smtpd_session *s, const struct smtpd_envelope *envelope,
    struct smtpd_body *body, void *user)
{
	char *peer = user;
	uid_t uid;

	(void)envelope, (void)body;
	if (peer == NULL)
		return 0;
	if (smtpd_session_uid(s, &uid) == 0)
		snprintf(peer, 64, "%s uid %lu", smtpd_session_peer(s),
		    (unsigned long)uid);
	else
		snprintf(peer, 64, "%s", smtpd_session_peer(s));
	return 0;
}

/* A server that takes all mail, and notes the peer of the last, with its user
 * if that is known, in PEER. */
static struct smtpd_server *
create(char *peer)
{
	const struct smtpd_settings settings = { SMTPD_SETTINGS_INIT,
		.hostname = "mx.example" };
	struct smtpd_server *srv = smtpd_server_create(&settings);

	assert_non_null(srv);
	assert_int_equal(
	    smtpd_server_add_handler(srv, "RCPT", accept_rcpt, NULL), 0);
	smtpd_server_set_deliver(srv, deliver, peer);
	return srv;
}

static void
deliver_one(const struct smtpd_server *srv, size_t i)
{
	struct peer p;

	assert_int_equal(peer_open(&p, smtpd_server_address(srv, i), NULL), 0);
	assert_true(peer_hello(&p));
	assert_int_equal(peer_deliver(&p, "b@example.org", "hello"), 250);
	assert_int_equal(peer_say(&p, "QUIT"), 221);
	assert_int_equal(peer_reply(&p), 0);
	peer_close(&p);
}

static bool
has_ipv6(void)
{
	struct sockaddr_in6 in6 = {
		.sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT,
	};
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	bool has =
	    fd >= 0 && bind(fd, (struct sockaddr *)&in6, sizeof(in6)) == 0;

	if (fd >= 0)
		close(fd);
	return has;
}

/* A path in a directory of the test's own. */
static void
make_path(char *path, size_t size)
{
	char dir[] = "/tmp/test_listen.XXXXXX";

	assert_non_null(mkdtemp(dir));
	snprintf(path, size, "%s/sock", dir);
}

static void
remove_path(char *path)
{
	unlink(path);
	*strrchr(path, '/') = '\0';
	assert_int_equal(rmdir(path), 0);
}

static void
test_ipv4(void **state)
{
	char peer[64] = "";
	struct smtpd_server *srv = create(peer);
	const char *address;

	(void)state;
	assert_null(smtpd_server_address(srv, 0));
	assert_int_equal(smtpd_server_listen(srv, "127.0.0.1:0", 0), 0);
	assert_string_equal(smtpd_server_error(srv), "");
	address = smtpd_server_address(srv, 0);
	assert_int_equal(strncmp(address, "127.0.0.1:", 10), 0);
	assert_int_not_equal((int)strtol(address + 10, NULL, 10), 0);
	assert_null(smtpd_server_address(srv, 1));
	assert_int_equal(smtpd_server_start(srv), 0);
	deliver_one(srv, 0);
	assert_string_equal(peer, "127.0.0.1");
	smtpd_server_destroy(srv);
}

static void
test_ipv6(void **state)
{
	char peer[64] = "";
	struct smtpd_server *srv;

	(void)state;
	if (!has_ipv6())
		skip();
	srv = create(peer);
	assert_int_equal(smtpd_server_listen(srv, "[::1]:0", 0), 0);
	assert_int_equal(strncmp(smtpd_server_address(srv, 0), "[::1]:", 6), 0);
	assert_int_equal(smtpd_server_start(srv), 0);
	deliver_one(srv, 0);
	assert_string_equal(peer, "::1");
	smtpd_server_destroy(srv);
}

/* "[::]" is IPv6 alone: IPv4 may have the same port. */
static void
test_both_families(void **state)
{
	struct smtpd_server *srv;
	const char *port;
	char address[64];

	(void)state;
	if (!has_ipv6())
		skip();
	srv = create(NULL);
	assert_int_equal(smtpd_server_listen(srv, "[::]:0", 0), 0);
	port = strrchr(smtpd_server_address(srv, 0), ':');
	snprintf(address, sizeof(address), "0.0.0.0%s", port);
	assert_int_equal(smtpd_server_listen(srv, address, 0), 0);
	assert_string_equal(smtpd_server_address(srv, 1), address);
	assert_int_equal(smtpd_server_start(srv), 0);
	deliver_one(srv, 0);
	deliver_one(srv, 1);
	smtpd_server_destroy(srv);
}

/* A dual-stack socket of the caller's: its IPv4 peers are told as such. */
static void
test_mapped_ipv4(void **state)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	const int off = 0;
	char peer[64] = "", address[64];
	struct smtpd_server *srv;
	struct peer p;
	int fd;

	(void)state;
	if (!has_ipv6())
		skip();
	fd = socket(AF_INET6, SOCK_STREAM, 0);
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	assert_int_equal(bind(fd, (struct sockaddr *)&in6, sizeof(in6)), 0);
	assert_int_equal(listen(fd, 10), 0);
	srv = create(peer);
	assert_int_equal(smtpd_server_listen_fd(srv, fd, 0), 0);
	snprintf(address, sizeof(address), "127.0.0.1%s",
	    strrchr(smtpd_server_address(srv, 0), ':'));
	assert_int_equal(smtpd_server_start(srv), 0);
	assert_int_equal(peer_open(&p, address, NULL), 0);
	assert_true(peer_hello(&p));
	assert_int_equal(peer_deliver(&p, "b@example.org", "hello"), 250);
	peer_close(&p);
	assert_string_equal(peer, "127.0.0.1");
	smtpd_server_destroy(srv);
}

/* The file of a UNIX socket is the server's, and goes with it. */
static void
test_unix(void **state)
{
	char path[64], peer[64] = "", expected[64];
	struct smtpd_server *srv = create(peer);
	struct stat st;

	(void)state;
	make_path(path, sizeof(path));
	assert_int_equal(smtpd_server_listen(srv, path, 0), 0);
	assert_string_equal(smtpd_server_address(srv, 0), path);
	assert_int_equal(smtpd_server_start(srv), 0);
	deliver_one(srv, 0);
	snprintf(expected, sizeof(expected), "local uid %lu",
	    (unsigned long)getuid());
	assert_string_equal(peer, expected);
	smtpd_server_destroy(srv);
	assert_int_equal(stat(path, &st), -1);
	remove_path(path);
}

/* A server that was killed leaves its file behind. */
static void
test_unix_stale(void **state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct smtpd_server *srv = create(NULL);
	char path[64];

	(void)state;
	make_path(path, sizeof(path));
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	close(fd);
	assert_int_equal(smtpd_server_listen(srv, path, 0), 0);
	assert_int_equal(smtpd_server_start(srv), 0);
	deliver_one(srv, 0);
	smtpd_server_destroy(srv);
	remove_path(path);
}

static void
test_unix_in_use(void **state)
{
	struct smtpd_server *first = create(NULL);
	struct smtpd_server *second = create(NULL);
	char path[64];

	(void)state;
	make_path(path, sizeof(path));
	assert_int_equal(smtpd_server_listen(first, path, 0), 0);
	assert_int_equal(smtpd_server_start(first), 0);
	assert_int_equal(smtpd_server_listen(second, path, 0), -1);
	assert_int_equal(errno, EADDRINUSE);
	assert_non_null(strstr(smtpd_server_error(second), path));
	smtpd_server_destroy(second);
	deliver_one(first, 0);
	smtpd_server_destroy(first);
	remove_path(path);
}

/* What is no socket is nobody's to remove. */
static void
test_unix_other_file(void **state)
{
	struct smtpd_server *srv = create(NULL);
	char path[64];
	struct stat st;
	int fd;

	(void)state;
	make_path(path, sizeof(path));
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(smtpd_server_listen(srv, path, 0), -1);
	assert_int_equal(errno, EADDRINUSE);
	smtpd_server_destroy(srv);
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	remove_path(path);
}

static void
test_given_descriptor(void **state)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct smtpd_server *srv = create(NULL);

	(void)state;
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(listen(fd, 10), 0);
	assert_int_equal(smtpd_server_listen_fd(srv, fd, 0), 0);
	assert_int_equal(smtpd_server_start(srv), 0);
	deliver_one(srv, 0);
	smtpd_server_destroy(srv);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

/* A UNIX socket that was given keeps its file: somebody else made it. */
static void
test_given_unix_descriptor(void **state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct smtpd_server *srv = create(NULL);
	char path[64];
	struct stat st;

	(void)state;
	make_path(path, sizeof(path));
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(listen(fd, 10), 0);
	assert_int_equal(smtpd_server_listen_fd(srv, fd, 0), 0);
	assert_int_equal(smtpd_server_start(srv), 0);
	deliver_one(srv, 0);
	smtpd_server_destroy(srv);
	assert_int_equal(stat(path, &st), 0);
	remove_path(path);
}

/* It belongs to the server also after a failure. */
static void
test_bad_descriptor(void **state)
{
	struct smtpd_server *srv = create(NULL);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int pipes[2];

	(void)state;
	assert_int_equal(smtpd_server_listen_fd(srv, fd, 0), -1);
	assert_int_equal(errno, EINVAL);
	assert_string_not_equal(smtpd_server_error(srv), "");
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(smtpd_server_listen_fd(srv, pipes[0], 0), -1);
	assert_int_equal(fcntl(pipes[0], F_GETFD), -1);
	close(pipes[1]);
	assert_int_equal(smtpd_server_listen_fd(srv, -1, 0), -1);
	assert_null(smtpd_server_address(srv, 0));
	smtpd_server_destroy(srv);
}

static void
test_bad_addresses(void **state)
{
	static const char *const bad[] = { "", "25", ":25", "127.0.0.1",
		"127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
		"127.0.0.1:25x", "127.0.0.1:+25", "127.0.0.1: 25", "127.1:25",
		"127.0.0.256:25", "localhost:25", "*:25", "::1:25", "[::1]",
		"[::1]25", "[::1:25", "[]:25", "[127.0.0.1]:25", "[::1]:65536",
		"[::1]:smtp", "relative/path",
		"127.0.0.1:99999999999999999999" };
	struct smtpd_server *srv = create(NULL);
	char path[200];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		errno = 0;
		if (smtpd_server_listen(srv, bad[i], 0) != -1)
			fail_msg("\"%s\" is an address", bad[i]);
		assert_int_equal(errno, EINVAL);
		assert_non_null(strstr(smtpd_server_error(srv), bad[i]));
	}
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(smtpd_server_listen(srv, path, 0), -1);
	assert_int_equal(errno, EINVAL);
	assert_null(smtpd_server_address(srv, 0));
	smtpd_server_destroy(srv);
}

static void
test_address_in_use(void **state)
{
	struct smtpd_server *first = create(NULL);
	struct smtpd_server *second = create(NULL);

	(void)state;
	assert_int_equal(smtpd_server_listen(first, "127.0.0.1:0", 0), 0);
	assert_int_equal(
	    smtpd_server_listen(second, smtpd_server_address(first, 0), 0), -1);
	assert_int_equal(errno, EADDRINUSE);
	assert_non_null(
	    strstr(smtpd_server_error(second), smtpd_server_address(first, 0)));
	assert_int_equal(smtpd_server_listen(second, "/nowhere/sock", 0), -1);
	assert_int_equal(errno, ENOENT);
	smtpd_server_destroy(second);
	smtpd_server_destroy(first);
}

/* All listeners are heard, and none keeps the others waiting. */
static void
test_several(void **state)
{
	struct smtpd_server *srv = create(NULL);
	char path[64];

	(void)state;
	make_path(path, sizeof(path));
	assert_int_equal(smtpd_server_listen(srv, "127.0.0.1:0", 0), 0);
	assert_int_equal(smtpd_server_listen(srv, path, 0), 0);
	assert_int_equal(smtpd_server_listen(srv, "127.0.0.2:0", 0), 0);
	assert_int_equal(smtpd_server_start(srv), 0);
	for (int round = 0; round < 40; round++)
		for (size_t i = 0; i < 3; i++)
			deliver_one(srv, round % 2 == 0 ? i : 0);
	smtpd_server_destroy(srv);
	remove_path(path);
}

/* As the header says. */
static void
no_more_than_256(void **state)
{
	struct smtpd_server *srv = smtpd_server_create(NULL);

	(void)state;
	assert_non_null(srv);
	for (int i = 0; i < 256; i++)
		assert_int_equal(smtpd_server_listen(srv, "127.0.0.1:0", 0), 0);
	errno = 0;
	assert_int_equal(smtpd_server_listen(srv, "127.0.0.1:0", 0), -1);
	assert_int_equal(errno, ENOBUFS);
	smtpd_server_destroy(srv);
}

/* E17: A process that shares a listener may stop without touching it. */
static void
a_listener_that_is_shared_stays_open(void **state)
{
	struct smtpd_server *srv = create(NULL);
	int status;
	pid_t child;

	(void)state;
	assert_int_equal(smtpd_server_listen(srv, "127.0.0.1:0", 0), 0);
	child = fork();
	if (child == 0) {
		smtpd_server_destroy(srv);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(smtpd_server_start(srv), 0);
	deliver_one(srv, 0);
	smtpd_server_destroy(srv);
}

/* Two servers accept from one listener, then the second alone, to which even
 * those come who connected before it was there; a session of the first goes
 * on. */
static void
a_listener_is_handed_on(void **state)
{
	struct smtpd_server *one = create(NULL), *two = create(NULL);
	struct peer old;
	char path[64];
	struct stat st;

	(void)state;
	make_path(path, sizeof(path));
	assert_int_equal(smtpd_server_listen(one, path, 0), 0);
	assert_int_equal(smtpd_server_start(one), 0);
	assert_int_equal(peer_open(&old, path, NULL), 0);
	assert_true(peer_hello(&old));
	assert_int_equal(
	    smtpd_server_listen_fd(two, smtpd_server_share(one, 0), 0), 0);
	deliver_one(one, 0);
	close(smtpd_server_release(one, 0));
	assert_int_equal(smtpd_server_release(one, 1), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(smtpd_server_start(two), 0);
	for (int i = 0; i < 20; i++)
		deliver_one(two, 0);
	assert_int_equal(peer_say(&old, "NOOP"), 250);
	peer_close(&old);
	smtpd_server_destroy(one);
	assert_int_equal(stat(path, &st), 0);
	deliver_one(two, 0);
	smtpd_server_destroy(two);
	remove_path(path);
}

static void
note_error(enum smtpd_log_level level, const char *text, void *user)
{
	(void)text;
	if (level == SMTPD_LOG_ERROR)
		atomic_fetch_add((atomic_int *)user, 1);
}

/* R7: Another process shuts a listener down: it is given up, and told, and the
 * others go on. */
static void
a_listener_that_broke_is_given_up(void **state)
{
	atomic_int errors = 0;
	const struct smtpd_settings settings = {
		SMTPD_SETTINGS_INIT,
		.hostname = "mx.example",
		.log = note_error,
		.log_user = &errors,
	};
	struct smtpd_server *srv = smtpd_server_create(&settings);
	struct smtpd_server_counters c = { SMTPD_SERVER_COUNTERS_INIT };
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct timespec before, after;
	int fd, again;

	(void)state;
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(listen(fd, 5), 0);
	again = dup(fd);
	assert_int_equal(
	    smtpd_server_add_handler(srv, "RCPT", accept_rcpt, NULL), 0);
	smtpd_server_set_deliver(srv, deliver, NULL);
	assert_int_equal(smtpd_server_listen_fd(srv, fd, 0), 0);
	assert_int_equal(smtpd_server_listen(srv, "127.0.0.1:0", 0), 0);
	assert_int_equal(smtpd_server_start(srv), 0);
	deliver_one(srv, 0);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	assert_int_equal(shutdown(again, SHUT_RDWR), 0);
	while (errors == 0)
		peer_wait(10);
	peer_wait(1000);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	assert_in_range((after.tv_sec - before.tv_sec) * 1000 +
		(after.tv_nsec - before.tv_nsec) / 1000000,
	    0, 500);
	deliver_one(srv, 1);
	smtpd_server_count(srv, &c);
	assert_int_equal(c.errors, 1);
	smtpd_server_destroy(srv);
	close(again);
}

/* R18: A path whose listener has no room for more is in use. */
static void
a_full_backlog_is_not_stale(void **state)
{
	char dir[] = "/tmp/test_listen.XXXXXX";
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct smtpd_server *srv = create(NULL);
	int listener, clients[3];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(un.sun_path, sizeof(un.sun_path), "%s/sock", dir);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(listen(listener, 0), 0);
	for (int i = 0; i < 3; i++) {
		clients[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(clients[i], (struct sockaddr *)&un, sizeof(un));
	}
	assert_int_equal(smtpd_server_listen(srv, un.sun_path, 0), -1);
	assert_int_equal(errno, EADDRINUSE);
	for (int i = 0; i < 3; i++)
		close(clients[i]);
	close(listener);
	smtpd_server_destroy(srv);
	unlink(un.sun_path);
	rmdir(dir);
}

/* R12: A client of the Internet is never called local. */
static void
an_address_without_text_is_unknown(void **state)
{
	struct smtpd_sockaddr a = { .len = sizeof(struct sockaddr_in6) };
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&a.addr;
	char text[SMTPD_ADDRESS_TEXT_SIZE];

	(void)state;
	in6->sin6_family = AF_INET6;
	memset(&in6->sin6_addr, 0x11, sizeof(in6->sin6_addr));
	smtpd__socket_host(&a, text, 8);
	assert_string_equal(text, "unknown");
	a.len = sizeof(a.addr.ss_family);
	smtpd__socket_host(&a, text, sizeof(text));
	assert_string_equal(text, "unknown");
	assert_false(smtpd__socket_is_local(&a));
	a.addr.ss_family = AF_UNIX;
	smtpd__socket_host(&a, text, sizeof(text));
	assert_string_equal(text, "local");
	assert_true(smtpd__socket_is_local(&a));

	/* The longest of all. */
	assert_true(sizeof(text) > INET6_ADDRSTRLEN + IF_NAMESIZE);
}

/* R12: Nor one that went before it was looked at. */
static void
a_peer_that_went_is_not_local(void **state)
{
	struct smtpd_sockaddr a;
	int fd = socket(AF_INET, SOCK_STREAM, 0), pipes[2];

	(void)state;
	smtpd__socket_peer(fd, &a);
	assert_false(smtpd__socket_is_local(&a));
	close(fd);
	assert_int_equal(pipe(pipes), 0);
	smtpd__socket_peer(pipes[0], &a);
	assert_true(smtpd__socket_is_local(&a));
	close(pipes[0]);
	close(pipes[1]);
}

/* O11: An address that came later. */
static void
test_after_start(void **state)
{
	struct smtpd_server *srv = create(NULL);

	(void)state;
	assert_int_equal(smtpd_server_listen(srv, "127.0.0.1:0", 0), 0);
	assert_int_equal(smtpd_server_start(srv), 0);
	for (size_t i = 1; i < 20; i++) {
		assert_int_equal(smtpd_server_listen(srv, "127.0.0.1:0", 0), 0);
		deliver_one(srv, i);
		deliver_one(srv, 0);
	}
	assert_int_equal(smtpd_server_drain(srv, 0), 0);
	assert_int_equal(smtpd_server_listen(srv, "127.0.0.1:0", 0), -1);
	assert_int_equal(errno, ECANCELED);
	smtpd_server_destroy(srv);
}

/* O9: An address that is not there yet, or is tested still. */
static void
test_absent(void **state)
{
	struct smtpd_server *srv = create(NULL);

	(void)state;
	assert_int_equal(smtpd_server_listen(srv, "192.0.2.77:0", 0), -1);
	assert_int_equal(errno, EADDRNOTAVAIL);
	assert_int_equal(
	    smtpd_server_listen(srv, "192.0.2.77:0", SMTPD_LISTEN_ABSENT), 0);
	smtpd_server_destroy(srv);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ipv4),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_both_families),
		cmocka_unit_test(test_mapped_ipv4),
		cmocka_unit_test(test_unix),
		cmocka_unit_test(test_unix_stale),
		cmocka_unit_test(test_unix_in_use),
		cmocka_unit_test(test_unix_other_file),
		cmocka_unit_test(test_given_descriptor),
		cmocka_unit_test(test_given_unix_descriptor),
		cmocka_unit_test(test_bad_descriptor),
		cmocka_unit_test(test_bad_addresses),
		cmocka_unit_test(test_address_in_use),
		cmocka_unit_test(test_several),
		cmocka_unit_test(no_more_than_256),
		cmocka_unit_test(test_after_start),
		cmocka_unit_test(test_absent),
		cmocka_unit_test(a_listener_that_is_shared_stays_open),
		cmocka_unit_test(a_listener_is_handed_on),
		cmocka_unit_test(a_listener_that_broke_is_given_up),
		cmocka_unit_test(a_full_backlog_is_not_stale),
		cmocka_unit_test(an_address_without_text_is_unknown),
		cmocka_unit_test(a_peer_that_went_is_not_local),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
