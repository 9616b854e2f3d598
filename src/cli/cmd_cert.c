/* SPDX-License-Identifier: MIT */
/*
 * torc cert: a certificate for development, and how to use and trust it.
 *
 *  - Nothing is written before all of it is made; keys are readable by their owner alone from their
 *    first byte on, and are written before the certificates that need them.
 *  - Without --force no file is replaced. With --ca an authority that is there is used again, so
 *    that it is trusted once: --force makes no new one.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <torc/torc.h>
#include <unistd.h>

#include "command.h"

enum {
    PEM_MAX = 64 * 1024,
    HASH_TEXT = 3 * TORC_CERTIFICATE_HASH_BYTES
};

/* What is made, in the order in which it is written. */
typedef enum piece {
    AUTHORITY_KEY,
    AUTHORITY,
    KEY,
    CERTIFICATE,
    ROLES
} piece;

static const struct {
    const char *file;
    mode_t mode;
} files[ROLES] = {
    [AUTHORITY_KEY] = {"authority-key.pem", 0600},
    [AUTHORITY] = {"authority.pem", 0644},
    [KEY] = {"key.pem", 0600},
    [CERTIFICATE] = {"cert.pem", 0644},
};

/* What is asked for, and what becomes of it. */
typedef struct maker {
    const char *names[TORC_CERTIFICATE_NAMES_MAX + 1]; /* ended by NULL */
    size_t name_count;
    torc_key_kind kind;
    uint32_t days;
    const char *folder;
    bool with_authority, for_clients, force;

    char paths[ROLES][PATH_MAX];
    torc_private_key *authority_key, *key;
    torc_certificate *authority, *certificate;
    bool authority_is_old;
} maker;

/* ---- options ---- */

static const char *add_name(maker *self, const char *value) {
    if (self->name_count == TORC_CERTIFICATE_NAMES_MAX) return "at most 100 names";
    self->names[self->name_count++] = value;
    return NULL;
}

static const char *apply_name(torc_app *app, const char *value, char text[160]) {
    (void)text;
    return *value ? add_name(torc_app_context(app), value) : "write a name, as in example.test";
}

static const char *apply_ip(torc_app *app, const char *value, char text[160]) {
    torc_addr addr;

    (void)text;
    if (torc_addr_parse(torc_str_of(value), 0, &addr))
        return "write an address, as in 192.0.2.1 or 2001:db8::1";
    return add_name(torc_app_context(app), value);
}

static const char *apply_days(torc_app *app, const char *value, char text[160]) {
    maker *self = torc_app_context(app);
    uint64_t days;

    (void)text;
    if (torc_str_parse_uint(torc_str_of(value), TORC_CERTIFICATE_DAYS_MAX, &days) || days == 0)
        return "write a number from 1 to 36500";
    self->days = (uint32_t)days;
    return NULL;
}

static const char *apply_key(torc_app *app, const char *value, char text[160]) {
    maker *self = torc_app_context(app);

    (void)text;
    return torc_key_kind_parse(torc_str_of(value), &self->kind) ? "not known" : NULL;
}

static const char *apply_out(torc_app *app, const char *value, char text[160]) {
    maker *self = torc_app_context(app);

    (void)text;
    self->folder = value;
    return *value ? NULL : "name a folder";
}

static const char *apply_ca(torc_app *app, const char *value, char text[160]) {
    maker *self = torc_app_context(app);

    (void)value;
    (void)text;
    self->with_authority = true;
    return NULL;
}

static const char *apply_client(torc_app *app, const char *value, char text[160]) {
    maker *self = torc_app_context(app);

    (void)value;
    (void)text;
    self->for_clients = true;
    return NULL;
}

static const char *apply_force(torc_app *app, const char *value, char text[160]) {
    maker *self = torc_app_context(app);

    (void)value;
    (void)text;
    self->force = true;
    return NULL;
}

