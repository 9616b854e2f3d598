/* SPDX-License-Identifier: MIT */
/*
 * Middlewares that could not be made as they were to be.
 */
#include "web/middleware_new.h"

#include <stdio.h>

#include "base/alloc.h"

typedef struct refused {
    torc_middleware base;
    char text[220];
} refused;

static void dispose(torc_middleware *middleware) {
    torc_dealloc(NULL, torc_container_of(middleware, refused, base));
}

static const torc_middleware_ops refused_ops = {.dispose = dispose};

torc_middleware *torc_middleware_refused(const char *what, const char *why) {
    refused *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (!self) return NULL;
    self->base.ops = &refused_ops;
    snprintf(self->text, sizeof(self->text), "%s: %s", what, why);
    return &self->base;
}

const char *torc_middleware_refusal(const torc_middleware *middleware) {
    if (middleware->ops != &refused_ops) return NULL;
    return torc_container_of((torc_middleware *)(uintptr_t)middleware, refused, base)->text;
}
