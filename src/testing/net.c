/* SPDX-License-Identifier: MIT */
/*
 * A network for tests, over abstract UNIX sockets of both kinds.
 *
 *  - Each end of the network has a name in the kernel that nobody else can mean: of this process,
 *    this network, and a number. From the name follows the record, and from that the address.
 *  - Records stay until the reactor goes.
 *  - What it needs memory for is not the reactor's.
 */
#include <torc/testing_net.h>

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/list.h"
#include "testing/reactor.h"
#include "transport/net.h"

enum {
    FIRST_PORT = 49152 /* of those that are chosen */
};

typedef struct listening {
    torc_list_node node;
    torc_test_listening told;
    unsigned number;
    bool is_shared; /* others may listen there, too */
} listening;

typedef struct connecting {
    torc_list_node node;
    torc_test_connecting told;
    unsigned number;
    int silent_fd; /* the end of a socket that says nothing; -1: none */
} connecting;

/* A port for datagrams, or who has sent one from elsewhere. */
typedef struct bound {
    torc_list_node node;
    torc_addr addr;
    unsigned number;
    bool is_open; /* it is a port, and still there */
} bound;

typedef struct datagram {
    torc_list_node node;
    torc_test_datagram told;
    char bytes[];
} datagram;

typedef struct rule {
    torc_list_node node;
    bool is_of_connects, is_of_any;
    torc_addr addr;
    torc_err err;
} rule;

struct torc_test_net {
    torc_net base;
    torc_reactor_guest guest;
    torc_list listenings, connectings, bounds, datagrams;
    torc_list rules; /* the newest first */
    unsigned count;  /* of names */
    uint16_t next_port;
};

static torc_test_net *self_of(torc_net *net) {
    return torc_container_of(net, torc_test_net, base);
}

/* ---- names in the kernel ---- */

static void name_of(const torc_test_net *self, unsigned number, torc_addr *addr) {
    char name[80];
    const int len = snprintf(name, sizeof(name), "@torc-net-%d-%p-%u", (int)getpid(),
                             (const void *)self, number);

    /* It is short enough, and has no NUL. */
    (void)!torc_addr_parse_unix(torc_str_make(name, (size_t)len), addr);
}

static bool has_name(const torc_test_net *self, unsigned number, const torc_addr *addr) {
    torc_addr own;

    name_of(self, number, &own);
    return torc_addr_equals(&own, addr);
}

static void disguise(torc_net *net, torc_addr *addr) {
    const torc_test_net *self = self_of(net);

    if (torc_addr_family(addr) != AF_UNIX) return;
    for (torc_list_node *at = torc_list_first(&self->listenings); at;
         at = torc_list_next(&self->listenings, at)) {
        const listening *it = torc_container_of(at, listening, node);
        if (!has_name(self, it->number, addr)) continue;
        *addr = it->told.addr;
        return;
    }
    for (torc_list_node *at = torc_list_first(&self->connectings); at;
         at = torc_list_next(&self->connectings, at)) {
        const connecting *it = torc_container_of(at, connecting, node);
        if (!has_name(self, it->number, addr)) continue;
        *addr = it->told.local;
        return;
    }
    for (torc_list_node *at = torc_list_first(&self->bounds); at;
         at = torc_list_next(&self->bounds, at)) {
        const bound *it = torc_container_of(at, bound, node);
        if (!has_name(self, it->number, addr)) continue;
        *addr = it->addr;
        return;
    }
}

/* ---- addresses ---- */

static void set_port(torc_addr *addr, uint16_t port) {
    if (torc_addr_family(addr) == AF_INET) addr->as.in.sin_port = htons(port);
    if (torc_addr_family(addr) == AF_INET6) addr->as.in6.sin6_port = htons(port);
}

/* All addresses of a family, or of both. */
static bool is_wild(const torc_addr *addr, int family) {
    static const struct in6_addr any = IN6ADDR_ANY_INIT;

    if (torc_addr_family(addr) == AF_INET)
        return family == AF_INET && addr->as.in.sin_addr.s_addr == htonl(INADDR_ANY);
    return torc_addr_family(addr) == AF_INET6 &&
           memcmp(&addr->as.in6.sin6_addr, &any, sizeof(any)) == 0;
}

