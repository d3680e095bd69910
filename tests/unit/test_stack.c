/* SPDX-License-Identifier: MIT */
/* What a session costs: its stack, and its memory while it waits. */
#include <smtpd.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "certs.h"
#include "grammar/idn.h"
#include "net/socket.h"
#include "peer.h"

#include "test.h"

/* The least smtpd_settings.stack_size, without a page for handlers. */
#define STACK_MAX (32768 - 4096)

#define PAINTED (1 << 20)
#define PAINT   0xa5

#define IDLE_COUNT 200
#define IDLE_KB    4

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static int
accept_any(
    struct smtpd_session *s, const struct smtpd_command *command, void *user)
{
	(void)command, (void)user;
	return smtpd_reply(
	    s, 250, "2.1.5", "%s is welcome here", command->address->text);
}

static int
read_all(struct smtpd_session *s, const struct smtpd_envelope *envelope,
    struct smtpd_body *body, void *user)
{
	static char buf[4096];

	(void)envelope, (void)user;
	smtpd_session_received(s, buf, sizeof(buf));
	while (smtpd_body_read(body, buf, sizeof(buf)) > 0)
		continue;
	return 0;
}

static void
drop_log(enum smtpd_log_level level, const char *text, void *user)
{
	(void)level, (void)text, (void)user;
}

static struct smtpd_server *
create(void)
{
	static const struct smtpd_settings settings = {
		SMTPD_SETTINGS_INIT,
		.hostname = "mx.example",
		.flags = SMTPD_FLAG_DSN | SMTPD_FLAG_SMTPUTF8,
		.max_per_address = SMTPD_NO_LIMIT,
		.max_per_network = SMTPD_NO_LIMIT,
		.tarpit_ms = 1,
		.log = drop_log,
		.log_level = SMTPD_LOG_TRACE,
	};
	struct smtpd_server *srv = smtpd_server_create(&settings);

	assert_non_null(srv);
	smtpd_server_add_handler(srv, "RCPT", accept_any, NULL);
	smtpd_server_set_deliver(srv, read_all, NULL);
	return srv;
}

/* Both ends of a TCP connection. */
static void
connect_tcp(int *ours, int *theirs)
{
	struct smtpd_sockaddr a;
	int fd;

	assert_int_equal(smtpd__socket_parse("127.0.0.1:0", &a), 0);
	fd = smtpd__socket_listen(&a, false);
	assert_true(fd >= 0);
	assert_int_equal(smtpd__socket_local(fd, &a), 0);
	*theirs = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(
	    connect(*theirs, (struct sockaddr *)&a.addr, a.len), 0);
	*ours = smtpd__socket_accept(fd, &a);
	assert_true(*ours >= 0);
	close(fd);
}

struct served {
	struct smtpd_server *srv;
	int fd;
};

static void *
serve(void *arg)
{
	struct served *v = arg;

	smtpd_server_serve(v->srv, v->fd, v->fd, 0);
	close(v->fd);
	return NULL;
}

/* All there is: long lines, parameters, refusals, a message, its faults. */
static void
say_everything(struct peer *p, bool greeted)
{
	char line[2048];

	memset(line, 'x', sizeof(line));
	memcpy(line, "NOOP ", 5);
	line[2040] = '\0';
	assert_true(
	    greeted ? peer_say(p, "EHLO test.example") == 250 : peer_hello(p));
	assert_int_equal(peer_say(p, line), 250);
	memcpy(line, "XXXX ", 5);
	assert_int_equal(peer_say(p, line), 500);
	assert_int_equal(peer_say(p, "HELP"), 214);
	assert_int_equal(peer_say(p, "VRFY a"), 502);
	assert_int_equal(
	    peer_say(p, "MAIL FROM:<a@b> SIZE=1 BODY=7BIT X=1 Y=2"), 555);
	assert_int_equal(peer_say(p,
			     "MAIL FROM:<\"a b\"@[IPv6:2001:db8::192.0.2.1]>"
			     " SIZE=100 BODY=8BITMIME"),
	    250);
	for (int i = 0; i < 200; i++)
		assert_int_equal(
		    peer_say(p, "RCPT TO:<@a,@b:postmaster@example.org>"), 250);
	assert_int_equal(peer_say(p, "DATA"), 354);
	for (int i = 0; i < 2000; i++)
		peer_send(p, "..Received: from a by b with c; now\r\nx\n");
	assert_int_equal(peer_say(p, "\r\n."), 250);
	assert_int_equal(peer_deliver(p, "b@example.org", "a\rb"), 550);
	if (smtpd__idn_is_available()) {
		assert_int_equal(peer_say(p, "VRFY \303\274 SMTPUTF8"), 502);
		assert_int_equal(
		    peer_say(p,
			"MAIL FROM:<\303\274@b\303\274cher.example>"
			" SMTPUTF8 RET=FULL"),
		    250);
		assert_int_equal(peer_say(p,
				     "RCPT TO:<u@b\303\274cher.example> "
				     "ORCPT=utf-8;\303\274@example.org"),
		    250);
		assert_int_equal(peer_say(p, "DATA"), 354);
		assert_int_equal(peer_say(p, "\r\n."), 250);
	}
	assert_int_equal(peer_say(p, "QUIT"), 221);
}

