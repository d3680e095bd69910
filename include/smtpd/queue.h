/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_H
#define SMTPD_QUEUE_H

/*
 * A durable queue of outgoing mail.  What it has taken is delivered to the
 * recipients' own hosts (or a smarthost), tried again while the trouble may
 * pass, and reported to the sender when it will not; nothing is ever lost,
 * by a kill or by a power cut (doc/design.md says what is promised).
 *
 * A program that takes mail on loopback and sends it out:
 *
 *	#include <smtpd.h>
 *	#include <stdio.h>
 *	#include <unistd.h>
 *
 *	int
 *	main(void)
 *	{
 *		char error[256] = "no memory";
 *		struct smtpd_server *srv = smtpd_server_create(NULL);
 *		struct smtpd_queue_settings settings = {
 *			SMTPD_QUEUE_SETTINGS_INIT,
 *			.workers = 16,
 *		};
 *		struct smtpd_queue *queue = smtpd_queue_open(
 *		    "queue", &settings, error, sizeof(error));
 *
 *		if (srv == NULL || queue == NULL) {
 *			fprintf(stderr, "%s\n", error);
 *			return 1;
 *		}
 *		smtpd_server_add_handler(srv, "MAIL", smtpd_queue_admit, queue);
 *		smtpd_server_add_handler(srv, "RCPT", smtpd_queue_admit, queue);
 *		smtpd_server_set_deliver(srv, smtpd_queue_deliver, queue);
 *		if (smtpd_queue_start(queue, error, sizeof(error)) == -1) {
 *			fprintf(stderr, "%s\n", error);
 *			return 1;
 *		}
 *		if (smtpd_server_listen(srv, "127.0.0.1:2525", 0) == -1 ||
 *		    smtpd_server_start(srv) == -1) {
 *			fprintf(stderr, "%s\n", smtpd_server_error(srv));
 *			return 1;
 *		}
 *		pause();
 *	}
 *
 * Threads: open to start, and stop to close, from one thread at a time; all
 * else from any thread, also before the start.  The functions that read or
 * write the disk block: open, close, stop, begin, write, commit, and those
 * that call them.  One process has a directory at a time, and once; after
 * fork() only one of the two may use an open queue.
 *
 * What became of each recipient stands in the log (status=sent, deferred,
 * bounced, expired) and is summed up by smtpd_queue_count(); a message that is
 * done is gone from the queue.
 *
 * What structs point to is copied; a struct smtpd_trust and a struct smtpd_dkim
 * get a reference.
 * A function that fails may write a sentence to ERROR, cut to SIZE bytes with
 * its NUL; 0: nowhere.  NULL for another pointer that is needed is EINVAL.
 *
 * Callbacks must return (no exception, no longjmp), and may call any function
 * of the queue but stop and close.
 */

#include <smtpd/client.h>
#include <smtpd/dkim.h>
#include <smtpd/outgoing.h>
#include <smtpd/policy.h>
#include <smtpd/resolve.h>
#include <smtpd/route.h>
#include <smtpd/server.h>
#include <smtpd/version.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A queue: opaque. */
struct smtpd_queue;

/* What is done to the header of a message that is added.  Return-Path is
 * removed in any case (RFC 5321, 4.4). */
enum smtpd_queue_fix {
	SMTPD_FIX_DATE = 1 << 0,       /* add Date when missing */
	SMTPD_FIX_MESSAGE_ID = 1 << 1, /* add Message-ID when missing */
	SMTPD_FIX_BCC = 1 << 2,        /* remove Bcc */
	SMTPD_FIX_NONE = 1 << 3,       /* nothing, in the settings */

	/* Complete addresses of the envelope and in From, Sender, Reply-To, To,
	 * Cc, Bcc and their Resent- forms: one without a domain, or in
	 * "localhost", gets local_domain; where masquerade is set, senders in
	 * local_domain and hostname get that.  Since 0.2. */
	SMTPD_FIX_ADDRESSES = 1 << 4,
};

/* What gets a message in the place of a recipient.  It is valid during the call
 * of a smtpd_expand_fn. */
struct smtpd_expansion;

/* Add ADDRESS, local@domain, which is copied.  Return 0, or -1 with errno
 * ENOMEM, EINVAL when it is none, EFBIG when there are too many.  Since 0.2. */
SMTPD_API int smtpd_expansion_add(
    struct smtpd_expansion *x, const char *address);

