/* SPDX-License-Identifier: MIT */
/* For initgroups(). */
#define _DEFAULT_SOURCE
#include "privileges.h"

#ifdef __linux__
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif
#include <sys/stat.h>
#include <sys/types.h>

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* The user NAME; EX_NOUSER when there is none. */
static int
find_user(const char *name, uid_t *uid, gid_t *gid, char *why, size_t size)
{
	struct passwd user, *found = NULL;
	size_t room = 16384;
	char *buf = malloc(room);
	int error;

	if (buf == NULL) {
		snprintf(why, size, "no memory");
		return EX_OSERR;
	}
	error = getpwnam_r(name, &user, buf, room, &found);
	if (found != NULL) {
		*uid = user.pw_uid;
		*gid = user.pw_gid;
	}
	free(buf);
	if (found != NULL)
		return 0;
	snprintf(why, size, "there is no user \"%s\"%s%s", name,
	    error != 0 ? ": " : "", error != 0 ? strerror(error) : "");
	return EX_NOUSER;
}

static int
become_user(const char *name, uid_t uid, gid_t gid)
{
	if (initgroups(name, gid) == -1 || setgid(gid) == -1 ||
	    setuid(uid) == -1)
		return -1;
	/* All three ids of each kind must be gone. */
	if (uid != 0 && (setuid(0) == 0 || seteuid(0) == 0)) {
		errno = EPERM;
		return -1;
	}
	return getuid() == uid && geteuid() == uid && getegid() == gid ? 0 : -1;
}

static int
change_user(const char *name, char *why, size_t size)
{
	uid_t uid;
	gid_t gid;
	int status = find_user(name, &uid, &gid, why, size);

	if (status != 0)
		return status;
	if (geteuid() == uid && getuid() == uid && uid != 0)
		return 0;
	if (geteuid() != 0) {
		snprintf(why, size,
		    "only root can become user \"%s\"; start it as root or "
		    "leave out --user",
		    name);
		return EX_NOPERM;
	}
	if (become_user(name, uid, gid) == 0)
		return 0;
	snprintf(
	    why, size, "cannot become user \"%s\": %s", name, strerror(errno));
	return EX_OSERR;
}

/* Give up all capabilities, but for that to bind to low ports if KEEP_PORTS. */
static int
drop_capabilities(bool keep_ports, char *why, size_t size)
{
#ifdef __linux__
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[2];
	const uint32_t ports = 1U << CAP_NET_BIND_SERVICE;

	if (geteuid() == 0 || syscall(SYS_capget, &header, data) == -1)
		return 0;
	for (int i = 0; i < 2; i++) {
		data[i].permitted &= i == 0 && keep_ports ? ports : 0;
		data[i].effective = data[i].permitted;
		data[i].inheritable = data[i].permitted;
	}
	if (syscall(SYS_capset, &header, data) == -1) {
		snprintf(
		    why, size, "cannot drop capabilities: %s", strerror(errno));
		return EX_OSERR;
	}
	/* The program keeps it when it is started again, to be handed over
	 * to; without it that does not follow interfaces. */
	if (keep_ports)
		prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE,
		    CAP_NET_BIND_SERVICE, 0, 0);
#else
	(void)keep_ports;
	(void)why;
	(void)size;
#endif
	return 0;
}

/* Make sure that no program executed from here gains privileges. */
static int
stay_low(char *why, size_t size)
{
#ifdef __linux__
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1) {
		snprintf(
		    why, size, "cannot drop privileges: %s", strerror(errno));
		return EX_OSERR;
	}
#else
	(void)why;
	(void)size;
#endif
	return 0;
}

int
privileges_drop(const char *name, bool keep_ports, char *why, size_t size)
{
	int status;

#ifdef __linux__
	prctl(PR_SET_KEEPCAPS, keep_ports ? 1 : 0, 0, 0, 0);
#endif
	status = name != NULL ? change_user(name, why, size) : 0;
	if (status == 0)
		status = drop_capabilities(keep_ports, why, size);
	return status != 0 ? status : stay_low(why, size);
}

int
privileges_borrow(const char *directory)
{
	struct stat st;

	if (geteuid() != 0)
		return 0;
	if (stat(directory, &st) == -1)
		return -1;
	if (st.st_uid == 0)
		return 0;
	return setegid(st.st_gid) == 0 && seteuid(st.st_uid) == 0 ? 0 : -1;
}
