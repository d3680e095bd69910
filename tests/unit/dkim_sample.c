/* SPDX-License-Identifier: MIT */
/*
 * dkim_sample DOMAIN SELECTOR KEYFILE DIRECTORY: sign the message on the
 * standard input, and print both, by an Ed25519 key that is with another
 * process: openssl, to which files in DIRECTORY go.
 */

#include <sys/wait.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <smtpd/dkim.h>

#define SIGNATURE_SIZE 64

struct signer {
	const char *key;
	char hash[256], signature[256]; /* names of files */
};

static int
run_openssl(const struct signer *s)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		execlp("openssl", "openssl", "pkeyutl", "-sign", "-rawin",
		    "-inkey", s->key, "-in", s->hash, "-out", s->signature,
		    (char *)NULL);
		_exit(127);
	}
	if (child == -1 || waitpid(child, &status, 0) != child)
		return -1;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

static int
sign_elsewhere(const unsigned char *hash, unsigned char *signature, void *user)
{
	const struct signer *s = user;
	FILE *file = fopen(s->hash, "wb");
	size_t n;

	if (file == NULL)
		return -1;
	n = fwrite(hash, 1, SMTPD_DKIM_HASH_SIZE, file);
	if (fclose(file) != 0 || n != SMTPD_DKIM_HASH_SIZE ||
	    run_openssl(s) == -1)
		return -1;
	file = fopen(s->signature, "rb");
	if (file == NULL)
		return -1;
	n = fread(signature, 1, SIGNATURE_SIZE, file);
	fclose(file);
	return n == SIGNATURE_SIZE ? 0 : -1;
}

/* Sign what comes on the standard input. */
static int
sign_input(struct smtpd_dkim *dkim)
{
	static char text[1 << 20];
	size_t len = fread(text, 1, sizeof(text), stdin);
	struct smtpd_dkim_message *m = smtpd_dkim_begin(dkim, NULL);
	const char *fields = NULL;

	if (m != NULL && smtpd_dkim_write(m, text, len) == 0)
		fields = smtpd_dkim_end(m);
	if (fields != NULL) {
		fputs(fields, stdout);
		fwrite(text, 1, len, stdout);
	}
	smtpd_dkim_free(m);
	return fields != NULL ? 0 : 1;
}

int
main(int argc, char **argv)
{
	struct smtpd_dkim *dkim = smtpd_dkim_create();
	struct signer s;
	struct smtpd_dkim_key key = {
		SMTPD_DKIM_KEY_INIT,
		.sign = sign_elsewhere,
		.user = &s,
		.algorithm = SMTPD_DKIM_ED25519_SHA256,
	};
	char error[256];
	int status;

	if (dkim == NULL)
		return 77;
	if (argc != 5)
		return 2;
	key.domain = argv[1];
	key.selector = argv[2];
	s.key = argv[3];
	snprintf(s.hash, sizeof(s.hash), "%s/hash", argv[4]);
	snprintf(s.signature, sizeof(s.signature), "%s/signature", argv[4]);
	if (smtpd_dkim_add_key(dkim, &key, error, sizeof(error)) == -1) {
		fprintf(stderr, "%s\n", error);
		return 1;
	}
	status = sign_input(dkim);
	smtpd_dkim_unref(dkim);
	return status;
}