/*
 * Say what becomes of the recipient ADDRESS, an alias for instance (RFC 5321,
 * 3.9.1): what is added to X gets the message in its place; nothing: ADDRESS
 * gets it itself.  Called when a message is begun (smtpd_queue_begin()), once
 * for each recipient, and for those whom the queue itself writes to: senders
 * that get reports, and the postmaster.  What is added is not expanded once
 * more, and who is named twice gets one message.  What RFC 3461 has for a
 * recipient goes along (5.2.7.2, 5.2.7.3): to a single address all of it; to
 * several as well, but where NOTIFY has SUCCESS to the first of them alone.
 * ORCPT is the recipient, if there was none.  Return 0, or -1 with errno, as
 * smtpd_queue_begin() is to return it.  Any thread, several at a time.
 */
typedef int smtpd_expand_fn(
    const char *address, struct smtpd_expansion *x, void *user) SMTPD_NOEXCEPT;

/* What smtpd_queue_deliver() did with a message.  It belongs to the library,
 * and may grow. */
struct smtpd_queue_submission {
	const char *id; /* of the message; "" when it was not queued */
	uint64_t size;  /* octets read from the client */
	int error;      /* 0: it is queued; EBADMSG: the body has no valid
	                 * end; else an errno of smtpd_queue_begin(), _write()
	                 * or _commit() */
};

/* Report SUBMISSION, before the reply to it and its first attempt, on the
 * thread of the session. */
typedef void smtpd_submission_fn(struct smtpd_session *s,
    const struct smtpd_queue_submission *submission, void *user) SMTPD_NOEXCEPT;

/* Where the mail of a domain goes.  It belongs to the library, and may grow. */
struct smtpd_queue_destination {
	const char *domain; /* of the recipients, in lower case */
	const char *hosts;  /* all its mail hosts, by preference and name:
	                     * "mx1.example,mx2.example"; or the smarthost */
};

/* Limits of a site: of the mail hosts that some domains share.  Zero means that
 * there is no such limit.  Since 0.2. */
struct smtpd_site_limits {
	size_t size; /* SMTPD_SITE_LIMITS_INIT */

	/* At most so many messages in so many seconds, evenly, but those of one
	 * second may go together; and so many new connections. */
	uint32_t messages;
	uint32_t messages_s;
	uint32_t new_connections;
	uint32_t new_connections_s;

	uint32_t connections; /* at a time, in place of site_connections; up to
	                       * all workers */
	uint32_t recipients;  /* in one transaction; never more than 50 */
	uint32_t messages_per_connection; /* transactions; about 100 */
};

#define SMTPD_SITE_LIMITS_INIT SMTPD_INIT(smtpd_site_limits)

/*
 * Set LIMITS, which are all zero, for the site of DESTINATION.  Called when a
 * destination is bound to its site: before its first attempt, and again when
 * its hosts were looked up anew; on the thread of an attempt, several at a
 * time.  Domains that share their hosts, but not their limits, are sites of
 * their own.
 */
typedef void smtpd_limits_fn(const struct smtpd_queue_destination *destination,
    struct smtpd_site_limits *limits, void *user) SMTPD_NOEXCEPT;

/* The settings of a queue; zero or NULL means the default beside each.
 * SMTPD_NO_TIMEOUT in a time: never. */
struct smtpd_queue_settings {
	size_t size; /* SMTPD_QUEUE_SETTINGS_INIT */

	/* The name of this host: in EHLO, and in reports.  Default: that of
	 * the machine. */
	const char *hostname;

	/* How names are looked up and hosts are talked to.  The client's
	 * hostname, user, password, credentials, mechanisms, cancel and
	 * dot_cancel are the queue's own; its security is that of all domains
	 * without a rule, of which there are NRULES. */
	const struct smtpd_resolver_settings *resolver;
	const struct smtpd_client_settings *client;
	const struct smtpd_security_rule *rules;
	size_t nrules;
	uint16_t port; /* of the recipients' hosts; 25 */

	/* The host, of kind SMTPD_ROUTE_HOST, that all mail without a route is
	 * sent to, instead of to the recipients' own.  NULL: none. */
	const struct smtpd_route_target *smarthost;

	/* Connections out at a time; 64.  Those that wait for slow hosts do
	 * not count while other mail waits: there may be up to 32 times as
	 * many, each with a thread, if RLIMIT_NOFILE is four times that. */
	uint32_t workers;
	uint32_t site_connections; /* to the hosts of one site; 10, and never
	                            * more than a quarter of WORKERS */
	uint32_t idle_ms;          /* an unused connection is kept; 5000 */