static listening *find(const torc_test_net *self, const torc_addr *addr, bool is_exact) {
    for (torc_list_node *at = torc_list_first(&self->listenings); at;
         at = torc_list_next(&self->listenings, at)) {
        listening *it = torc_container_of(at, listening, node);
        if (!it->told.is_open) continue;
        if (torc_addr_equals(&it->told.addr, addr)) return it;
        if (!is_exact && torc_addr_family(addr) != AF_UNIX &&
            torc_addr_port(&it->told.addr) == torc_addr_port(addr) &&
            is_wild(&it->told.addr, torc_addr_family(addr)))
            return it;
    }
    return NULL;
}

static torc_err rule_for(const torc_test_net *self, bool is_of_connects, const torc_addr *addr) {
    for (torc_list_node *at = torc_list_first(&self->rules); at;
         at = torc_list_next(&self->rules, at)) {
        const rule *it = torc_container_of(at, rule, node);
        if (it->is_of_connects != is_of_connects) continue;
        if (it->is_of_any || torc_addr_equals(&it->addr, addr)) return it->err;
    }
    return TORC_OK;
}

/* ---- listening ---- */

static torc_err listen_in(torc_net *net, torc_factory *factory, const torc_endpoint *endpoint,
                          torc_addr *addr, torc_addr *where) {
    torc_test_net *self = self_of(net);
    const bool is_shared = endpoint->share_port || endpoint->reuse_port;
    torc_err err = rule_for(self, false, addr);

    if (err) return err;
    if (torc_addr_port(addr) == 0) set_port(addr, self->next_port++);
    const listening *there = find(self, addr, true);
    if (there && !(is_shared && there->is_shared)) return TORC_ERR_ADDRESS_IN_USE;
    listening *it = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*it));
    if (!it) return TORC_ERR_NO_MEMORY;
    it->told = (torc_test_listening){*addr, endpoint->backlog, factory, true};
    it->number = self->count++;
    it->is_shared = is_shared;
    torc_list_push(&self->listenings, &it->node);
    name_of(self, it->number, where);
    return TORC_OK;
}

static void unlisten(torc_net *net, const torc_addr *addr) {
    listening *it = find(self_of(net), addr, true);
    if (it) it->told.is_open = false;
}

/* ---- connecting ---- */

/* Where a client seems to be that does not say: on the machine itself. */
static torc_addr some_local(torc_test_net *self, const torc_addr *addr) {
    torc_addr local = {0};

    if (torc_addr_family(addr) == AF_INET)
        (void)!torc_addr_parse(TORC_STR("127.0.0.1"), self->next_port++, &local);
    else if (torc_addr_family(addr) == AF_INET6)
        (void)!torc_addr_parse(TORC_STR("::1"), self->next_port++, &local);
    return local;
}

/* What comes of it, by the rules and by who listens. */
static torc_err outcome_of(const torc_test_net *self, const torc_addr *addr) {
    const torc_err err = rule_for(self, true, addr);

    if (err || find(self, addr, false)) return err;
    return torc_addr_family(addr) == AF_UNIX ? TORC_ERR_NOT_FOUND : TORC_ERR_REFUSED;
}

static connecting *record(torc_test_net *self, torc_factory *factory, const torc_addr *addr,
                          const torc_addr *local, torc_err err) {
    connecting *it = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*it));

    if (!it) return NULL;
    it->number = self->count++;
    it->silent_fd = -1;
    it->told = (torc_test_connecting){*addr, local->len ? *local : some_local(self, addr), factory,
                                      err == TORC_ERR_TIMEOUT ? TORC_OK : err};
    if (local->len && torc_addr_port(local) == 0) set_port(&it->told.local, self->next_port++);
    torc_list_push(&self->connectings, &it->node);
    return it;
}

static torc_err open_silent(connecting *it, int *fd) {
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds))
        return torc_err_from_errno(errno);
    it->silent_fd = fds[0];
    *fd = fds[1];
    return TORC_OK;
}

static torc_err connect_in(torc_net *net, torc_factory *factory, torc_addr *addr, torc_addr *local,
                           int *fd) {
    torc_test_net *self = self_of(net);
    const torc_err err = outcome_of(self, addr);
    connecting *it = record(self, factory, addr, local, err);

    if (!it) return TORC_ERR_NO_MEMORY;
    if (err && err != TORC_ERR_TIMEOUT) return err;
    name_of(self, it->number, local);
    if (err) {
        *addr = *local; /* of the family of the socket */
        return open_silent(it, fd);
    }
    name_of(self, find(self, addr, false)->number, addr);
    return TORC_OK;
}