static const struct {
    const char *name, *argument, *help;
    torc_app_option_fn *apply;
} options[] = {
    {"name", "NAME...",
     "whom it is for (localhost, 127.0.0.1 and ::1)\n"
     "A host name, `*.` and one for all that are one label longer, or an address.",
     apply_name},
    {"ip", "ADDRESS...", "an address that it is for, too", apply_ip},
    {"ca", NULL,
     "sign it by an authority of its own\n"
     "The authority is made when the folder has none, and used again when it has: who trusts it "
     "once trusts all that it signs. Its key is as precious as that trust.",
     apply_ca},
    {"client", NULL,
     "a client may show it, too\n"
     "To servers that ask clients who they are, as by `torc web --tls-client-ca`.",
     apply_client},
    {"days", "N", "how long it is valid (397)\nBrowsers refuse what is valid for longer.",
     apply_days},
    {"key", "ec|ec384|rsa|rsa3072|ed25519",
     "the kind of its key (ec)\n"
     "`ec` is P-256, which costs a server the least; `rsa` has 2048 bits and is for clients of the "
     "last decade; browsers do not take `ed25519`.",
     apply_key},
    {"out", "DIR", "the folder where it goes (.)\nIt is made if it is not there.", apply_out},
    {"force", NULL, "replace the certificate and key that are there", apply_force},
};

/* ---- mistakes ---- */

/* One line, whatever is in a name; the exit code. */
static int fail(int exit_code, const char *what, const char *why) {
    char line[PATH_MAX + 200];

    snprintf(line, sizeof(line), "torc cert: %s: %s", what, why);
    for (char *at = line; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f) *at = '?';
    fprintf(stderr, "%s\n", line);
    return exit_code;
}

static bool is_there(const maker *self, piece which) {
    struct stat about;

    return lstat(self->paths[which], &about) == 0;
}

static int prepare(maker *self) {
    for (int which = 0; which < ROLES; which++) {
        const int len =
            snprintf(self->paths[which], PATH_MAX, "%s/%s", self->folder, files[which].file);
        if (len >= PATH_MAX) return fail(2, "--out", "too long");
    }
    if (mkdir(self->folder, 0755) && errno != EEXIST)
        return fail(1, self->folder, torc_err_text(torc_err_from_errno(errno)));
    for (int which = KEY; which <= CERTIFICATE && !self->force; which++)
        if (is_there(self, (piece)which))
            return fail(1, self->paths[which], "is there already; --force replaces it");
    return 0;
}

/* ---- the authority ---- */

static int load_pem(const char *path, torc_buf *pem) {
    const torc_err err = torc_pem_load(path, pem);

    return err ? fail(1, path, torc_err_text(err)) : 0;
}

static int parse_authority(maker *self, torc_str pem, torc_str key_pem) {
    torc_certificate_error error;

    if (torc_certificate_read_pem(pem, &self->authority, &error))
        return fail(1, self->paths[AUTHORITY], error.text);
    if (torc_private_key_read_pem(key_pem, &self->authority_key, &error))
        return fail(1, self->paths[AUTHORITY_KEY], error.text);
    if (!torc_certificate_has_key(self->authority, self->authority_key))
        return fail(1, self->paths[AUTHORITY_KEY], "is not the key of authority.pem");
    if (torc_certificate_ends_s(self->authority) <= time(NULL))
        return fail(1, self->paths[AUTHORITY], "has expired; remove it, and its key");
    return 0;
}

static int load_authority(maker *self) {
    torc_buf pem, key_pem;

    torc_buf_init(&pem, NULL, TORC_MEMORY_OTHER, PEM_MAX);
    torc_buf_init(&key_pem, NULL, TORC_MEMORY_OTHER, PEM_MAX);
    int exit_code = load_pem(self->paths[AUTHORITY], &pem);
    if (!exit_code) exit_code = load_pem(self->paths[AUTHORITY_KEY], &key_pem);
    if (!exit_code) exit_code = parse_authority(self, torc_buf_str(&pem), torc_buf_str(&key_pem));
    torc_buf_dispose(&pem);
    if (key_pem.bytes) torc_secret_wipe(key_pem.bytes, key_pem.len);
    torc_buf_dispose(&key_pem);
    self->authority_is_old = true;
    return exit_code;
}

/* Its name says on which machine it was made: there may be several to trust. */
static int make_authority(maker *self) {
    char machine[40] = "", name[64];
    torc_certificate_error error;
    const torc_certificate_options wanted = {
        .size = sizeof(wanted), .is_authority = true, .common_name = name};

    gethostname(machine, sizeof(machine) - 1);
    snprintf(name, sizeof(name), "Torc development on %s", machine);
    if (torc_private_key_new(TORC_KEY_EC_P256, &self->authority_key))
        return fail(1, "authority", "OpenSSL makes no key");
    return torc_certificate_new(self->authority_key, &wanted, &self->authority, &error)
               ? fail(1, "authority", error.text)
               : 0;
}