	uint32_t retry_min_s;       /* before the second try; doubles; 300 */
	uint32_t retry_max_s;       /* at most; 7200; never below retry_min_s */
	uint32_t lifetime_s;        /* until it is returned; 432000 */
	uint32_t bounce_lifetime_s; /* of mail without a sender; 172800 */
	uint32_t delay_notice_s;    /* until the sender is told; 14400 */

	/* Reports of failures to one sender in a minute, each about one
	 * message; 60.  SMTPD_NO_LIMIT: any number.  What fails beyond is
	 * reported at the end of the minute, up to 100 messages together. */
	uint32_t max_reports;

	/* Octets on the disk that new mail must leave free.  Default: a
	 * twentieth of it, but 64 MiB at least, or a tenth if that is less.
	 * It is looked at again while more than 64 KiB of a message come. */
	uint64_t min_free;

	uint32_t segment_size; /* octets of a file of the journal; 67108864; of
	                        * a disk of less than 1 GiB at most a sixteenth,
	                        * but 1 MiB at least */

	/* Where log lines up to log_level go; NULL: nowhere.  Called on any
	 * thread, also on several at a time. */
	smtpd_log_fn *log;
	void *log_user;
	enum smtpd_log_level log_level; /* SMTPD_LOG_INFO */

	/* How smtpd_queue_deliver() queues a message: what it does to the
	 * header (bits of enum smtpd_queue_fix), in which domain <postmaster>
	 * is, and to whom it reports (NULL: nobody). */
	unsigned fix;             /* SMTPD_FIX_DATE | SMTPD_FIX_MESSAGE_ID */
	const char *local_domain; /* hostname */
	smtpd_submission_fn *submitted;
	void *submitted_user;

	/* An address, which reports name for help, and which is told once an
	 * hour at most of reports that nobody took (dead/).  Default:
	 * postmaster of local_domain. */
	const char *postmaster;

	/* The limits of each site; NULL: site_connections alone.  What a site
	 * is seen to take is learned in any case.  Since 0.2. */
	smtpd_limits_fn *limits;
	void *limits_user;

	/* NROUTES of them: the first that matches is that of a recipient; one
	 * that none matches goes to the smarthost, if there is one.
	 * Since 0.2. */
	const struct smtpd_route *routes;
	size_t nroutes;

	/* What signs mail when it is queued, and reports, so that each attempt
	 * sends the same octets; the queue takes a reference.  NULL: nothing.
	 * Mail whose From has no key here goes out without a signature; when a
	 * key fails, a message is not queued (EIO: 451), and a report goes out
	 * without.  An address without a domain counts as one of local_domain.
	 * Since 0.2. */
	struct smtpd_dkim *dkim;

	/* The domain that hides those of senders, with SMTPD_FIX_ADDRESSES.
	 * Default: they are shown.  Since 0.2. */
	const char *masquerade;

	/* Puts others in the place of a recipient; NULL: none is replaced.
	 * Since 0.2. */
	smtpd_expand_fn *expand;
	void *expand_user;

	/* Sign what has bytes outside ASCII, or lines over 998 octets, as it
	 * is: a host that does not take that gets it too.  Default: it is
	 * converted before it is signed (RFC 6376, 5.3), as
	 * smtpd_client_send() would, unless that breaks another signature.
	 * Since 0.2. */
	bool dkim_as_is;

	/* What hosts demand of TLS, and what is demanded of them.  Since
	 * 0.2. */
	const struct smtpd_policy_settings *policy;
};

#define SMTPD_QUEUE_SETTINGS_INIT SMTPD_INIT(smtpd_queue_settings)

/*
 * Open the queue in DIRECTORY, which is made (mode 0700) when it is not there,
 * with a copy of SETTINGS (NULL: all defaults).  What an earlier process left,
 * however it ended, is taken up; what is damaged is moved to
 * DIRECTORY/quarantine.  Return NULL with errno and the reason in ERROR of SIZE
 * bytes: EBUSY when a process has it open, EINVAL when a setting cannot be,
 * ENOMEM, and what else the system says.  Since 0.1.
 */
SMTPD_API struct smtpd_queue *smtpd_queue_open(const char *directory,
    const struct smtpd_queue_settings *settings, char *error, size_t size);

