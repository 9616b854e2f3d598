/* SPDX-License-Identifier: MIT */
/*
 * Replaying a corpus: each file of the folders that are named is given to the target once, and
 * reported as a case of TAP. What goes wrong ends the program, behind the last case that went well.
 */
#include <dirent.h>

#include "fuzz.h"

static int count;

static void replay_file(const char *path, const char *name) {
    FILE *file = fopen(path, "rb");
    char *bytes = malloc(1 << 20);

    FUZZ_CHECK(file && bytes);
    const size_t len = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    uint8_t *const exact = (uint8_t *)fuzz_copy(torc_str_make(bytes, len));
    free(bytes);
    LLVMFuzzerTestOneInput(exact, len);
    free(exact);
    printf("ok %d - %s\n", ++count, name);
    fflush(stdout);
}

static void replay_folder(const char *folder) {
    struct dirent **entries;
    const int number = scandir(folder, &entries, NULL, alphasort);

    for (int i = 0; i < number; i++) {
        char path[4096];
        if (entries[i]->d_name[0] != '.') {
            snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
            replay_file(path, entries[i]->d_name);
        }
        free(entries[i]);
    }
    if (number >= 0) free(entries);
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) replay_folder(argv[i]);
    printf("1..%d\n", count);
    return count > 0 ? 0 : 1;
}
