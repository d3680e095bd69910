/* SPDX-License-Identifier: MIT */
#ifndef DROP_PLACE_H
#define DROP_PLACE_H

/*
 * Where the drop box is, and how a message stands in it.
 */

#define DROP_BOX "/var/spool/smtpout-drop"

/* A name in it, with its NUL. */
#define DROP_NAME_SIZE 33

/* The mode of a file that is whole; before it is 0600. */
#define DROP_MODE 0444

#endif
