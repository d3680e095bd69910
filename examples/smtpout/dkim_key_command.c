/* SPDX-License-Identifier: MIT */
/* explicit_bzero(). */
#define _DEFAULT_SOURCE
#include "dkim_key_command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <smtpd/dkim.h>

#include "complain.h"
#include "dkim_keys.h"
#include "settings.h"

static const char help[] =
    "Usage: smtpout dkim-key [--bits N] DOMAIN:SELECTOR:KEYFILE\n"
    "Make an RSA key in KEYFILE, unless there is one, and print the record\n"
    "that the DNS must have for it. Then start smtpout with\n"
    "--dkim DOMAIN:SELECTOR:KEYFILE; smtpout must be able to read KEYFILE.\n\n"
    "  --bits N   length of a new key, 1024 to 4096 (2048)\n";

#define BITS 2048

/* Octets of one string of a TXT record, at most (RFC 1035, 3.3.14). */
#define STRING_MAX 255

/* Write the key PEM to FILE, which is made and only its owner may read. */
static int
write_key(const char *file, const char *pem)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	size_t len = strlen(pem);
	bool written;

	if (fd == -1)
		return complain(PROGRAM, EX_CANTCREAT, "cannot make %s: %s",
		    file, strerror(errno));
	written = write(fd, pem, len) == (ssize_t)len && fsync(fd) == 0;
	if (close(fd) == 0 && written)
		return 0;
	complain(
	    PROGRAM, EX_IOERR, "cannot write %s: %s", file, strerror(errno));
	unlink(file);
	return EX_IOERR;
}

static int
make_key(const char *file, unsigned bits)
{
	char pem[SMTPD_DKIM_PEM_SIZE];
	int status;

	if (smtpd_dkim_make_key(bits, pem) == -1)
		return errno == EINVAL
		    ? complain(PROGRAM, EX_USAGE,
			  "--bits: give 1024 to 4096, in steps of 8")
		    : complain(PROGRAM, EX_OSERR, "cannot make a key: %s",
			  strerror(errno));
	status = write_key(file, pem);
	explicit_bzero(pem, sizeof(pem));
	return status;
}

/* Print the record of the key in SPEC as a zone file has it. */
static int
print_record(const struct dkim_spec *spec)
{
	const struct smtpd_dkim_key key = {
		SMTPD_DKIM_KEY_INIT,
		.domain = spec->domain,
		.selector = spec->selector,
		.file = spec->file,
	};
	char name[SMTPD_DKIM_NAME_SIZE], record[SMTPD_DKIM_RECORD_SIZE];
	struct smtpd_dkim *dkim = smtpd_dkim_create();
	char why[1024] = "this program was built without TLS";

	if (dkim == NULL ||
	    smtpd_dkim_add_key(dkim, &key, why, sizeof(why)) == -1 ||
	    smtpd_dkim_record(dkim, 0, name, record) == -1) {
		smtpd_dkim_unref(dkim);
		return complain(PROGRAM, EX_CONFIG, "%s", why);
	}
	smtpd_dkim_unref(dkim);
	printf("%s. IN TXT (", name);
	for (const char *at = record; *at != '\0';) {
		size_t len = strnlen(at, STRING_MAX);

		printf("\n\t\"%.*s\"", (int)len, at);
		at += len;
	}
	printf(" )\n");
	return fflush(stdout) == EOF ? EX_IOERR : EX_OK;
}

/* Read the value of --bits.  Return 0 when it is none. */
static unsigned
read_bits(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	return *text >= '1' && *text <= '9' && *end == '\0' && n < 100000
	    ? (unsigned)n
	    : 0;
}

int
dkim_key_command(int argc, char **argv)
{
	unsigned bits = BITS;
	struct dkim_spec spec;
	int status = 0;

	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return fputs(help, stdout) == EOF ? EX_IOERR : EX_OK;
	if (argc > 2 && strcmp(argv[1], "--bits") == 0) {
		bits = read_bits(argv[2]);
		argc -= 2;
		argv += 2;
	}
	if (argc != 2 || dkim_keys_divide(argv[1], &spec) == -1)
		return complain(PROGRAM, EX_USAGE,
		    "dkim-key: give DOMAIN:SELECTOR:KEYFILE; see smtpout "
		    "dkim-key --help");
	if (access(spec.file, F_OK) == -1 && errno == ENOENT)
		status = make_key(spec.file, bits);
	return status == 0 ? print_record(&spec) : status;
}
