/* SPDX-License-Identifier: MIT */
#ifndef TORC_BENCH_JSON_BENCH_H
#define TORC_BENCH_JSON_BENCH_H

#include <stddef.h>

/*
 * What is measured: a library that reads documents and writes them again. Each has a program of its
 * own, made of its source and json_bench.c, for the headers of some do not go together.
 */
typedef struct json_library {
    const char *name;
    /* Read a document; NULL if that fails. */
    void *(*read)(const char *bytes, size_t len);
    /* Write what was read, compact; returns the length, 0 if it fails. */
    size_t (*write)(void *document);
    void (*drop)(void *document);
} json_library;

extern const json_library library;

#endif