static int find_authority(maker *self) {
    if (!self->with_authority) return 0;
    return is_there(self, AUTHORITY) || is_there(self, AUTHORITY_KEY) ? load_authority(self)
                                                                      : make_authority(self);
}

/* ---- making and writing ---- */

static int make(maker *self) {
    const torc_certificate_options wanted = {.size = sizeof(wanted),
                                             .names = self->names,
                                             .days = self->days,
                                             .for_clients = self->for_clients,
                                             .issuer = self->authority,
                                             .issuer_key = self->authority_key};
    torc_certificate_error error;

    if (torc_private_key_new(self->kind, &self->key))
        return fail(1, "key", "this OpenSSL does not make such keys");
    const torc_err err = torc_certificate_new(self->key, &wanted, &self->certificate, &error);
    return err ? fail(err == TORC_ERR_INVALID ? 2 : 1, "--name", error.text) : 0;
}

static void write_pem(const maker *self, piece which, torc_buf *pem) {
    switch (which) {
    case AUTHORITY_KEY:
        torc_private_key_write_pem(self->authority_key, pem);
        break;
    case AUTHORITY:
        torc_certificate_write_pem(self->authority, pem);
        break;
    case KEY:
        torc_private_key_write_pem(self->key, pem);
        break;
    default:
        torc_certificate_write_pem(self->certificate, pem);
        break;
    }
}

static int save(const maker *self, piece which) {
    char bytes[PEM_MAX / 4];
    torc_buf pem;

    torc_buf_init_fixed(&pem, bytes, sizeof(bytes));
    write_pem(self, which, &pem);
    torc_err err = torc_buf_err(&pem);
    if (!err)
        err = torc_pem_save(self->paths[which], torc_buf_str(&pem), files[which].mode,
                            self->force && which >= KEY);
    torc_secret_wipe(bytes, sizeof(bytes));
    return err ? fail(1, self->paths[which], torc_err_text(err)) : 0;
}

static int save_all(const maker *self) {
    const bool has_new_authority = self->with_authority && !self->authority_is_old;
    int exit_code = 0;

    for (int which = has_new_authority ? AUTHORITY_KEY : KEY; which < ROLES && !exit_code; which++)
        exit_code = save(self, (piece)which);
    return exit_code;
}

/* ---- what is said ---- */

