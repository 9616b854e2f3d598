/* SPDX-License-Identifier: MIT */
/*
 * Names and texts of errors, and what stands for the values of errno.
 *
 *  - Everything comes from TORC_ERR_TABLE; a code from outside the table is named, not refused.
 */
#include <errno.h>
#include <torc/err.h>

const char *torc_err_text(torc_err err) {
    switch (err) {
    case TORC_OK:
        return "no error";
#define TEXT_CASE(name, number, text)                                                              \
    case TORC_ERR_##name:                                                                          \
        return text;
        TORC_ERR_TABLE(TEXT_CASE)
#undef TEXT_CASE
    }
    return "an unknown error";
}

const char *torc_err_name(torc_err err) {
    switch (err) {
    case TORC_OK:
        return "OK";
#define NAME_CASE(name, number, text)                                                              \
    case TORC_ERR_##name:                                                                          \
        return #name;
        TORC_ERR_TABLE(NAME_CASE)
#undef NAME_CASE
    }
    return "UNKNOWN";
}

static const struct {
    int number;
    torc_err err;
} from_errno[] = {
    {EAGAIN, TORC_ERR_AGAIN},
    {ENOMEM, TORC_ERR_NO_MEMORY},
    {ENOBUFS, TORC_ERR_NO_MEMORY},
    {EINVAL, TORC_ERR_INVALID},
    {EBADF, TORC_ERR_INVALID},
    {ENAMETOOLONG, TORC_ERR_INVALID},
    {ELOOP, TORC_ERR_INVALID},
    {EXDEV, TORC_ERR_INVALID},
    {ENOENT, TORC_ERR_NOT_FOUND},
    {ESRCH, TORC_ERR_NOT_FOUND},
    {ENXIO, TORC_ERR_NOT_FOUND},
    {EEXIST, TORC_ERR_EXISTS},
    {EACCES, TORC_ERR_PERMISSION},
    {EPERM, TORC_ERR_PERMISSION},
    {EROFS, TORC_ERR_PERMISSION},
    {EPIPE, TORC_ERR_LOST},
    {ENOTCONN, TORC_ERR_LOST},
    {ECONNRESET, TORC_ERR_RESET},
    {ECONNABORTED, TORC_ERR_ABORTED},
    {ECONNREFUSED, TORC_ERR_REFUSED},
    {ETIMEDOUT, TORC_ERR_TIMEOUT},
    {ETIME, TORC_ERR_TIMEOUT},
    {ECANCELED, TORC_ERR_CANCELLED},
    {EBUSY, TORC_ERR_BUSY},
    {ETXTBSY, TORC_ERR_BUSY},
    {EALREADY, TORC_ERR_BUSY},
    {EISCONN, TORC_ERR_STATE},
    {ENOSYS, TORC_ERR_UNSUPPORTED},
    {EOPNOTSUPP, TORC_ERR_UNSUPPORTED},
    {EAFNOSUPPORT, TORC_ERR_UNSUPPORTED},
    {EPROTONOSUPPORT, TORC_ERR_UNSUPPORTED},
    {EADDRINUSE, TORC_ERR_ADDRESS_IN_USE},
    {EADDRNOTAVAIL, TORC_ERR_ADDRESS_NOT_AVAILABLE},
    {EMFILE, TORC_ERR_FILE_TABLE_FULL},
    {ENFILE, TORC_ERR_FILE_TABLE_FULL},
    {EHOSTUNREACH, TORC_ERR_UNREACHABLE},
    {ENETUNREACH, TORC_ERR_UNREACHABLE},
    {ENETDOWN, TORC_ERR_UNREACHABLE},
    {EHOSTDOWN, TORC_ERR_UNREACHABLE},
    {EISDIR, TORC_ERR_IS_DIRECTORY},
    {ENOTEMPTY, TORC_ERR_BUSY},
    {ENOTDIR, TORC_ERR_NOT_DIRECTORY},
    {ENOSPC, TORC_ERR_NO_SPACE},
    {EDQUOT, TORC_ERR_NO_SPACE},
    {EFBIG, TORC_ERR_TOO_LARGE},
    {EMSGSIZE, TORC_ERR_TOO_LARGE},
    {EPROTO, TORC_ERR_PEER},
};

torc_err torc_err_from_errno(int number) {
    if (number == 0) return TORC_OK;

    for (size_t i = 0; i < TORC_COUNT_OF(from_errno); i++) {
        if (from_errno[i].number == number) return from_errno[i].err;
    }
    return TORC_ERR_SYSTEM;
}
