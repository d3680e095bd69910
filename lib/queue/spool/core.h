/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_SPOOL_CORE_H
#define SMTPD_QUEUE_SPOOL_CORE_H

/*
 * What the parts of the spool share.
 *
 * Records of one message must stand in the log in the order in which memory
 * has it, and a message that is written anew must contain all that stands
 * before it and nothing that comes behind.  So who appends a record of an message
 * enters it first: any number of threads that report progress, or one alone
 * that changes its state or writes it anew.
 */

#include <pthread.h>

#include "base/crc32c.h"
#include "base/id.h"
#include "queue/spool/message_table.h"
#include "queue/spool/queue_clock.h"
#include "queue/spool/record.h"

/* Content that is kept in the log. */
#define SMTPD_SPOOL_SMALL_MAX 65536

/* Room for the name of a file, with its NUL. */
#define SMTPD_SPOOL_NAME_MAX 64

/* Longest domain. */
#define SMTPD_SPOOL_DOMAIN_MAX 255

/* A thread that reports progress; it lies on its stack. */
struct smtpd_flight {
	const struct smtpd_queued_message *message;
	struct smtpd_flight *next;
};

/* A record that cannot be understood, and is live until it is in
 * quarantine. */
struct smtpd_foreign {
	struct smtpd_disk_place place;
	uint32_t size;
	struct smtpd_foreign *next;
};

/* The segment that is being emptied. */
struct smtpd_spool_cleaning {
	uint32_t segment;
	uint64_t *ids; /* of the messages in it */
	size_t count;
	size_t size;
	size_t next;     /* to be looked at */
	uint64_t rest;   /* do nothing before, in ms */
	uint64_t marked; /* when the clock was last recorded, in ms */
};

struct smtpd_spool {
	struct smtpd_spool_settings settings;
	struct smtpd_crc32c crc;
	struct smtpd_queue_clock clock;
	struct smtpd_disk *log;
	uint32_t group_max; /* bytes of one append */

	/* Descriptors; -1: none. */
	int dir;
	int lock;
	int tmp;
	int large;
	int quarantine;
	int dead;

	_Atomic uint64_t files;   /* made in tmp/ */
	_Atomic uint64_t damages; /* in the log */

	struct smtpd_stamp last; /* while the log is read */
	struct smtpd_foreign *foreign;
	struct smtpd_spool_cleaning cleaning;

	pthread_mutex_t mutex; /* of all that follows, and the entries */
	pthread_cond_t landed; /* somebody has left an message */
	struct smtpd_message_table table;
	uint64_t count; /* of those in it that are not pending */
	uint64_t last_id;
	struct smtpd_flight *flights;
};

/* What tells of now. */
struct smtpd_stamp smtpd__spool_stamp(const struct smtpd_spool *s);

/* One line of log; bytes that are no printable ASCII are replaced. */
void smtpd__spool_log(const struct smtpd_spool *s, enum smtpd_log_level level,
    const char *format, ...) SMTPD_PRINTF(3, 4);

/* Record the clock, and the last id. */
void smtpd__spool_mark(struct smtpd_spool *s);

/* --- spool_files.c: directories and the files in them --- */

/* Open or make the directories, and take the lock.  Return 0, or -1 with the
 * reason in ERROR. */
int smtpd__spool_open_directories(
    struct smtpd_spool *s, const char *directory, char *error, size_t size);

/* Close all descriptors. */
void smtpd__spool_close_directories(struct smtpd_spool *s);

/* Delete what is left in tmp/. */
void smtpd__spool_empty_tmp(struct smtpd_spool *s);

/* Delete the files in large/ without a message; when something was damaged
 * they go to quarantine/ instead. */
void smtpd__spool_clear_orphans(struct smtpd_spool *s);

/* Make a file in tmp/, its name in NAME.  Return its descriptor, or -1. */
int smtpd__spool_make_file(
    struct smtpd_spool *s, char name[SMTPD_SPOOL_NAME_MAX]);

/* Write all of it.  Return 0, or -1 with errno. */
int smtpd__spool_write(int fd, const void *data, size_t len);

/* --- content.c --- */

struct smtpd_content {
	struct smtpd_spool *spool;
	unsigned char *data;
	size_t len;
	size_t room;
	uint64_t size;
	uint32_t crc; /* of what was written to a file */
	int error;    /* what went wrong before; 0 */
	int fd;       /* in tmp/; -1: all of it is in memory */
	char name[SMTPD_SPOOL_NAME_MAX];
};

/* Whether it is too large for the log. */
bool smtpd__content_is_large(const struct smtpd_content *c);

/* Move a large one to large/, durably.  Return 0, or -1 with errno. */
int smtpd__content_publish(struct smtpd_content *c, uint64_t id);

/* --- spool_entry.c --- */

/* An message without anything but its jobs, all zero.  NULL without memory. */
struct smtpd_queued_message *smtpd__spool_messages_create(
    uint64_t id, uint32_t njobs);

/* Release its destinations, and free it.  The mutex is not held. */
void smtpd__spool_messages_free(
    struct smtpd_spool *s, struct smtpd_queued_message *e);

/* Get the destination of a job.  False without memory.  Likewise. */
bool smtpd__spool_messages_bind_destination(struct smtpd_spool *s,
    struct smtpd_delivery_job *job, const char *domain, size_t len);

/* How many recipients it has. */
uint32_t smtpd__spool_messages_rcpts(const struct smtpd_queued_message *e);

/* Have room for the bits of its recipients.  False without memory. */
bool smtpd__spool_messages_need_bits(struct smtpd_queued_message *e);

/* Mark a recipient. */
void smtpd__spool_messages_finish_rcpt(
    struct smtpd_queued_message *e, uint32_t rcpt);