/* As a shell reads it: between quotes when there is anything special in it. */
static const char *quoted(const char *path, char text[4 * PATH_MAX + 3]) {
    char *to = text;

    if (!path[strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-")])
        return path;
    *to++ = '\'';
    for (; *path; path++) {
        if (*path == '\'') to = stpcpy(to, "'\\'");
        *to++ = *path;
    }
    stpcpy(to, "'");
    return text;
}

static void show_names(const maker *self) {
    const size_t count = torc_certificate_name_count(self->certificate);

    for (size_t i = 0; i < count; i++) {
        const torc_str name = torc_certificate_name(self->certificate, i);
        printf("%s%.*s", i == 0 ? "" : i + 1 == count ? " and " : ", ", TORC_STR_ARGS(name));
    }
}

static void show_day(int64_t when_s) {
    const time_t when = (time_t)when_s;
    struct tm parts;
    char day[40] = "";

    if (gmtime_r(&when, &parts)) strftime(day, sizeof(day), "%Y-%m-%d", &parts);
    printf("%s", day);
}

static void show_fingerprint(const maker *self) {
    unsigned char hash[TORC_CERTIFICATE_HASH_BYTES];

    if (torc_certificate_fingerprint(self->certificate, hash)) return;
    printf("  SHA-256      ");
    for (size_t i = 0; i < sizeof(hash); i++) printf("%s%02X", i == 0 ? "" : ":", hash[i]);
    printf("\n");
}

static void show_pin(const maker *self) {
    unsigned char hash[TORC_CERTIFICATE_HASH_BYTES];
    char bytes[64];
    torc_buf text;

    if (torc_certificate_pin(self->certificate, hash)) return;
    torc_buf_init_fixed(&text, bytes, sizeof(bytes));
    torc_base64_encode(&text, torc_str_make((char *)hash, sizeof(hash)), TORC_BASE64_STANDARD);
    printf("  pin          sha256/%.*s\n", TORC_STR_ARGS(torc_buf_str(&text)));
}

static void show_made(const maker *self) {
    printf("A certificate for ");
    show_names(self);
    printf(", until ");
    show_day(torc_certificate_ends_s(self->certificate));
    printf("\n  certificate  %s\n  key          %s, to be read by you alone\n",
           self->paths[CERTIFICATE], self->paths[KEY]);
    show_fingerprint(self);
    show_pin(self);
    if (!self->with_authority) return;
    printf("  signed by    %s%s\n", self->paths[AUTHORITY],
           self->authority_is_old ? ", which was there" : "");
    if (!self->authority_is_old)
        printf("               whose key, %s, can sign for any name: keep it to yourself\n",
               self->paths[AUTHORITY_KEY]);
}

/* What a client would ask for: a wildcard stands for no host of its own. */
static void show_host(const maker *self) {
    torc_str name = torc_certificate_name(self->certificate, 0);
    const bool is_v6 = torc_str_find_byte(name, ':') >= 0;

    if (torc_str_starts_with(name, TORC_STR("*."))) {
        printf("www");
        name = torc_str_from(name, 1);
    }
    printf(is_v6 ? "[%.*s]" : "%.*s", TORC_STR_ARGS(name));
}

static void show_use(const maker *self) {
    static char text[4 * PATH_MAX + 3];
    const char *trusted = self->paths[self->with_authority ? AUTHORITY : CERTIFICATE];

    printf("\nServe with it:\n  torc web --listen ssl:8443 --tls-cert %s",
           quoted(self->paths[CERTIFICATE], text));
    printf(" --tls-key %s\n", quoted(self->paths[KEY], text));
    printf("\nTrust it in one program:\n  curl --cacert %s https://", quoted(trusted, text));
    show_host(self);
    printf(":8443/\n\nTrust it on this machine (Debian and its kin), and no more:\n"
           "  sudo cp %s /usr/local/share/ca-certificates/torc-development.crt\n"
           "  sudo update-ca-certificates\n"
           "  sudo rm /usr/local/share/ca-certificates/torc-development.crt\n"
           "  sudo update-ca-certificates --fresh\n",
           quoted(trusted, text));
    printf("\nTrust it in Chromium (certutil is in libnss3-tools; Firefox: -d ~/.mozilla/firefox/"
           "PROFILE):\n"
           "  certutil -d sql:$HOME/.pki/nssdb -A -n torc-development -t %s -i %s\n",
           self->with_authority ? "C,," : "P,,", quoted(trusted, text));
}

/* ---- the command ---- */

static void dispose(maker *self) {
    torc_certificate_free(self->certificate);
    torc_certificate_free(self->authority);
    torc_private_key_free(self->key);
    torc_private_key_free(self->authority_key);
}

static void add_usual_names(maker *self) {
    static const char *const usual[] = {"localhost", "127.0.0.1", "::1"};

    for (size_t i = 0; i < TORC_COUNT_OF(usual) && self->name_count < 3; i++)
        self->names[self->name_count++] = usual[i];
}

static int run(torc_app *app) {
    maker *self = torc_app_context(app);

    if (self->name_count == 0) add_usual_names(self);
    int exit_code = prepare(self);
    if (!exit_code) exit_code = find_authority(self);
    if (!exit_code) exit_code = make(self);
    if (!exit_code) exit_code = save_all(self);
    if (!exit_code) {
        show_made(self);
        show_use(self);
        if (fflush(stdout) || ferror(stdout)) exit_code = 1;
    }
    dispose(self);
    return exit_code;
}

int torc_command_cert(int argc, char **argv) {
    static maker self = {.folder = "."};
    torc_app *app = torc_app_new("torc cert");

    torc_app_set_description(
        app, "Make a certificate for development: for localhost, signed by itself, in\n"
             "cert.pem and key.pem, unless told otherwise. Manual: man torc-cert");
    torc_app_set_context(app, &self);
    torc_app_add_group(app, "Certificate");
    for (size_t i = 0; i < TORC_COUNT_OF(options); i++)
        torc_app_add_option(app, options[i].name, options[i].argument, options[i].help,
                            options[i].apply);
    torc_app_set_task(app, run);
    return torc_app_run(app, argc, argv);
}
