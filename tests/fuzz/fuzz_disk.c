/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/little.h"
#include "journal/disk/append.h"
#include "journal/disk/format.h"
#include "journal/disk/open.h"
#include "journal/disk/prepare.h"
#include "journal/disk/read.h"

#define SIZE SMTPD_DISK_SEGMENT_MIN
#define MARK 0x4B52414Du

/* What is at stake in one run. */
struct run {
	struct smtpd_crc32c crc;
	uint64_t last; /* sequence */
	unsigned count;
	struct smtpd_record_ref refs[4096];
};

/* Nothing is durable here, and all is quick. */
int
fdatasync(int fd)
{
	(void)fd;
	return 0;
}

int
fsync(int fd)
{
	(void)fd;
	return 0;
}

static void
write_all(int dir, const char *name, const uint8_t *data, size_t len)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	must(fd != -1);
	must(write(fd, data, len) == (ssize_t)len);
	must(len >= SIZE || ftruncate(fd, SIZE) == 0);
	close(fd);
}

/* Give each thing that might be a record the right sums, but where a byte of
 * its zeros says not to. */
static void
mend(const struct run *run, uint8_t *p, size_t size)
{
	while (size >= SMTPD_DISK_RECORD_HEADER) {
		struct smtpd_disk_record_header h;
		size_t len;
		bool head = !(p[22] & 1), body = !(p[22] & 2);

		smtpd_put_u32(p, MARK);
		if (!smtpd__disk_format_get_record(MARK, p, &h))
			return;
		len = smtpd__disk_format_record_size(&h);
		if (len > size)
			return;
		if (body)
			smtpd_put_u32(p + 8,
			    smtpd__crc32c(&run->crc, 0,
				p + SMTPD_DISK_RECORD_HEADER + h.head_len,
				h.body_len));
		if (head)
			smtpd_put_u32(p + 4,
			    smtpd__crc32c(&run->crc, 0, p + 8,
				SMTPD_DISK_RECORD_HEADER - 8 + h.head_len));
		p += len;
		size -= len;
	}
}

/* A segment of which DATA are the records, or all of it. */
static void
make_segment(struct run *run, int dir, const uint8_t *data, size_t size)
{
	static uint8_t bytes[SIZE];
	const struct smtpd_disk_header header = {
		.number = 1, .size = SIZE, .mark = MARK, .base = 1
	};

	if (data[0] & 1) {
		write_all(dir, "00000001.log", data + 1, size - 1);
		return;
	}
	if (size - 1 > SIZE - 2 * SMTPD_DISK_PAGE)
		size = SIZE - 2 * SMTPD_DISK_PAGE;
	memset(bytes, 0, sizeof(bytes));
	smtpd__disk_format_put_header(&run->crc, &header, bytes);
	memcpy(bytes + SMTPD_DISK_PAGE, data + 1, size - 1);
	if (data[0] & 2)
		mend(run, bytes + SMTPD_DISK_PAGE, size - 1);
	write_all(dir, "00000001.log", bytes, SIZE);
}

static int
replay(void *user, struct smtpd_disk *log,
    const struct smtpd_journal_record *record)
{
	struct run *run = user;

	(void)log;
	must(record->sequence > run->last);
	run->last = record->sequence;
	must(record->size ==
	    smtpd__disk_format_size(record->head_len, record->body_len));
	must(smtpd__disk_format_ref_offset(record->ref) >= SMTPD_DISK_PAGE &&
	    smtpd__disk_format_ref_offset(record->ref) + record->size <=
		SIZE - SMTPD_DISK_PAGE);
	if (run->count < 4096)
		run->refs[run->count] = record->ref;
	run->count++;
	return 1;
}

static void
must_read(struct smtpd_disk *log, const struct run *run)
{
	for (unsigned i = 0; i < run->count && i < 4096; i++) {
		struct smtpd_journal_record record;
		const void *body;
		void *memory = smtpd__disk_read(
		    log, run->refs[i], SIZE_MAX, &record, &body);

		must(memory != NULL);
		free(memory);
	}
}

/* Open the log; the last sequence it has can be followed by another. */
static struct smtpd_disk *
open_log(struct run *run, int dir)
{
	const struct smtpd_disk_settings settings = {
		.segment_size = SIZE, .replay = replay, .user = run
	};
	char error[128];

	run->last = 0;
	run->count = 0;
	return smtpd__disk_open(dir, &settings, error, sizeof(error));
}

/* What was replayed can be read; one record more is the only difference that
 * the next start sees. */
static void
try_log(struct run *run, int dir)
{
	struct smtpd_journal_record e = {
		.head = "x", .head_len = 1, .live = true
	};
	struct smtpd_disk *log = open_log(run, dir);
	unsigned count;

	if (log == NULL)
		return;
	must_read(log, run);
	count = run->count;
	if (run->last < SMTPD_DISK_SEQUENCE_MAX - 1) {
		must(smtpd__disk_append(log, &e, 1, 0) == 0);
		count++;
	}
	while (smtpd__disk_prepare(log) == 1)
		;
	smtpd__disk_close(log);
	log = open_log(run, dir);
	must(log != NULL);
	must(run->count == count);
	must_read(log, run);
	smtpd__disk_close(log);
}

static void
clear(int dir)
{
	static const char *const names[] = { "00000001.log", "00000002.log",
		"00000001.idx", "00000002.idx", "spare-0", "spare-1" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlinkat(dir, names[i], 0);
}

/* A byte: 1, the rest is a whole segment; else, 2, it is made of records that
 * lack their sums, or have them. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run run;
	char path[] = "/dev/shm/fuzz_log.XXXXXX";
	int dir;

	if (size < 2 || size > SIZE)
		return 0;
	smtpd__crc32c_init(&run.crc);
	must(mkdtemp(path) != NULL);
	dir = open(path, O_RDONLY | O_DIRECTORY);
	must(dir != -1);
	make_segment(&run, dir, data, size);
	try_log(&run, dir);
	clear(dir);
	close(dir);
	must(rmdir(path) == 0);
	return 0;
}
