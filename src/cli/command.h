/* SPDX-License-Identifier: MIT */
#ifndef TORC_CLI_COMMAND_H
#define TORC_CLI_COMMAND_H

/*
 * The commands of torc: each is a program of its own, with its name as argv[0]. They answer the
 * exit code: 0, 1 for what failed, 2 for a mistake in the arguments.
 */
int torc_command_cert(int argc, char **argv);
int torc_command_web(int argc, char **argv);

#endif
