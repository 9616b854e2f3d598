/* SPDX-License-Identifier: MIT */
/*
 * The torc command: which command is meant.
 *
 *   torc web [OPTION]...     serve the files of a folder (cmd_web.c)
 *   torc cert [OPTION]...    make a certificate for development (cmd_cert.c)
 *   torc help [COMMAND]      how a command is used
 *
 *  - What is asked for goes to the standard output; a mistake is one line on the standard error.
 */
#include <stdio.h>
#include <string.h>
#include <torc/torc.h>

#include "command.h"

typedef struct command {
    const char *name;
    const char *help;
    int (*run)(int argc, char **argv);
} command;

static int help(int argc, char **argv);

static const command commands[] = {
    {"web", "serve the files of a folder", torc_command_web},
    {"cert", "make a certificate for development", torc_command_cert},
    {"help", "show how a command is used: torc help web", help},
};

static const struct {
    const char *name, *letter, *help;
} options[] = {
    {"--help", "-h", "show this help"},
    {"--version", "-V", "show the version, and what it was built with"},
};

static const command *find(const char *name) {
    for (size_t i = 0; i < TORC_COUNT_OF(commands); i++)
        if (strcmp(name, commands[i].name) == 0) return &commands[i];
    return NULL;
}

/* ---- mistakes ---- */

static int report_unknown(const char *name) {
    const char *names[TORC_COUNT_OF(commands)];

    for (size_t i = 0; i < TORC_COUNT_OF(names); i++) names[i] = commands[i].name;
    const char *nearest = torc_str_nearest(torc_str_of(name), names, TORC_COUNT_OF(names));
    if (nearest)
        fprintf(stderr, "torc: %s: no such command; did you mean `torc %s`?\n", name, nearest);
    else
        fprintf(stderr, "torc: %s: no such command; `torc --help` lists them\n", name);
    return 2;
}

static int report_option(const char *option) {
    const char *names[TORC_COUNT_OF(options)];

    for (size_t i = 0; i < TORC_COUNT_OF(names); i++) names[i] = options[i].name;
    const char *nearest = torc_str_nearest(torc_str_of(option), names, TORC_COUNT_OF(names));
    if (nearest)
        fprintf(stderr, "torc: %s: no such option; did you mean %s?\n", option, nearest);
    else
        fprintf(stderr, "torc: %s: options stand behind the command, as in `torc web %s`\n", option,
                option);
    return 2;
}

static int report_nothing(void) {
    fprintf(stderr, "torc: a command is missing, as in `torc web`; `torc --help` lists them\n");
    return 2;
}

/* ---- texts ---- */

static int show_help(void) {
    printf("Usage: torc COMMAND [OPTION]...\n"
           "An event-driven HTTP server.\n\nCommands:\n");
    for (size_t i = 0; i < TORC_COUNT_OF(commands); i++)
        printf("  %-15s %s\n", commands[i].name, commands[i].help);
    printf("\nOptions:\n");
    for (size_t i = 0; i < TORC_COUNT_OF(options); i++)
        printf("  %s, %-11s %s\n", options[i].letter, options[i].name, options[i].help);
    printf("\nManual: man torc, man torc-web, man torc-cert\n");
    return fflush(stdout) || ferror(stdout) ? 1 : 0;
}

static int show_version(void) {
    printf("torc %s\nbuilt with %s\n", torc_version(), torc_built_with());
    return fflush(stdout) || ferror(stdout) ? 1 : 0;
}

static torc_err write_out(void *context, torc_str bytes) {
    return fwrite(bytes.bytes, 1, bytes.len, context) == bytes.len ? TORC_OK : TORC_ERR_SYSTEM;
}

/* What there is, for what makes manuals and completions. */
static int show_json(void) {
    torc_json json;

    torc_json_init(&json, write_out, stdout, TORC_JSON_PLAIN);
    torc_json_open_object(&json);
    torc_json_member_text(&json, "name", "torc");
    torc_json_member_text(&json, "version", torc_version());
    torc_json_member_array(&json, "commands");
    for (size_t i = 0; i < TORC_COUNT_OF(commands); i++) {
        torc_json_open_object(&json);
        torc_json_member_text(&json, "name", commands[i].name);
        torc_json_member_text(&json, "help", commands[i].help);
        torc_json_close_object(&json);
    }
    torc_json_close_array(&json);
    torc_json_close_object(&json);
    return torc_json_end(&json) || putchar('\n') == EOF || fflush(stdout) ? 1 : 0;
}

/* `torc help COMMAND …` is `torc COMMAND --help …`. */
static int help(int argc, char **argv) {
    char *arguments[] = {NULL, (char *)(uintptr_t) "--help", argc > 2 ? argv[2] : NULL, NULL};
    const command *asked = argc > 1 ? find(argv[1]) : NULL;

    if (argc <= 1 || (asked && asked->run == help)) return show_help();
    if (!asked) return report_unknown(argv[1]);
    arguments[0] = argv[1];
    return asked->run(argc > 2 ? 3 : 2, arguments);
}

static bool is(const char *argument, size_t option) {
    return strcmp(argument, options[option].name) == 0 ||
           strcmp(argument, options[option].letter) == 0;
}

int main(int argc, char **argv) {
    const char *first = argc > 1 ? argv[1] : "";
    const command *asked = find(first);

    if (asked) return asked->run(argc - 1, argv + 1);
    if (is(first, 0)) return help(argc - 1, argv + 1);
    if (is(first, 1)) return show_version();
    if (strcmp(first, "--help=json") == 0) return show_json();
    if (!*first) return report_nothing();
    return *first == '-' ? report_option(first) : report_unknown(first);
}