/* ---- datagrams ---- */

static bound *find_bound(const torc_test_net *self, const torc_addr *addr, bool is_exact) {
    for (torc_list_node *at = torc_list_first(&self->bounds); at;
         at = torc_list_next(&self->bounds, at)) {
        bound *it = torc_container_of(at, bound, node);
        if (!it->is_open) continue;
        if (torc_addr_equals(&it->addr, addr)) return it;
        if (!is_exact && torc_addr_family(addr) != AF_UNIX &&
            torc_addr_port(&it->addr) == torc_addr_port(addr) &&
            is_wild(&it->addr, torc_addr_family(addr)))
            return it;
    }
    return NULL;
}

/* A socket with a name that stands for an address. */
static torc_err open_bound(torc_test_net *self, const torc_addr *addr, bool is_port, int *fd) {
    bound *it = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*it));
    torc_addr name;

    if (!it) return TORC_ERR_NO_MEMORY;
    *it = (bound){.addr = *addr, .number = self->count++, .is_open = is_port};
    name_of(self, it->number, &name);
    *fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (*fd < 0 || bind(*fd, &name.as.any, name.len)) {
        const torc_err err = torc_err_from_errno(errno);
        if (*fd >= 0) close(*fd);
        torc_dealloc(NULL, it);
        return err;
    }
    torc_list_push(&self->bounds, &it->node);
    return TORC_OK;
}

static torc_err bind_in(torc_net *net, torc_addr *addr, int *fd) {
    torc_test_net *self = self_of(net);
    const torc_err err = rule_for(self, false, addr);

    if (err) return err;
    if (torc_addr_port(addr) == 0) set_port(addr, self->next_port++);
    if (find_bound(self, addr, true)) return TORC_ERR_ADDRESS_IN_USE;
    return open_bound(self, addr, true, fd);
}

static void unbind(torc_net *net, const torc_addr *addr) {
    bound *it = find_bound(self_of(net), addr, true);
    if (it) it->is_open = false;
}

static bool record_datagram(torc_test_net *self, const torc_addr *from, const torc_addr *to,
                            const struct msghdr *message) {
    const size_t len = message->msg_iov->iov_len;
    datagram *it = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*it) + len);

    if (!it) return false;
    if (len) memcpy(it->bytes, message->msg_iov->iov_base, len);
    it->told = (torc_test_datagram){*from, *to, torc_str_make(it->bytes, len)};
    torc_list_push(&self->datagrams, &it->node);
    return true;
}

static bool give_to(const torc_test_net *self, int fd, const bound *there, const void *bytes,
                    size_t len) {
    torc_addr name;

    name_of(self, there->number, &name);
    return sendto(fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL, &name.as.any, name.len) >= 0;
}

/* What nobody has room for, or nobody is there for, is lost, as datagrams are. */
static int send_in(torc_net *net, int fd, const torc_addr *from, const torc_addr *peer,
                   const struct mmsghdr *messages, unsigned count) {
    torc_test_net *self = self_of(net);

    for (unsigned i = 0; i < count; i++) {
        const struct msghdr *message = &messages[i].msg_hdr;
        torc_addr to = *peer;
        if (message->msg_name) {
            to.len = message->msg_namelen;
            memcpy(&to.as, message->msg_name, message->msg_namelen);
        }
        if (!record_datagram(self, from, &to, message)) {
            errno = ENOMEM;
            return i ? (int)i : -1;
        }
        const bound *there = find_bound(self, &to, false);
        if (there)
            (void)give_to(self, fd, there, message->msg_iov->iov_base, message->msg_iov->iov_len);
    }
    return (int)count;
}

torc_err torc_test_net_send(torc_test_net *self, const char *from, const char *to, torc_str bytes) {
    torc_addr source, target;
    torc_err err = torc_addr_parse_text(torc_str_of(from), &source);
    int fd;

    if (!err) err = torc_addr_parse_text(torc_str_of(to), &target);
    if (err) return err;
    const bound *there = find_bound(self, &target, false);
    if (!there) return TORC_ERR_REFUSED;
    err = open_bound(self, &source, false, &fd);
    if (err) return err;
    if (!give_to(self, fd, there, bytes.bytes, bytes.len)) err = torc_err_from_errno(errno);
    close(fd);
    return err;
}