/* Change JOB as a record at PLACE says.  FLAGS: enum smtpd_record_job_flag. */
void smtpd__spool_messages_apply(struct smtpd_delivery_job *job,
    const struct smtpd_record_progress *p, struct smtpd_disk_place place);

/* What is kept of the flags of JOB. */
uint8_t smtpd__spool_job_flags(const struct smtpd_delivery_job *job);

/* Take an message, which has ended, out of the table.  The mutex is held. */
void smtpd__spool_messages_end(
    struct smtpd_spool *s, struct smtpd_queued_message *e);

/* Let go of what it had in the log and in large/.  Not held. */
void smtpd__spool_messages_release(
    struct smtpd_spool *s, const struct smtpd_queued_message *e);

/* Enter E to report progress: false when it has ended.  The mutex is not held
 * by the caller; nor by that of the other functions here. */
bool smtpd__spool_enter(struct smtpd_spool *s, struct smtpd_queued_message *e,
    struct smtpd_flight *f);

/* Leave it.  The mutex is held. */
void smtpd__spool_leave(struct smtpd_spool *s, struct smtpd_flight *f);

/* Enter E alone: false when it has ended.  The mutex is held, though not while
 * others are waited for. */
bool smtpd__spool_messages_lock(
    struct smtpd_spool *s, struct smtpd_queued_message *e);

/* Leave it.  The mutex is held. */
void smtpd__spool_messages_unlock(
    struct smtpd_spool *s, struct smtpd_queued_message *e);

/* --- spool_add.c --- */

/* A message on its way into the log. */
struct smtpd_addition {
	struct smtpd_queued_message *message;
	struct smtpd_content *content;
	struct smtpd_pack head;
	struct smtpd_pack envelope;
	struct iovec body[2];
	bool published; /* in large/ */
};

/* Do all that may fail but the append.  Return 0, or -1 with errno, and
 * nothing is to be undone.  The content of MAIL is the addition's. */
int smtpd__addition_begin(struct smtpd_spool *s,
    const struct smtpd_spool_mail *mail, struct smtpd_addition *a);

/* Its record. */
void smtpd__addition_record(
    const struct smtpd_addition *a, struct smtpd_disk_entry *record);

/* It is in the log: its message appears, and is returned with a pin. */
struct smtpd_queued_message *smtpd__addition_finish(struct smtpd_spool *s,
    struct smtpd_addition *a, const struct smtpd_disk_entry *record);

/* It is not: undo all. */
void smtpd__addition_cancel(struct smtpd_spool *s, struct smtpd_addition *a);

/* --- spool_replay.c --- */

/* The functions of smtpd_disk_settings. */
int smtpd__spool_replay(
    void *user, struct smtpd_disk *log, const struct smtpd_disk_record *record);

/* Once all is read: the clock starts, and times that cannot be are mended. */
void smtpd__spool_settle(struct smtpd_spool *s);

/* Forget all that was read. */
void smtpd__spool_forget(struct smtpd_spool *s);

/* --- spool_read.c --- */

/* The place of E now; false when it has ended. */
bool smtpd__spool_place(struct smtpd_spool *s,
    const struct smtpd_queued_message *e, struct smtpd_disk_place *place);

/* As smtpd__disk_read() of the message record of E, and its head in *M. */
void *smtpd__spool_read_message(struct smtpd_spool *s,
    const struct smtpd_queued_message *e, struct smtpd_disk_record *record,
    struct smtpd_record_message *m, const void **body);

/* The progress record of the job numbered JOB of message ID at PLACE; to be
 * freed.  NULL with errno. */
void *smtpd__spool_read_progress(struct smtpd_spool *s, uint64_t id,
    uint32_t job, struct smtpd_disk_place place,
    struct smtpd_record_progress *p, struct smtpd_unpack *results,
    struct smtpd_unpack *history);

/* Give the histories that end at PLACE to WRITE, oldest first. */
int smtpd__spool_read_history(struct smtpd_spool *s, uint64_t id, uint32_t job,
    struct smtpd_disk_place place, smtpd_write_fn *write, void *user);

/* --- restate.c --- */

/* A message that is written anew, with the last word on each job. */
struct smtpd_relocation {
	struct smtpd_queued_message
	    *message; /* pinned and entered alone; NULL: nothing
	                            * was to be done */
	struct smtpd_pack *packs;
	struct smtpd_disk_entry *records; /* the message, then progress */
	struct iovec *bodies;
	size_t count; /* of records */
	size_t npacks;
	void *memory; /* the record as it was */
	uint64_t size;
};

/* Prepare that of message ID, if it is in SEGMENT.  Return 0; or -1 with errno
 * and nothing entered: EBADMSG when the message is lost, and then the message is
 * in *LOST, pinned. */
int smtpd__relocate_begin(struct smtpd_spool *s, uint64_t id, uint32_t segment,
    struct smtpd_relocation *r, struct smtpd_queued_message **lost);

/* It was appended (or not): the message knows, and is left. */
void smtpd__relocate_end(
    struct smtpd_spool *s, struct smtpd_relocation *r, bool appended);

/* --- quarantine.c --- */

/* A smtpd_disk_settings.damaged. */
void smtpd__quarantine_range(void *user, const char *segment_name,
    uint64_t offset, const void *data, size_t len, const char *why);

/* Put what there is of E there.  Return 0, or -1 with errno. */
int smtpd__quarantine_message(struct smtpd_spool *s,
    const struct smtpd_queued_message *e, const char *why);

/* Put there a file of large/. */
int smtpd__quarantine_large(
    struct smtpd_spool *s, const char *name, const char *why);

/* Put there all foreign records that can be, and release them. */
void smtpd__quarantine_foreign(struct smtpd_spool *s);

#endif
