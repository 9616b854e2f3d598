/* SPDX-License-Identifier: MIT */
/*
 * Files that were found.
 *
 *  - The content is a chunk or an open file, whose one reference is this one's own; what is being
 * sent has others. The memory goes with the last of them.
 */
#include "web/found_file.h"

#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "http/request.h"

static void free_with_content(torc_chunk *content) {
    torc_found_file *self = torc_container_of(content, torc_found_file, content);
    torc_dealloc(self->memory, self);
}

static void free_with_file(torc_shared_file *file) {
    torc_found_file *self = torc_container_of(file, torc_found_file, file);

    if (file->fd >= 0) close(file->fd);
    torc_dealloc(self->memory, self);
}

torc_found_file *torc_found_file_new(torc_memory *memory, const struct stat *about, int fd) {
    torc_found_file *self = torc_alloc(memory, TORC_MEMORY_CACHE, sizeof(*self));

    if (!self) {
        if (fd >= 0) close(fd);
        return NULL;
    }
    self->refs = 1;
    self->kind = S_ISDIR(about->st_mode) ? TORC_FOUND_FOLDER : TORC_FOUND_FILE;
    self->about = *about;
    self->memory = memory;
    self->content = (torc_chunk){.refs = 1, .free = free_with_content};
    self->file = (torc_shared_file){.fd = fd, .refs = 1, .free = free_with_file};
    const int len =
        snprintf(self->etag_text, sizeof(self->etag_text), "\"%llx.%lx-%llx\"",
                 (unsigned long long)about->st_mtim.tv_sec, (unsigned long)about->st_mtim.tv_nsec,
                 (unsigned long long)about->st_size);
    self->etag = torc_str_make(self->etag_text, (size_t)len);
    return self;
}

torc_found_file *torc_found_file_ref(torc_found_file *self) {
    self->refs++;
    return self;
}

void torc_found_file_unref(torc_found_file *self) {
    if (!self || --self->refs > 0) return;
    if (self->content.bytes)
        torc_chunk_unref(&self->content);
    else
        torc_shared_file_unref(&self->file);
}

void torc_found_file_write(torc_found_file *self, torc_request *request, uint64_t first,
                           uint64_t len) {
    if (self->content.bytes)
        torc_request_write_chunk(request, &self->content, (size_t)first, (size_t)len);
    else
        torc_request_write_shared_file(request, &self->file, first, len);
}
