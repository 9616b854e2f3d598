/* SPDX-License-Identifier: MIT */
#ifndef TORC_DATAGRAM_H
#define TORC_DATAGRAM_H

#include <sys/types.h>
#include <torc/addr.h>
#include <torc/credentials.h>
#include <torc/deferred.h>

/**
 * Datagrams: UDP over IPv4 and IPv6, and those of UNIX sockets.
 *
 * A port is opened at an address, and told what comes there; what is sent through it is copied,
 * and leaves at the end of the turn: many datagrams in one system call, and those of one size to
 * one peer as one (UDP_SEGMENT), where the kernel can. As many are received by one call.
 *
 * Datagrams get lost, and nobody tells. What is told of one that was sent (nobody listens there, it
 * is too large, there is no way) is told by `failed`, later, if at all.
 *
 * A port belongs to the library from its opening to `closed`, and is used on its reactor's thread.
 */
typedef struct torc_datagram_port torc_datagram_port;

/** The mark of congestion in a packet's header (RFC 3168). */
typedef enum torc_ecn {
    TORC_ECN_NONE,
    TORC_ECN_ECT_1,
    TORC_ECN_ECT_0,
    TORC_ECN_CE /* a router on the way had too much to do */
} torc_ecn;

/** What was received; all of it is lent until the callback returns. */
typedef struct torc_datagram {
    torc_err err;    /* of torc_datagram_receive(): TORC_OK; else what is told of one that was
                        sent to `peer`, and the rest is 0 */
    torc_str bytes;  /* with `gro` perhaps several that follow each other */
    torc_addr peer;  /* who sent it; {0}: a UNIX socket without a name */
    torc_addr local; /* the address that it was sent to, with `packet_info`; else {0} */
    uint32_t interface_index;            /* where it came in, with `packet_info`; else 0 */
    uint32_t segment_size;               /* of each but the last in `bytes`; 0: it is one */
    torc_ecn ecn;                        /* with `ecn`; else TORC_ECN_NONE */
    int *fds;                            /* see torc_datagram_take_fd() */
    size_t fd_count;                     /* with `fds_max`; else 0 */
    const torc_credentials *credentials; /* who sent it, with `credentials`; else NULL */
} torc_datagram;

/** Who is told; embedded in a struct of its own kind. */
typedef struct torc_datagram_protocol torc_datagram_protocol;
typedef struct torc_datagram_protocol_ops {
    /** One came, or several with `gro`. */
    void (*datagram_received)(torc_datagram_protocol *protocol, const torc_datagram *datagram);
    /**
     * One that was sent to `to` (its family AF_UNSPEC: not known) has not arrived:
     * TORC_ERR_REFUSED, nobody has that port; TORC_ERR_TOO_LARGE; TORC_ERR_UNREACHABLE;
     * TORC_ERR_AGAIN, the UNIX socket there has no room; and what else the system says. The port
     * goes on. May be NULL.
     */
    void (*failed)(torc_datagram_protocol *protocol, torc_err err, const torc_addr *to);
    /** There is room again after torc_datagram_send() answered TORC_ERR_BUSY. May be NULL. */
    void (*drained)(torc_datagram_protocol *protocol);
    /** The last call, after torc_datagram_close() or when the reactor is freed. May be NULL. */
    void (*closed)(torc_datagram_protocol *protocol);
} torc_datagram_protocol_ops;

struct torc_datagram_protocol {
    const torc_datagram_protocol_ops *ops;
    torc_datagram_port *port; /* set when it is opened */
};

enum {
    TORC_DATAGRAM_RECEIVE_MAX = 8192,      /* bytes, by default */
    TORC_DATAGRAM_BYTES_MAX = 1024 * 1024, /* that wait to be sent, by default */
    TORC_DATAGRAM_COUNT_MAX = 4096,        /* the same of datagrams */
    TORC_DATAGRAM_RECEIVED_MAX = 128,      /* that wait for torc_datagram_receive(), by default */
    TORC_DATAGRAM_FDS_MAX = 16             /* that go with one */
};