/* ---- what the test says and asks ---- */

static torc_err add_rule(torc_test_net *self, bool is_of_connects, const char *addr,
                         torc_err failure) {
    rule *it = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*it));
    torc_err err = TORC_OK;

    if (!it) return TORC_ERR_NO_MEMORY;
    it->is_of_connects = is_of_connects;
    it->is_of_any = !addr;
    it->err = failure;
    if (addr) err = torc_addr_parse_text(torc_str_of(addr), &it->addr);
    if (err)
        torc_dealloc(NULL, it);
    else
        torc_list_push_front(&self->rules, &it->node);
    return err;
}

torc_err torc_test_net_fail_listen(torc_test_net *self, const char *addr, torc_err err) {
    return add_rule(self, false, addr, err);
}

torc_err torc_test_net_fail_connect(torc_test_net *self, const char *addr, torc_err err) {
    return add_rule(self, true, addr, err);
}

bool torc_test_net_is_listening(const torc_test_net *self, const char *addr) {
    torc_addr parsed;
    return !torc_addr_parse_text(torc_str_of(addr), &parsed) && find(self, &parsed, true);
}

static size_t count_of(const torc_list *list) {
    size_t count = 0;

    for (torc_list_node *at = torc_list_first(list); at; at = torc_list_next(list, at)) count++;
    return count;
}

static torc_list_node *nth(const torc_list *list, size_t n) {
    torc_list_node *at = torc_list_first(list);

    while (at && n-- > 0) at = torc_list_next(list, at);
    assert(at);
    return at;
}

size_t torc_test_net_listen_count(const torc_test_net *self) {
    return count_of(&self->listenings);
}

const torc_test_listening *torc_test_net_listening(const torc_test_net *self, size_t n) {
    return &torc_container_of(nth(&self->listenings, n), listening, node)->told;
}

size_t torc_test_net_connect_count(const torc_test_net *self) {
    return count_of(&self->connectings);
}

const torc_test_connecting *torc_test_net_connecting(const torc_test_net *self, size_t n) {
    return &torc_container_of(nth(&self->connectings, n), connecting, node)->told;
}

size_t torc_test_net_datagram_count(const torc_test_net *self) {
    return count_of(&self->datagrams);
}

const torc_test_datagram *torc_test_net_datagram(const torc_test_net *self, size_t n) {
    return &torc_container_of(nth(&self->datagrams, n), datagram, node)->told;
}

/* ---- its life ---- */

static void reactor_freed(torc_reactor_guest *guest, torc_reactor *reactor) {
    torc_test_net *self = torc_container_of(guest, torc_test_net, guest);
    torc_list_node *at;

    reactor->net = NULL;
    while ((at = torc_list_pop(&self->listenings)) != NULL)
        torc_dealloc(NULL, torc_container_of(at, listening, node));
    while ((at = torc_list_pop(&self->connectings)) != NULL) {
        connecting *it = torc_container_of(at, connecting, node);
        if (it->silent_fd >= 0) close(it->silent_fd);
        torc_dealloc(NULL, it);
    }
    while ((at = torc_list_pop(&self->bounds)) != NULL)
        torc_dealloc(NULL, torc_container_of(at, bound, node));
    while ((at = torc_list_pop(&self->datagrams)) != NULL)
        torc_dealloc(NULL, torc_container_of(at, datagram, node));
    while ((at = torc_list_pop(&self->rules)) != NULL)
        torc_dealloc(NULL, torc_container_of(at, rule, node));
    torc_dealloc(NULL, self);
}

torc_err torc_test_net_new(torc_reactor *reactor, torc_test_net **net) {
    torc_test_net *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (!self) return TORC_ERR_NO_MEMORY;
    self->base = (torc_net){listen_in, unlisten, connect_in, bind_in, unbind, send_in, disguise};
    self->next_port = FIRST_PORT;
    torc_list_init(&self->listenings);
    torc_list_init(&self->connectings);
    torc_list_init(&self->bounds);
    torc_list_init(&self->datagrams);
    torc_list_init(&self->rules);
    self->guest.reactor_freed = reactor_freed;
    torc_reactor_add_guest(reactor, &self->guest);
    reactor->net = &self->base;
    *net = self;
    return TORC_OK;
}