/*
 * Begin to deliver, and to answer smtpd_queue_ask() of other processes.  Return
 * 0, or -1 with errno and the reason in ERROR of SIZE bytes: EBUSY when it was
 * started before, also if it was stopped since.  Since 0.1.
 */
SMTPD_API int smtpd_queue_start(
    struct smtpd_queue *q, char *error, size_t size);

/* Begin no further attempts and break off those that run, whose mail stays
 * queued.  Only where the end of a message was sent, its reply is waited for,
 * up to TIMEOUT_MS: without it the message would go out once more.  Since 0.1.
 */
SMTPD_API void smtpd_queue_stop(struct smtpd_queue *q, uint32_t timeout_ms);

/*
 * Check certificates of hosts by TRUST, in the place of the client's in the
 * settings, from the next attempt on; connections that are open keep what they
 * have.  Q takes a reference of its own.  Any thread, also while Q runs.
 * Return 0, or -1 with EINVAL without TRUST.  Since 0.2.
 */
SMTPD_API int smtpd_queue_set_trust(
    struct smtpd_queue *q, struct smtpd_trust *trust);

/*
 * Have COUNT ROUTES from the next attempts on, in the place of those of the
 * settings, also for what is queued.  Connections over routes of before serve
 * no more messages.  Any thread, also while Q runs.  Return 0, or -1 with
 * errno and the reason in ERROR of SIZE bytes: EINVAL, and the old ones stay;
 * ENOMEM.  Since 0.2.
 */
SMTPD_API int smtpd_queue_set_routes(struct smtpd_queue *q,
    const struct smtpd_route *routes, size_t count, char *error, size_t size);

/*
 * Sign messages that are begun from now on with DKIM, in the place of the
 * signer before; NULL: sign nothing.  Q takes a reference of its own.  Any
 * thread, also while Q runs.  Since 0.2.
 */
SMTPD_API void smtpd_queue_set_dkim(
    struct smtpd_queue *q, struct smtpd_dkim *dkim);

/* Stop at once if it runs, and free it; NULL is fine.  No message may be open.
 * Since 0.1. */
SMTPD_API void smtpd_queue_close(struct smtpd_queue *q);

/* How a message is queued; zero or NULL means the default beside each. */
struct smtpd_queue_options {
	size_t size; /* SMTPD_QUEUE_OPTIONS_INIT */

	/* The id, as smtpd_envelope has it, which a Message-ID that is added
	 * bears too.  NULL, or that of another message: a new one. */
	const char *id;

	/* Header fields to put on top, each ended by CRLF, ASCII or UTF-8,
	 * without the empty line that smtpd_session_received() may write behind
	 * them: the queue sees to that itself.  NULL: none. */
	const char *trace;

	unsigned fix; /* of enum smtpd_queue_fix; nothing */
	bool hold;    /* not to be tried before it is released */
};

#define SMTPD_QUEUE_OPTIONS_INIT SMTPD_INIT(smtpd_queue_options)

/* A message while it comes in: opaque, used by one thread. */
struct smtpd_queue_message;

/*
 * Begin to add a message with ENVELOPE and OPTIONS (NULL: all defaults), which
 * are copied.  That its content has bytes outside ASCII is found out as well.
 * Return NULL with errno: ENOSPC when the disk is too full to take more (RFC
 * 5321: 452); EFBIG when there are too many recipients for one message: more
 * than 2 MiB of addresses and parameters, 512 KiB of domains that differ, each
 * with some octets beside, or half a segment of both (552, or 452 at RCPT);
 * EINVAL when there is no recipient, an address has no domain or is none, or a
 * parameter (RFC 3461, on the wire's form), the trace or a bit of fix is none
 * that there can be; ENOMEM.  Since 0.2.
 */
SMTPD_API struct smtpd_queue_message *smtpd_queue_begin(struct smtpd_queue *q,
    const struct smtpd_outgoing_envelope *envelope,
    const struct smtpd_queue_options *options);

/* Append LEN bytes of header and body, lines ended by CRLF; what ends one in
 * another way is sent as smtpd_client_send() says.  Return 0, or -1 with errno;
 * then only smtpd_queue_abort() is left.  Since 0.1. */
SMTPD_API int smtpd_queue_write(
    struct smtpd_queue_message *m, const void *data, size_t len);

/* The size of an id, with its NUL. */
#define SMTPD_QUEUE_ID_SIZE 14