/** How a port is opened. `size` first; zero means the default. */
typedef struct torc_datagram_options {
    size_t size;          /* sizeof(torc_datagram_options) */
    uint32_t receive_max; /* bytes of a datagram, 65536 at most; a longer one is dropped and
                             counted. The smaller, the more come by one call */
    size_t bytes_max;     /* waiting to be sent */
    size_t count_max;     /* the same in datagrams */
    size_t received_max;  /* without a protocol: so many wait to be taken; what comes meanwhile
                             stays in the kernel, as far as that has room */
    int receive_buffer;   /* SO_RCVBUF and SO_SNDBUF in bytes */
    int send_buffer;
    int ttl;            /* of what goes to one peer; 0: the system's */
    uint32_t fds_max;   /* descriptors taken with one, TORC_DATAGRAM_FDS_MAX at most; 0: none */
    mode_t unix_mode;   /* of a UNIX socket's file; 0: by the umask */
    bool gro;           /* let the kernel join what comes from one peer */
    bool no_gso;        /* do not let it cut what goes to one */
    bool ecn;           /* tell of ECN */
    bool packet_info;   /* tell the address and interface that each came to */
    bool credentials;   /* tell who sent it (UNIX) */
    bool reuse_addr;    /* others may have the address, too: for multicast */
    bool reuse_port;    /* others may, and share what comes */
    bool broadcast;     /* may send to a broadcast address */
    bool dont_fragment; /* neither this machine nor a router may cut a packet in pieces */
    bool v6only;        /* at `::`: not IPv4, too */
} torc_datagram_options;

/** How one is sent. `size` first. */
typedef struct torc_datagram_send_options {
    size_t size;           /* sizeof(torc_datagram_send_options) */
    torc_addr local;       /* from this address of the machine (its port counts not); {0}: any */
    torc_ecn ecn;          /* the mark that it leaves with */
    uint32_t segment_size; /* `bytes` are several: all but the last of this size. 0: one */
    const int *fds;        /* to be passed with it (UNIX): duplicated, the caller's as before */
    size_t fd_count;
} torc_datagram_send_options;

/** What a port has done so far. */
typedef struct torc_datagram_counts {
    uint64_t received, sent;            /* datagrams; `received` counts what was joined as one */
    uint64_t receive_calls, send_calls; /* system calls that they took */
    uint64_t truncated;                 /* longer than `receive_max`, dropped */
    uint64_t failed;                    /* did not leave, or were told of as not arrived */
} torc_datagram_counts;

TORC_BEGIN_DECLS

/**
 * Open a port at an address; port 0: the system chooses. A UNIX address without a path (`len` is
 * that of the family alone) gets an abstract name; a file where nobody listens any more is
 * replaced, and removed at the end. Receiving begins in a later turn. `options` may be NULL; so may
 * `protocol`, which is lent until `closed`: then torc_datagram_receive() gives what comes.
 * TORC_ERR_INVALID, TORC_ERR_ADDRESS_IN_USE, TORC_ERR_ADDRESS_NOT_AVAILABLE, TORC_ERR_PERMISSION,
 * TORC_ERR_UNSUPPORTED, TORC_ERR_NO_MEMORY …
 */
TORC_API torc_err torc_datagram_open(torc_reactor *reactor, const torc_addr *local,
                                     torc_datagram_protocol *protocol,
                                     const torc_datagram_options *options,
                                     torc_datagram_port **port) TORC_MUST_CHECK;
/** The same over a bound datagram socket that came from elsewhere, which it takes on success. */
TORC_API torc_err torc_datagram_adopt(torc_reactor *reactor, int fd,
                                      torc_datagram_protocol *protocol,
                                      const torc_datagram_options *options,
                                      torc_datagram_port **port) TORC_MUST_CHECK;
/**
 * Let the port have one peer: what others send does not come, what is sent without an address goes
 * there, and that nobody is there is told. Repeating it connects to another; NULL: to none.
 * TORC_ERR_BUSY: something waits to be sent to the one before; TORC_ERR_REFUSED: there is no such
 * UNIX socket; and what else the system says.
 */
TORC_API torc_err torc_datagram_connect(torc_datagram_port *port,
                                        const torc_addr *peer) TORC_MUST_CHECK;
/**
 * Send a copy of `bytes`, at the end of the turn; `to` is NULL on a connected port. `options` may
 * be NULL. TORC_ERR_BUSY: too much waits, and `drained` will tell; TORC_ERR_TOO_LARGE: no datagram
 * can be so long; TORC_ERR_INVALID: an address of another family, none, or descriptors on UDP;
 * TORC_ERR_CLOSED, TORC_ERR_NO_MEMORY, TORC_ERR_FILE_TABLE_FULL.
 */
