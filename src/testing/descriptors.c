/* SPDX-License-Identifier: MIT */
/*
 * The descriptors of this process, as /proc tells them.
 *
 *  - One that was closed and opened anew at the same number is told if it leads to something else.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "testing/client.h"

enum {
    COUNT_MAX = 1024,
    LINK_SIZE = 96
};

typedef struct descriptor {
    int fd;
    char link[LINK_SIZE]; /* cut */
} descriptor;

struct torc_test_descriptors {
    size_t count;
    descriptor items[COUNT_MAX];
};

static void read_link(int fd, descriptor *to) {
    char path[40];

    to->fd = fd;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    const ssize_t len = readlink(path, to->link, sizeof(to->link) - 1);
    to->link[len > 0 ? len : 0] = '\0';
}

torc_test_descriptors *torc_test_descriptors_look(void) {
    torc_test_descriptors *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self));
    DIR *folder = self ? opendir("/proc/self/fd") : NULL;
    const struct dirent *entry;

    if (!folder) {
        torc_dealloc(NULL, self);
        return NULL;
    }
    while ((entry = readdir(folder)) != NULL && self->count < COUNT_MAX) {
        const long fd = strtol(entry->d_name, NULL, 10);
        if (entry->d_name[0] == '.' || fd == dirfd(folder)) continue;
        read_link((int)fd, &self->items[self->count++]);
    }
    closedir(folder);
    return self;
}

static bool has(const torc_test_descriptors *self, const descriptor *wanted) {
    for (size_t i = 0; i < self->count; i++)
        if (self->items[i].fd == wanted->fd && strcmp(self->items[i].link, wanted->link) == 0)
            return true;
    return false;
}

size_t torc_test_descriptors_add_new(const torc_test_descriptors *before, torc_buf *text) {
    torc_test_descriptors *now = torc_test_descriptors_look();
    size_t count = 0;

    for (size_t i = 0; now && before && i < now->count; i++) {
        if (before->count == COUNT_MAX || has(before, &now->items[i])) continue;
        torc_buf_addf(text, "\n    descriptor: %d, not closed, %s", now->items[i].fd,
                      now->items[i].link);
        count++;
    }
    torc_test_descriptors_free(now);
    return count;
}

void torc_test_descriptors_free(torc_test_descriptors *self) {
    torc_dealloc(NULL, self);
}