/* The bytes of a painted stack, at its upper end, that were written. */
static size_t
used(const unsigned char *stack)
{
	size_t untouched = 0;

	while (untouched < PAINTED && stack[untouched] == PAINT)
		untouched++;
	return PAINTED - untouched;
}

static void *
do_nothing(void *arg)
{
	return arg;
}

/* Run FN on a painted stack, P talking to it meanwhile, who may have been
 * GREETED already. */
static size_t
measure(void *(*fn)(void *), void *arg, struct peer *p, bool greeted)
{
	static _Alignas(4096) unsigned char stack[PAINTED];
	pthread_attr_t attr;
	pthread_t thread;
	size_t n;

	memset(stack, PAINT, PAINTED);
	pthread_attr_init(&attr);
	assert_int_equal(pthread_attr_setstack(&attr, stack, PAINTED), 0);
	assert_int_equal(pthread_create(&thread, &attr, fn, arg), 0);
	if (p != NULL)
		say_everything(p, greeted);
	pthread_join(thread, NULL);
	n = used(stack);
	pthread_attr_destroy(&attr);
	return n;
}

static void
test_stack(void **state)
{
	struct served v;
	size_t before, whole;
	struct peer p;
	int fd;

	(void)state;
	if (SANITIZED) {
		print_message("sanitizers make other frames\n");
		skip();
	}
	before = measure(do_nothing, NULL, NULL, false);
	v.srv = create();
	connect_tcp(&v.fd, &fd);
	peer_adopt(&p, fd);
	whole = measure(serve, &v, &p, false);
	peer_close(&p);
	print_message("stack of a session: %zu bytes, %zu of them the "
		      "thread's own\n",
	    whole, before);
	assert_in_range(whole, 1024, STACK_MAX);
	smtpd_server_destroy(v.srv);
}

/* Give SRV a certificate, which is made for it. */
static void
set_tls(struct smtpd_server *srv)
{
	struct smtpd_tls *tls = smtpd_tls_create(NULL);

	assert_non_null(tls);
	assert_int_equal(certs_copy(NULL), 0);
	assert_int_equal(
	    smtpd_tls_add_files(tls, certs_at("chain.pem"), certs_at("a.key")),
	    0);
	assert_int_equal(smtpd_server_set_tls(srv, tls), 0);
	smtpd_tls_unref(tls);
	assert_int_equal(certs_remove(NULL), 0);
}

/* Let openssl say STARTTLS and stand between FD and a new connection, whose
 * other end is returned. */
static int
connect_openssl(int fd, pid_t *child)
{
	struct smtpd_sockaddr a;
	char address[32];
	int listener, ours;

	assert_int_equal(smtpd__socket_parse("127.0.0.1:0", &a), 0);
	listener = smtpd__socket_listen(&a, false);
	assert_true(listener >= 0);
	assert_int_equal(smtpd__socket_local(listener, &a), 0);
	snprintf(address, sizeof(address), "127.0.0.1:%u",
	    ntohs(((struct sockaddr_in *)&a.addr)->sin_port));
	*child = fork();
	if (*child == 0) {
		dup2(fd, STDIN_FILENO);
		dup2(fd, STDOUT_FILENO);
		dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
		execlp("openssl", "openssl", "s_client", "-quiet", "-starttls",
		    "smtp", "-connect", address, (char *)NULL);
		_exit(127);
	}
	do {
		ours = smtpd__socket_accept(listener, &a);
	} while (ours < 0);
	close(listener);
	return ours;
}

