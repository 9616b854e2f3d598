/* SPDX-License-Identifier: MIT */
/*
 * What the tests of compression need: long bodies, whole and written, events that wait for
 * another request, and what counts compressed requests. By the public API.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <torc/torc.h>

enum {
    LINE = 64
};

static unsigned told; /* how often /tell was asked for */

/* Lines of a number and of what does not get much shorter: the same for the same number. */
static void write_line(char line[LINE], unsigned number) {
    uint64_t random = number * 0x9e3779b97f4a7c15u + 1;
    int len = snprintf(line, LINE, "line %u: ", number);

    for (; len < LINE - 1; len++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        line[len] = "0123456789abcdefghijklmnopqrstuv"[random >> 59];
    }
    line[LINE - 1] = '\n';
}

static unsigned line_count(torc_request *request) {
    torc_str text = {0};
    uint64_t lines;

    if (!torc_request_arg(request, "lines", &text)) return 1000;
    return torc_str_parse_uint(text, 1000000, &lines) ? 1000 : (unsigned)lines;
}

static torc_render whole(torc_request *request) {
    const unsigned lines = line_count(request);
    char *bytes = malloc((size_t)lines * LINE + 1);

    if (!bytes) return torc_reply_error(request, TORC_ERR_NO_MEMORY);
    for (unsigned i = 0; i < lines; i++) write_line(bytes + (size_t)i * LINE, i);
    torc_reply_bytes(request, 200, "text/plain", torc_str_make(bytes, (size_t)lines * LINE));
    free(bytes);
    return TORC_RENDER_DONE;
}

static torc_render written(torc_request *request) {
    const unsigned lines = line_count(request);
    char line[LINE];

    torc_response_set(request, "Content-Type", TORC_STR("text/plain"));
    for (unsigned i = 0; i < lines; i++) {
        write_line(line, i);
        torc_request_write(request, torc_str_make(line, LINE));
    }
    return torc_reply_end(request);
}

/* Three events, of which the next waits for /tell; of another type they are flushed. */
static torc_render events(torc_request *request) {
    torc_str type = TORC_STR("text/event-stream");
    const unsigned first = told;
    char event[32];

    (void)torc_request_arg(request, "type", &type);
    torc_response_set(request, "Content-Type", type);
    for (unsigned i = 0; i < 3; i++) {
        const int len = snprintf(event, sizeof(event), "data: %u\n\n", i);
        torc_request_write(request, torc_str_make(event, (size_t)len));
        if (!torc_str_equals(type, TORC_STR("text/event-stream"))) torc_request_flush(request);
        while (told - first <= i)
            if (torc_sleep(torc_request_reactor(request), 5)) return torc_reply_end(request);
    }
    return torc_reply_end(request);
}

static torc_render tell(torc_request *request) {
    told++;
    return torc_reply_text(request, 200, "told");
}

/* How long the body is, decoded, and the sum of its bytes. */
static torc_render sum(torc_request *request) {
    uint64_t len = 0, total = 0;
    char line[64];
    torc_str chunk;
    torc_err err;

    torc_request_limits(request)->body_bytes_max = 1 << 30;
    while (!(err = torc_body_read(request, &chunk)) && chunk.len > 0) {
        len += chunk.len;
        for (size_t i = 0; i < chunk.len; i++) total += (unsigned char)chunk.bytes[i];
    }
    if (err) return torc_reply_error(request, err);
    snprintf(line, sizeof(line), "%llu %llu", (unsigned long long)len, (unsigned long long)total);
    return torc_reply_text(request, 200, line);
}

int main(int argc, char **argv) {
    torc_app *app = torc_app_new("compress_site");

    torc_app_use(app, torc_compress_new(NULL));
    torc_app_use(app, torc_decompress_new(NULL));
    torc_app_route(app, "PUT /sum", sum);
    torc_app_route(app, "GET /whole", whole);
    torc_app_route(app, "GET /written", written);
    torc_app_route(app, "GET /events", events);
    torc_app_route(app, "GET /tell", tell);
    return torc_app_run(app, argc, argv);
}
