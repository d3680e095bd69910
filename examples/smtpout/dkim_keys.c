/* SPDX-License-Identifier: MIT */
#include "dkim_keys.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* How long the DNS may take for a key. */
#define CHECK_MS 10000

int
dkim_keys_divide(const char *spec, struct dkim_spec *out)
{
	const char *selector = strchr(spec, ':');
	const char *file = selector != NULL ? strchr(selector + 1, ':') : NULL;
	size_t len;

	if (file == NULL || file[1] == '\0')
		return -1;
	len = (size_t)(file - spec);
	if (len >= sizeof(out->names))
		return -1;
	memcpy(out->names, spec, len);
	out->names[len] = '\0';
	out->names[selector - spec] = '\0';
	out->domain = out->names;
	out->selector = out->names + (selector + 1 - spec);
	out->file = file + 1;
	return *out->domain != '\0' && *out->selector != '\0' ? 0 : -1;
}

/* Add the key of SPEC to DKIM.  Return 0, or an exit status. */
static int
add_key(const struct dkim_keys *k, struct smtpd_dkim *dkim, const char *spec,
    char *why, size_t size)
{
	struct dkim_spec s;
	struct stat st;

	if (dkim_keys_divide(spec, &s) == -1) {
		snprintf(why, size, "%s is no key", spec);
		return EX_USAGE;
	}
	if (smtpd_dkim_add_key(dkim,
		&(struct smtpd_dkim_key){
		    SMTPD_DKIM_KEY_INIT,
		    .domain = s.domain,
		    .selector = s.selector,
		    .subdomains = k->subdomains,
		    .file = s.file,
		},
		why, size) == -1)
		return errno == EINVAL ? EX_CONFIG
		    : errno == ENOMEM  ? EX_OSERR
				       : EX_NOINPUT;
	if (stat(s.file, &st) == 0 && (st.st_mode & 07) != 0)
		log_line(k->log, SMTPD_LOG_WARNING,
		    "any user may read the DKIM key in %s: chmod o= %s", s.file,
		    s.file);
	return 0;
}

/* Make *OUT with all keys.  Return 0, or an exit status; *OUT is to be freed in
 * any case. */
static int
make_signer(
    const struct dkim_keys *k, struct smtpd_dkim **out, char *why, size_t size)
{
	int status = 0;

	*out = smtpd_dkim_create();
	if (*out == NULL) {
		snprintf(why, size, "--dkim: %s",
		    errno == ENOTSUP ? "this program was built without TLS"
				     : "no memory");
		return errno == ENOTSUP ? EX_UNAVAILABLE : EX_OSERR;
	}
	if (k->fields != NULL &&
	    smtpd_dkim_set_fields(*out, k->fields, why, size) == -1)
		return EX_USAGE;
	for (size_t i = 0; i < k->specs->count && status == 0; i++)
		status = add_key(k, *out, k->specs->items[i], why, size);
	return status;
}

/* Note how the files are now; whether one was changed. */
static bool
note_files(struct dkim_keys *k)
{
	bool changed = false;
	struct dkim_spec s;

	for (size_t i = 0; i < k->specs->count; i++)
		if (dkim_keys_divide(k->specs->items[i], &s) == 0)
			changed |= file_stamp_update(&k->stamps[i], s.file);
	return changed;
}

int
dkim_keys_load(struct dkim_keys *k, char *why, size_t size)
{
	struct smtpd_dkim *dkim;
	int status;

	if (k->specs->count == 0)
		return 0;
	if (k->stamps == NULL)
		k->stamps = calloc(k->specs->count, sizeof(*k->stamps));
	if (k->stamps == NULL) {
		snprintf(why, size, "--dkim: no memory");
		return EX_OSERR;
	}
	/* Before they are read: a change meanwhile is seen later. */
	note_files(k);
	status = make_signer(k, &dkim, why, size);
	if (status != 0) {
		smtpd_dkim_unref(dkim);
		return status;
	}
	smtpd_dkim_unref(k->dkim);
	k->dkim = dkim;
	log_line(k->log, SMTPD_LOG_INFO, "read %zu DKIM key%s", k->specs->count,
	    k->specs->count == 1 ? "" : "s");
	return 0;
}

bool
dkim_keys_reload(struct dkim_keys *k)
{
	char why[1024];

	if (k->specs->count == 0)
		return false;
	if (dkim_keys_load(k, why, sizeof(why)) == 0)
		return true;
	log_line(k->log, SMTPD_LOG_WARNING, "the old DKIM keys stay in use: %s",
	    why);
	return false;
}

bool
dkim_keys_look(struct dkim_keys *k)
{
	return k->stamps != NULL && note_files(k) && dkim_keys_reload(k);
}

int
dkim_keys_check(
    const struct dkim_keys *k, const struct smtpd_resolver_settings *resolver)
{
	struct smtpd_resolver_settings settings = *resolver;
	int status = 0;
	char why[1024];

	settings.total_ms = CHECK_MS;
	for (size_t i = 0; k->dkim != NULL && i < smtpd_dkim_count(k->dkim);
	    i++) {
		if (smtpd_dkim_check(k->dkim, i, &settings, why, sizeof(why)) ==
		    0)
			continue;
		status = EX_CONFIG;
		log_line(k->log, SMTPD_LOG_ERROR, "--dkim %s: %s",
		    k->specs->items[i], why);
		/* The next ones would take as long. */
		if (errno == EAGAIN)
			break;
	}
	return status;
}

void
dkim_keys_finish(struct dkim_keys *k)
{
	smtpd_dkim_unref(k->dkim);
	k->dkim = NULL;
	free(k->stamps);
	k->stamps = NULL;
}
