/* SPDX-License-Identifier: MIT */
/*
 * Names of functions, by dladdr() and the symbol tables of ELF files.
 *
 *  - A file may be any file by now: every offset is checked against its size before it is used.
 */
#include "base/symbol.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct image {
    const char *bytes;
    size_t size;
} image;

/* A part of the file, or NULL. */
static const void *part(const image *file, uint64_t offset, uint64_t size) {
    return offset <= file->size && size <= file->size - offset ? file->bytes + offset : NULL;
}

static const ElfW(Shdr) * section(const image *file, const ElfW(Ehdr) * header, size_t index) {
    if (header->e_shentsize != sizeof(ElfW(Shdr)) || index >= header->e_shnum) return NULL;
    return part(file, header->e_shoff + index * sizeof(ElfW(Shdr)), sizeof(ElfW(Shdr)));
}

static const ElfW(Shdr) * find_symbols(const image *file, const ElfW(Ehdr) * header) {
    for (size_t i = 0; i < header->e_shnum; i++) {
        const ElfW(Shdr) *found = section(file, header, i);
        if (!found) return NULL;
        if (found->sh_type == SHT_SYMTAB) return found;
    }
    return NULL;
}

/* The function that holds `value`, or NULL. */
static const ElfW(Sym) * find_function(const ElfW(Sym) * symbols, size_t count, uint64_t value) {
    for (size_t i = 0; i < count; i++)
        if ((symbols[i].st_info & 0xf) == STT_FUNC && symbols[i].st_value <= value &&
            value - symbols[i].st_value < symbols[i].st_size)
            return &symbols[i];
    return NULL;
}

static bool name_from(const image *file, uint64_t address, uint64_t base, const char *program,
                      char text[TORC_SYMBOL_TEXT]) {
    const ElfW(Ehdr) *header = part(file, 0, sizeof(*header));

    if (!header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return false;
    const ElfW(Shdr) *table = find_symbols(file, header);
    const ElfW(Shdr) *names = table ? section(file, header, table->sh_link) : NULL;
    if (!names || table->sh_entsize != sizeof(ElfW(Sym))) return false;
    const ElfW(Sym) *symbols = part(file, table->sh_offset, table->sh_size);
    const char *strings = part(file, names->sh_offset, names->sh_size);
    if (!symbols || !strings) return false;
    const uint64_t value = header->e_type == ET_EXEC ? address : address - base;
    const ElfW(Sym) *found = find_function(symbols, table->sh_size / sizeof(ElfW(Sym)), value);
    if (!found || found->st_name >= names->sh_size) return false;
    const size_t most = names->sh_size - found->st_name;
    snprintf(text, TORC_SYMBOL_TEXT, "%.*s+0x%llx (%s)",
             (int)strnlen(strings + found->st_name, most), strings + found->st_name,
             (unsigned long long)(value - found->st_value), program);
    return true;
}

static bool name_from_file(const char *path, uint64_t address, uint64_t base, const char *program,
                           char text[TORC_SYMBOL_TEXT]) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    bool found = false;

    if (fd < 0) return false;
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0) {
        const image file = {
            .bytes = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0),
            .size = (size_t)info.st_size,
        };
        if (file.bytes != MAP_FAILED) {
            found = name_from(&file, address, base, program, text);
            munmap((void *)(uintptr_t)file.bytes, file.size);
        }
    }
    close(fd);
    return found;
}

void torc_symbol_text(const void *address, char text[TORC_SYMBOL_TEXT]) {
    const uint64_t at = (uintptr_t)address;
    Dl_info info;

    if (!dladdr(address, &info) || !info.dli_fname) {
        snprintf(text, TORC_SYMBOL_TEXT, "0x%llx", (unsigned long long)at);
        return;
    }
    const uint64_t base = (uintptr_t)info.dli_fbase;
    const char *slash = strrchr(info.dli_fname, '/');
    const char *program = slash ? slash + 1 : info.dli_fname;
    if (info.dli_sname)
        snprintf(text, TORC_SYMBOL_TEXT, "%s+0x%llx (%s)", info.dli_sname,
                 (unsigned long long)(at - (uintptr_t)info.dli_saddr), program);
    else if (!name_from_file(info.dli_fname, at, base, program, text) &&
             !name_from_file("/proc/self/exe", at, base, program, text))
        snprintf(text, TORC_SYMBOL_TEXT, "%s+0x%llx", program, (unsigned long long)(at - base));
}