/*
 * End the message and queue it.  Return 0 when it is on stable storage, with
 * its id in ID, if that is not NULL; or -1 with errno, and nothing is kept:
 * EEXIST when another message got the same id since smtpd_queue_begin().  M is
 * freed in any case.  Since 0.1.
 */
SMTPD_API int smtpd_queue_commit(
    struct smtpd_queue_message *m, char id[SMTPD_QUEUE_ID_SIZE]);

/* Forget M; NULL is fine.  errno stays.  Since 0.1. */
SMTPD_API void smtpd_queue_abort(struct smtpd_queue_message *m);

/*
 * A delivery callback for a server: queue the message with Received on top, and
 * what the settings say of fix; answer 250 with its id, or 4xx; 552 5.5.3 when
 * it has too many recipients, 554 5.5.4 when a parameter that the program added
 * has a value that no host would accept; 554 too for BINARYMIME, FUTURERELEASE
 * and DELIVERBY, which a queue does not keep to.  QUEUE is a struct smtpd_queue
 * *.  Since 0.1.
 */
SMTPD_API int smtpd_queue_deliver(struct smtpd_session *s,
    const struct smtpd_envelope *envelope, struct smtpd_body *body,
    void *queue);

/* A handler for MAIL: 452 4.3.1 while there is no room for a message of the
 * announced SIZE; and for RCPT: 452 4.5.3 when the message has no room for more
 * recipients, others are accepted.  QUEUE is a struct smtpd_queue *.
 * Since 0.1. */
SMTPD_API int smtpd_queue_admit(
    struct smtpd_session *s, const struct smtpd_command *command, void *queue);

/* Return true if there is room for a message of SIZE octets.  The disk is
 * looked at once a second.  Since 0.1. */
SMTPD_API bool smtpd_queue_has_room(struct smtpd_queue *q, uint64_t size);

/* What a queue has done since it was opened, but for "messages". */
struct smtpd_queue_counters {
	size_t size;            /* SMTPD_QUEUE_COUNTERS_INIT */
	uint64_t messages;      /* queued now: waiting, held or under way */
	uint64_t attempts;      /* connections, or messages over an open one */
	uint64_t sent;          /* recipients that a host has taken over */
	uint64_t failed;        /* recipients that failed for good */
	uint64_t reports;       /* messages to senders */
	uint64_t dead;          /* messages that were put into dead/ */
	uint64_t syncs;         /* of the journal: fdatasync() */
	uint64_t journal_bytes; /* written to it */

	/* Messages and reports that were signed, and those that were not
	 * though there is a signer.  Since 0.2. */
	uint64_t signed_messages;
	uint64_t unsigned_messages;
};

#define SMTPD_QUEUE_COUNTERS_INIT SMTPD_INIT(smtpd_queue_counters)

/* Copy the counters to OUT, whose size is set.  Return 0, or -1 with EINVAL
 * when it is not.  Since 0.1. */
SMTPD_API int smtpd_queue_count(
    struct smtpd_queue *q, struct smtpd_queue_counters *out);

/* Take LEN bytes of an answer.  Return 0, or -1 to get no more. */
typedef int smtpd_write_fn(
    void *user, const void *data, size_t len) SMTPD_NOEXCEPT;

/*
 * Ask about the queue in DIRECTORY, or change it, as an operator: WORDS are
 *
 *	list [--json]        one line, or JSON object, for each message
 *	show ID [--json]     envelope and state of one
 *	cat ID               the message
 *	why ID [--json]      what was tried, what came of it, and what is next
 *	flush [ID|DOMAIN]    try it (them, all) now
 *	hold ID, release ID  try it no more, and again
 *	remove ID            without a report to anybody
 *	export DIR           write each message to DIR/ID.eml
 *	check                read everything there is, and say what is damaged
 *	stats [--json]       what was done, TLS, and the limits of each site
 *
 * The answer goes to WRITE.  The process that has the queue open is asked;
 * when there is none the files are, and what only reads does not change them.
 * Return 0, or -1 with errno and the reason in ERROR of SIZE bytes: EINVAL
 * (no such request), ENOENT (no such message), ENOTDIR (no queue), EBADMSG
 * (check found damage) and what else the system says.  Since 0.1.
 */
SMTPD_API int smtpd_queue_ask(const char *directory, const char *const *words,
    size_t count, smtpd_write_fn *write, void *user, char *error, size_t size);

#ifdef __cplusplus
}
#endif

#endif