static void
test_stack_in_tls(void **state)
{
	struct served v;
	struct peer p;
	int pair[2], status;
	size_t whole;
	pid_t child;

	(void)state;
	if (SANITIZED || !smtpd_tls_supported())
		skip();
	v.srv = create();
	set_tls(v.srv);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	v.fd = connect_openssl(pair[0], &child);
	close(pair[0]);
	peer_adopt(&p, pair[1]);
	whole = measure(serve, &v, &p, true);
	peer_close(&p);
	waitpid(child, &status, 0);
	print_message("stack of a session in TLS: %zu bytes\n", whole);
	assert_in_range(whole, 1024, STACK_MAX);
	smtpd_server_destroy(v.srv);
}

/* A field of /proc/self/smaps_rollup, in kilobytes; 0: not there. */
static long
memory_kb(const char *field)
{
	FILE *file = fopen("/proc/self/smaps_rollup", "r");
	char line[256];
	long kb = 0;

	if (file == NULL)
		return 0;
	while (fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, field, strlen(field)) == 0)
			kb = strtol(line + strlen(field), NULL, 10);
	fclose(file);
	return kb;
}

/* Read from FD up to the line that begins with LAST. */
static void
read_until(int fd, const char *last)
{
	char buf[1024];
	size_t len = 0;

	buf[0] = '\0';
	while (strstr(buf, last) == NULL) {
		ssize_t n = read(fd, buf + len, sizeof(buf) - 1 - len);

		assert_true(n > 0);
		len += (size_t)n;
		buf[len] = '\0';
	}
}

static int
come_and_wait(const struct smtpd_sockaddr *a)
{
	static const char ehlo[] = "EHLO test.example\r\n";
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(
	    connect(fd, (const struct sockaddr *)&a->addr, a->len), 0);
	read_until(fd, "220 ");
	assert_int_equal(write(fd, ehlo, sizeof(ehlo) - 1), sizeof(ehlo) - 1);
	read_until(fd, "250 ");
	return fd;
}

/* Have COUNT clients come, and wait until none of them has a thread. */
static void
come_and_park(struct smtpd_server *srv, int *fds, int count)
{
	struct smtpd_server_counters c = { SMTPD_SERVER_COUNTERS_INIT };
	struct smtpd_sockaddr a;

	assert_int_equal(
	    smtpd__socket_parse(smtpd_server_address(srv, 0), &a), 0);
	for (int i = 0; i < count; i++)
		fds[i] = come_and_wait(&a);
	do {
		peer_wait(100);
		assert_int_equal(smtpd_server_count(srv, &c), 0);
	} while (c.threads_now > 20);
}

/* The first that come leave behind what threads leave, which is used again. */
static void
test_idle_memory(void **state)
{
	struct smtpd_server *srv;
	int fds[2 * IDLE_COUNT];
	long before, after;

	(void)state;
	if (SANITIZED || memory_kb("Anonymous:") == 0) {
		print_message("memory cannot be measured here\n");
		skip();
	}
	srv = create();
	assert_int_equal(smtpd_server_listen(srv, "127.0.0.1:0", 0), 0);
	assert_int_equal(smtpd_server_start(srv), 0);
	come_and_park(srv, fds, IDLE_COUNT);
	before = memory_kb("Anonymous:");
	come_and_park(srv, fds + IDLE_COUNT, IDLE_COUNT);
	after = memory_kb("Anonymous:");
	print_message("memory of an idle connection: %.1f KB\n",
	    (double)(after - before) / IDLE_COUNT);
	assert_true(after - before <= IDLE_COUNT * IDLE_KB);

	/* They are all there still. */
	for (int i = 0; i < 2 * IDLE_COUNT; i++) {
		assert_int_equal(write(fds[i], "QUIT\r\n", 6), 6);
		read_until(fds[i], "221 ");
		close(fds[i]);
	}
	smtpd_server_destroy(srv);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stack),
		cmocka_unit_test(test_stack_in_tls),
		cmocka_unit_test(test_idle_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
