/* SPDX-License-Identifier: MIT */
/*
 * Random bytes: getrandom(), which never gives what can be guessed.
 *
 *  - Of a batch, the bytes before those that are left are 0: what was given is not there any more.
 */
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <torc/digest.h>
#include <torc/random.h>

torc_err torc_random_bytes(void *bytes, size_t len) {
    size_t got = 0;

    while (got < len) {
        const ssize_t more = getrandom((char *)bytes + got, len - got, 0);
        if (more > 0) {
            got += (size_t)more;
        } else if (errno != EINTR) {
            memset(bytes, 0, len);
            return TORC_ERR_SYSTEM;
        }
    }
    return TORC_OK;
}

torc_err torc_random_take(torc_random *random, void *bytes, size_t len) {
    if (len > TORC_RANDOM_BATCH / 4) return torc_random_bytes(bytes, len);

    if (random->left < len) {
        const torc_err err = torc_random_bytes(random->bytes, TORC_RANDOM_BATCH);
        random->left = err ? 0 : TORC_RANDOM_BATCH;
        if (err) {
            memset(bytes, 0, len);
            return err;
        }
    }
    unsigned char *const next = random->bytes + TORC_RANDOM_BATCH - random->left;
    memcpy(bytes, next, len);
    torc_secret_wipe(next, len);
    random->left -= len;
    return TORC_OK;
}
