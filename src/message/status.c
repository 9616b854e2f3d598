/* SPDX-License-Identifier: MIT */
/*
 * Status codes and their phrases, as registered by IANA.
 */
#include <torc/status.h>

typedef struct phrase {
    int status;
    torc_str text;
} phrase;

static const phrase phrases[] = {
    {100, TORC_STR_INIT("Continue")},
    {101, TORC_STR_INIT("Switching Protocols")},
    {102, TORC_STR_INIT("Processing")},
    {103, TORC_STR_INIT("Early Hints")},
    {200, TORC_STR_INIT("OK")},
    {201, TORC_STR_INIT("Created")},
    {202, TORC_STR_INIT("Accepted")},
    {203, TORC_STR_INIT("Non-Authoritative Information")},
    {204, TORC_STR_INIT("No Content")},
    {205, TORC_STR_INIT("Reset Content")},
    {206, TORC_STR_INIT("Partial Content")},
    {207, TORC_STR_INIT("Multi-Status")},
    {208, TORC_STR_INIT("Already Reported")},
    {226, TORC_STR_INIT("IM Used")},
    {300, TORC_STR_INIT("Multiple Choices")},
    {301, TORC_STR_INIT("Moved Permanently")},
    {302, TORC_STR_INIT("Found")},
    {303, TORC_STR_INIT("See Other")},
    {304, TORC_STR_INIT("Not Modified")},
    {305, TORC_STR_INIT("Use Proxy")},
    {307, TORC_STR_INIT("Temporary Redirect")},
    {308, TORC_STR_INIT("Permanent Redirect")},
    {400, TORC_STR_INIT("Bad Request")},
    {401, TORC_STR_INIT("Unauthorized")},
    {402, TORC_STR_INIT("Payment Required")},
    {403, TORC_STR_INIT("Forbidden")},
    {404, TORC_STR_INIT("Not Found")},
    {405, TORC_STR_INIT("Method Not Allowed")},
    {406, TORC_STR_INIT("Not Acceptable")},
    {407, TORC_STR_INIT("Proxy Authentication Required")},
    {408, TORC_STR_INIT("Request Timeout")},
    {409, TORC_STR_INIT("Conflict")},
    {410, TORC_STR_INIT("Gone")},
    {411, TORC_STR_INIT("Length Required")},
    {412, TORC_STR_INIT("Precondition Failed")},
    {413, TORC_STR_INIT("Content Too Large")},
    {414, TORC_STR_INIT("URI Too Long")},
    {415, TORC_STR_INIT("Unsupported Media Type")},
    {416, TORC_STR_INIT("Range Not Satisfiable")},
    {417, TORC_STR_INIT("Expectation Failed")},
    {418, TORC_STR_INIT("I'm a teapot")},
    {421, TORC_STR_INIT("Misdirected Request")},
    {422, TORC_STR_INIT("Unprocessable Content")},
    {423, TORC_STR_INIT("Locked")},
    {424, TORC_STR_INIT("Failed Dependency")},
    {425, TORC_STR_INIT("Too Early")},
    {426, TORC_STR_INIT("Upgrade Required")},
    {428, TORC_STR_INIT("Precondition Required")},
    {429, TORC_STR_INIT("Too Many Requests")},
    {431, TORC_STR_INIT("Request Header Fields Too Large")},
    {451, TORC_STR_INIT("Unavailable For Legal Reasons")},
    {500, TORC_STR_INIT("Internal Server Error")},
    {501, TORC_STR_INIT("Not Implemented")},
    {502, TORC_STR_INIT("Bad Gateway")},
    {503, TORC_STR_INIT("Service Unavailable")},
    {504, TORC_STR_INIT("Gateway Timeout")},
    {505, TORC_STR_INIT("HTTP Version Not Supported")},
    {506, TORC_STR_INIT("Variant Also Negotiates")},
    {507, TORC_STR_INIT("Insufficient Storage")},
    {508, TORC_STR_INIT("Loop Detected")},
    {511, TORC_STR_INIT("Network Authentication Required")},
};

torc_str torc_status_phrase(int status) {
    size_t low = 0, high = TORC_COUNT_OF(phrases);

    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (phrases[middle].status == status) return phrases[middle].text;
        if (phrases[middle].status < status)
            low = middle + 1;
        else
            high = middle;
    }
    return torc_str_make("", 0);
}

bool torc_status_is_bodiless(int status) {
    return (status >= 100 && status < 200) || status == 204 || status == 304;
}
