/* SPDX-License-Identifier: MIT */
#ifndef TORC_BASE_LOG_FILE_H
#define TORC_BASE_LOG_FILE_H

#include <torc/log_file.h>

/*
 * What who writes to a file of lines asks of it.
 */

/* Whether it is a file of the file system, which can be cut and opened again: no pipe, no device,
 * no stream that was given. */
bool torc_log_file_is_ordinary(const torc_log_file *file);
/* Whether it is a socket, which is told with each call not to wait. */
bool torc_log_file_is_socket(const torc_log_file *file);

#endif
