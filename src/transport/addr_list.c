/* SPDX-License-Identifier: MIT */
/*
 * Lists of addresses: one allocation, which knows where it came from.
 */
#include <torc/names.h>

static size_t size_of(size_t count) {
    return sizeof(torc_addr_list) + count * sizeof(torc_addr);
}

torc_addr_list *torc_addr_list_new(torc_reactor *reactor, const torc_addr *addrs, size_t count) {
    torc_memory *memory = torc_reactor_memory(reactor);
    torc_addr_list *list = torc_alloc(memory, TORC_MEMORY_OTHER, size_of(count));

    if (!list) return NULL;
    *list = (torc_addr_list){
        .count = count, .addrs = (torc_addr *)(void *)(list + 1), .memory = memory};
    memcpy(list->addrs, addrs, count * sizeof(*addrs));
    return list;
}

void torc_addr_list_free(void *list) {
    if (list) torc_dealloc(((torc_addr_list *)list)->memory, list);
}

/* The place of the next address from `from` on that is of this family or, if not, of another. */
static size_t next_of(const torc_addr_list *list, size_t from, int family, bool is_of) {
    while (from < list->count && (torc_addr_family(&list->addrs[from]) == family) != is_of) from++;
    return from;
}

void torc_addr_list_interleave(torc_addr_list *list) {
    const int first = torc_addr_family(&list->addrs[0]);

    /* Bring forward what is wanted next, so that the rest keeps its order. */
    for (size_t i = 1; i < list->count; i++) {
        const size_t at = next_of(list, i, first, i % 2 == 0);
        if (at == list->count) return;
        const torc_addr addr = list->addrs[at];
        memmove(&list->addrs[i + 1], &list->addrs[i], (at - i) * sizeof(addr));
        list->addrs[i] = addr;
    }
}
