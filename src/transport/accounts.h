/* SPDX-License-Identifier: MIT */
#ifndef TORC_TRANSPORT_ACCOUNTS_H
#define TORC_TRANSPORT_ACCOUNTS_H

#include <torc/addr.h>

#include "base/map.h"

/*
 * What is counted by the peer's address: IPv4 whole (also where it is mapped into IPv6), IPv6 by
 * /64, since a site has that many for the asking. Peers without an address of IP have no account.
 *
 * An account is embedded, as the first member, in what its owner keeps for an address.
 */
typedef struct torc_account {
    uint32_t users; /* connections that have it */
    uint8_t key_len;
    char key[8];
} torc_account;

typedef struct torc_accounts {
    torc_map map;
    size_t account_size;
    size_t max; /* addresses */
    uint64_t next_sweep_ms;
    /* Whether an account that nobody uses may be forgotten. NULL: always. */
    bool (*can_forget)(torc_account *account, void *context);
    void *context;
} torc_accounts;

void torc_accounts_init(torc_accounts *accounts, torc_memory *memory, size_t account_size,
                        size_t max);
/* Nobody uses an account any more. */
void torc_accounts_dispose(torc_accounts *accounts);
/*
 * Use the account of an address, a new one as zeros (`users` is 1 then). `*account` is NULL when
 * the address has none. TORC_ERR_LIMIT: there are too many that cannot be forgotten.
 */
torc_err torc_accounts_use(torc_accounts *accounts, const torc_addr *addr, uint64_t now_ms,
                           torc_account **account) TORC_MUST_CHECK;
/* Use it no more. NULL is fine. */
void torc_accounts_let_go(torc_accounts *accounts, torc_account *account);

#endif
