/*
 * webhook_url: URLs of endpoints, and the list of hosts. See webhook_place.h.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/webhook_place.h"

#define URL_SECURE "https://"
#define URL_PLAIN "http://"
#define URL_SECURE_PORT 443
#define URL_PLAIN_PORT 80
#define HOSTS_ENTRY_MAX 512

static bool url_refuse(const char **rule, const char *text)
{
    *rule = text;
    return false;
}

/* The address that a text is, as a network of one; family 0: it is none. */
static struct webhook_prefix url_address(const char *text)
{
    struct webhook_prefix one = {0};
    if (inet_pton(AF_INET, text, one.bytes) == 1)
        one = (struct webhook_prefix){.family = AF_INET, .bits = 32};
    else if (inet_pton(AF_INET6, text, one.bytes) == 1)
        one = (struct webhook_prefix){.family = AF_INET6, .bits = 128};
    if (one.family != 0)
        inet_pton(one.family, text, one.bytes);
    return one;
}

static bool url_is_loopback(const char *host)
{
    static const unsigned char SIX[16] = {[15] = 1};
    struct webhook_prefix address = url_address(host);
    return address.family == AF_INET ? address.bytes[0] == 127
                                     : address.family == AF_INET6 && memcmp(address.bytes, SIX, sizeof SIX) == 0;
}

/* A name of labels of letters, digits, - and _. One whose last label is a number is an address to some (RFC 3986 section
 * 7.4) and has to be one in its usual form. */
static bool url_name_valid(const char *host)
{
    size_t length = strlen(host), label = 0;
    const char *last = strrchr(host, '.');
    last = last == NULL ? host : last + 1;
    for (const char *p = host; *p != '\0'; p++) {
        label = *p == '.' ? 0 : label + 1;
        bool empty = *p == '.' && (p == host || p[-1] == '.');
        if (empty || label > 63 || strchr("abcdefghijklmnopqrstuvwxyz0123456789-_.", *p) == NULL)
            return false;
    }
    return length > 0 && label > 0 && !(*last >= '0' && *last <= '9');
}

/* The host at *text, which is passed over: a name or an address, in brackets if it is of IPv6. */
static bool url_read_host(const char **text, struct webhook_url *out, const char **rule)
{
    bool brackets = **text == '[';
    const char *begin = *text + brackets;
    size_t length = strcspn(begin, brackets ? "]" : ":/?");
    if (length == 0 || length >= sizeof out->host || (brackets && begin[length] != ']'))
        return url_refuse(rule, "a host expected");
    memcpy(out->host, begin, length);
    out->host[length] = '\0';
    for (char *p = out->host; *p != '\0'; p++)
        *p = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
    struct webhook_prefix address = url_address(out->host);
    if (address.family != 0 && brackets == (address.family == AF_INET6)) /* written in one way only */
        inet_ntop(address.family, address.bytes, out->host, sizeof out->host);
    else if (brackets || !url_name_valid(out->host))
        return url_refuse(rule, "the host is no name and no address; no user and no password may stand before it");
    *text = begin + length + brackets;
    return true;
}

/* The port, if there is one, and then a path, a query or the end. */
static bool url_read_port(const char **text, struct webhook_url *out, const char **rule)
{
    if (**text == ':') {
        const char *begin = *text + 1;
        size_t length = strspn(begin, "0123456789");
        long port = length > 0 && length <= 5 ? strtol(begin, NULL, 10) : 0;
        if (*begin == '0' || port < 1 || port > 65535)
            return url_refuse(rule, "a port from 1 to 65535 expected");
        out->port = (int)port;
        *text = begin + length;
    }
    return **text == '\0' || **text == '/' || **text == '?' || url_refuse(rule, "behind the host a port or a path expected");
}

bool webhook_url_read(const char *text, struct webhook_url *out, const char **rule)
{
    *out = (struct webhook_url){.tls = strncmp(text, URL_SECURE, strlen(URL_SECURE)) == 0};
    bool plain = strncmp(text, URL_PLAIN, strlen(URL_PLAIN)) == 0;
    if (strlen(text) >= WEBHOOK_URL_MAX)
        return url_refuse(rule, "at most 2048 characters");
    for (const char *p = text; *p != '\0'; p++) {
        if (*p <= 0x20 || *p >= 0x7f || strchr("\"\\#<>^`{|}", *p) != NULL)
            return url_refuse(rule, "printable ASCII without blanks, quotes, backslashes and a fragment expected");
    }
    if (!out->tls && !plain)
        return url_refuse(rule, "https:// expected");
    out->port = out->tls ? URL_SECURE_PORT : URL_PLAIN_PORT;
    text += strlen(out->tls ? URL_SECURE : URL_PLAIN);
    if (!url_read_host(&text, out, rule) || !url_read_port(&text, out, rule))
        return false;
    return out->tls || url_is_loopback(out->host) || url_refuse(rule, "https:// expected; http:// is for addresses of loopback");
}

/* ---- the list ---- */

/* ADDRESS/BITS */
static bool hosts_read_prefix(char *text, struct webhook_prefix *out)
{
    char *slash = strchr(text, '/');
    size_t digits = slash == NULL ? 0 : strspn(slash + 1, "0123456789");
    if (digits == 0 || digits > 3 || slash[1 + digits] != '\0')
        return false;
    *slash = '\0';
    int bits = (int)strtol(slash + 1, NULL, 10);
    *out = url_address(text);
    if (out->family == 0 || bits > out->bits)
        return false;
    out->bits = bits;
    return true;
}

/* Reads the entry at *list, which is passed over with what separates it from the next. False with *rule NULL: there is
 * none; else *rule says what it breaks. */
static bool hosts_next(const char **list, struct webhook_url *url, struct webhook_prefix *inside, const char **rule)
{
    static const char BETWEEN[] = ", \t";
    char entry[HOSTS_ENTRY_MAX], whole[HOSTS_ENTRY_MAX + sizeof URL_SECURE];
    *list += strspn(*list, BETWEEN);
    size_t length = strcspn(*list, BETWEEN);
    *rule = NULL;
    if (length == 0)
        return false;
    if (length >= sizeof entry)
        return url_refuse(rule, "an entry is too long");
    memcpy(entry, *list, length);
    entry[length] = '\0';
    *list += length;
    char *prefix = strchr(entry, '=');
    if (prefix != NULL)
        *prefix++ = '\0';
    snprintf(whole, sizeof whole, "%s%s", strstr(entry, "://") == NULL ? URL_SECURE : "", entry);
    if (strpbrk(whole + strlen(URL_SECURE), "/?") != NULL)
        return url_refuse(rule, "a host and a port expected, without a path");
    if (!webhook_url_read(whole, url, rule))
        return false;
    *inside = url_address(url->host);
    if (prefix == NULL)
        return true;
    if (inside->family != 0)
        return url_refuse(rule, "a network behind = is for names; an address stands for itself");
    return hosts_read_prefix(prefix, inside) || url_refuse(rule, "a network, ADDRESS/BITS, expected behind =");
}

bool webhook_hosts_valid(const char *list, const char **rule)
{
    struct webhook_url url;
    struct webhook_prefix inside;
    while (hosts_next(&list, &url, &inside, rule))
        ;
    return *rule == NULL;
}

bool webhook_hosts_allow(const char *list, const struct webhook_url *url, struct webhook_prefix *inside)
{
    struct webhook_url entry;
    const char *rule;
    while (hosts_next(&list, &entry, inside, &rule)) {
        if (entry.tls == url->tls && entry.port == url->port && strcmp(entry.host, url->host) == 0)
            return true;
    }
    return false;
}
