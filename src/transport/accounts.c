/* SPDX-License-Identifier: MIT */
/*
 * Accounts by address.
 *
 *  - An account that is not used and may be forgotten goes at once; one that may not yet stays
 *    until the table is full, and all are looked at: once a second at most, so that it cannot be
 *    made to cost.
 */
#include "transport/accounts.h"

#include <string.h>

#include "base/alloc.h"

enum {
    SWEEP_MS = 1000
};

void torc_accounts_init(torc_accounts *accounts, torc_memory *memory, size_t account_size,
                        size_t max) {
    *accounts = (torc_accounts){.account_size = account_size, .max = max};
    torc_map_init(&accounts->map, memory, TORC_MEMORY_CONNECTION, false);
}

void torc_accounts_dispose(torc_accounts *accounts) {
    size_t place = 0;
    void *account;

    while ((account = torc_map_next(&accounts->map, &place, NULL)) != NULL)
        torc_dealloc(accounts->map.memory, account);
    torc_map_dispose(&accounts->map);
}

static torc_str key_of(const torc_addr *addr) {
    const char *const v6 = (const char *)&addr->as.in6.sin6_addr;

    switch (torc_addr_family(addr)) {
    case AF_INET:
        return torc_str_make((const char *)&addr->as.in.sin_addr, 4);
    case AF_INET6:
        return IN6_IS_ADDR_V4MAPPED(&addr->as.in6.sin6_addr) ? torc_str_make(v6 + 12, 4)
                                                             : torc_str_make(v6, 8);
    default:
        return torc_str_make(NULL, 0);
    }
}

static bool may_go(const torc_accounts *accounts, torc_account *account) {
    return account->users == 0 &&
           (!accounts->can_forget || accounts->can_forget(account, accounts->context));
}

static void forget(torc_accounts *accounts, torc_account *account) {
    torc_map_remove(&accounts->map, torc_str_make(account->key, account->key_len));
    torc_dealloc(accounts->map.memory, account);
}

/* Make room, if any is to be had. */
static void sweep(torc_accounts *accounts, uint64_t now_ms) {
    size_t place = 0;
    torc_account *account;

    if (now_ms < accounts->next_sweep_ms) return;
    accounts->next_sweep_ms = now_ms + SWEEP_MS;
    while ((account = torc_map_next(&accounts->map, &place, NULL)) != NULL)
        if (may_go(accounts, account)) {
            forget(accounts, account);
            if (place > 0) place--; /* what stood behind it may have moved to its place */
        }
}

static torc_err add(torc_accounts *accounts, torc_str key, uint64_t now_ms,
                    torc_account **account) {
    torc_account *made;

    if (torc_map_count(&accounts->map) >= accounts->max) sweep(accounts, now_ms);
    if (torc_map_count(&accounts->map) >= accounts->max) return TORC_ERR_LIMIT;
    made = torc_alloc_zero(accounts->map.memory, TORC_MEMORY_CONNECTION, 1, accounts->account_size);
    if (!made) return TORC_ERR_NO_MEMORY;
    made->key_len = (uint8_t)key.len;
    memcpy(made->key, key.bytes, key.len);
    if (torc_map_set(&accounts->map, torc_str_make(made->key, key.len), made)) {
        torc_dealloc(accounts->map.memory, made);
        return TORC_ERR_NO_MEMORY;
    }
    *account = made;
    return TORC_OK;
}

torc_err torc_accounts_use(torc_accounts *accounts, const torc_addr *addr, uint64_t now_ms,
                           torc_account **account) {
    const torc_str key = key_of(addr);
    torc_account *found;

    *account = NULL;
    if (key.len == 0) return TORC_OK;
    found = torc_map_find(&accounts->map, key);
    if (!found) {
        const torc_err err = add(accounts, key, now_ms, &found);
        if (err) return err;
    }
    found->users++;
    *account = found;
    return TORC_OK;
}

void torc_accounts_let_go(torc_accounts *accounts, torc_account *account) {
    if (!account) return;
    account->users--;
    if (may_go(accounts, account)) forget(accounts, account);
}