TORC_API torc_err torc_datagram_send(torc_datagram_port *port, torc_str bytes, const torc_addr *to,
                                     const torc_datagram_send_options *options) TORC_MUST_CHECK;
/** The same on a fiber: if too much waits, wait for room, in the order of who came first. Or why
 * the fiber is cancelled: then it is not sent. */
TORC_API torc_err
torc_datagram_send_await(torc_datagram_port *port, torc_str bytes, const torc_addr *to,
                         const torc_datagram_send_options *options) TORC_MUST_CHECK;
/** Do not receive, until resumed: what comes stays in the kernel, as far as that has room. */
TORC_API void torc_datagram_pause(torc_datagram_port *port);
TORC_API void torc_datagram_resume(torc_datagram_port *port);

/**
 * Of a port without a protocol: fires with the next torc_datagram, whose `err` is to be looked at,
 * for torc_datagram_free(); fails with TORC_ERR_CLOSED when the port is closed. One that is
 * cancelled or loses a race takes none.
 */
TORC_API torc_deferred *torc_datagram_receive(torc_datagram_port *port);
#define torc_datagram_receive(port) torc_deferred_placed(torc_datagram_receive(port), TORC_PLACE)
/**
 * On a fiber: wait for the next, which is the caller's, for torc_datagram_free(). TORC_ERR_TIMEOUT
 * if none comes within `timeout_ms` (UINT64_MAX: no limit); the error of one that was sent;
 * TORC_ERR_CLOSED; or why the fiber is cancelled.
 */
TORC_API torc_err torc_datagram_receive_await(torc_datagram_port *port, uint64_t timeout_ms,
                                              torc_datagram **datagram) TORC_MUST_CHECK;
/** Free what torc_datagram_receive() gave, and close its descriptors. Takes a torc_datagram *, and
 * so disposes of a deferred's value. NULL is fine. */
TORC_API void torc_datagram_free(void *datagram);
/** Take one of the descriptors that came along: those that nobody takes are closed. */
TORC_API int torc_datagram_take_fd(const torc_datagram *datagram, size_t at);
/** Cut the next datagram off `rest`, what was received with `gro`; false when `rest` is empty. */
TORC_API bool torc_datagram_next(torc_str *rest, uint32_t segment_size, torc_str *one);

/** Where the port is. */
TORC_API torc_addr torc_datagram_addr(const torc_datagram_port *port);
TORC_API torc_reactor *torc_datagram_reactor(const torc_datagram_port *port);
TORC_API const torc_datagram_counts *torc_datagram_count(const torc_datagram_port *port);
/** Bytes that wait to be sent. */
TORC_API size_t torc_datagram_unsent(const torc_datagram_port *port);
/** The largest IP packet that goes to the peer of a connected port in one piece, as far as the
 * system knows. */
TORC_API torc_err torc_datagram_path_mtu(const torc_datagram_port *port,
                                         uint32_t *bytes) TORC_MUST_CHECK;
/**
 * Close: what was sent before is given to the kernel, as far as it takes it now; `closed` comes
 * later, the last call. Repeating is fine, and so is NULL.
 */
TORC_API void torc_datagram_close(torc_datagram_port *port);

/**
 * Receive what is sent to a group, on an interface (0: the system chooses), until left; with
 * `source`, which may be NULL, only what that one sends. TORC_ERR_INVALID: `group` is none, or of
 * another family.
 */
TORC_API torc_err torc_datagram_join_group(torc_datagram_port *port, const torc_addr *group,
                                           uint32_t interface_index,
                                           const torc_addr *source) TORC_MUST_CHECK;
TORC_API torc_err torc_datagram_leave_group(torc_datagram_port *port, const torc_addr *group,
                                            uint32_t interface_index,
                                            const torc_addr *source) TORC_MUST_CHECK;
/** How many routers what is sent to a group passes: 0 to 255, 1 unless set. */
TORC_API torc_err torc_datagram_set_multicast_ttl(torc_datagram_port *port,
                                                  int ttl) TORC_MUST_CHECK;
/** Whether what is sent to a group comes to this machine's members, too: yes, unless set. */
TORC_API torc_err torc_datagram_set_multicast_loop(torc_datagram_port *port,
                                                   bool on) TORC_MUST_CHECK;
/** By which interface what is sent to a group leaves; 0: the system chooses. */
TORC_API torc_err torc_datagram_set_multicast_interface(torc_datagram_port *port,
                                                        uint32_t interface_index) TORC_MUST_CHECK;

TORC_END_DECLS

#endif
