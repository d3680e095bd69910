/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_QUEUE_QUEUE_STATE_H
#define SMTPD_QUEUE_QUEUE_STATE_H

/*
 * An open queue, as queue.c, submit.c and deliver.c see it: the delivery, the
 * operator's socket, and the room on the disk.
 */

#include <smtpd/queue.h>

#include "base/sizes.h"
#include "os/disk_space.h"
#include "queue/control/control.h"
#include "queue/delivery/delivery.h"

struct smtpd_queue {
	struct smtpd_delivery delivery;
	char local_domain[SMTPD_HOSTNAME_SIZE]; /* of <postmaster> */
	char postmaster[SMTPD_MAILBOX_SIZE];
	char masquerade[SMTPD_HOSTNAME_SIZE]; /* "": none */
	struct smtpd_control_hooks hooks;
	struct smtpd_control *control; /* NULL: not started */
	struct smtpd_disk_space space;
	char *directory; /* its name, for the log */
};

#endif
