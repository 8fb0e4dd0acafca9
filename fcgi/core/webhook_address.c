/*
 * webhook_address: which addresses a webhook may be sent to. See webhook_place.h.
 */
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

#include "core/webhook_place.h"

/* IANA's registries of special-purpose addresses (RFC 6890 and what updates it): everything that is not "globally
 * reachable" there, and multicast. */
static const struct webhook_prefix NOT_PUBLIC_4[] = {
    {AF_INET, {0}, 8},              /* this network */
    {AF_INET, {10}, 8},             /* private */
    {AF_INET, {100, 64}, 10},       /* behind a carrier's NAT */
    {AF_INET, {127}, 8},            /* loopback */
    {AF_INET, {169, 254}, 16},      /* link-local; clouds tell secrets there */
    {AF_INET, {172, 16}, 12},       /* private */
    {AF_INET, {192, 0, 0}, 24},     /* protocol assignments */
    {AF_INET, {192, 0, 2}, 24},     /* documentation */
    {AF_INET, {192, 88, 99}, 24},   /* relays of 6to4 */
    {AF_INET, {192, 168}, 16},      /* private */
    {AF_INET, {198, 18}, 15},       /* benchmarking */
    {AF_INET, {198, 51, 100}, 24},  /* documentation */
    {AF_INET, {203, 0, 113}, 24},   /* documentation */
    {AF_INET, {224}, 4},            /* multicast */
    {AF_INET, {240}, 4},            /* reserved, broadcast */
};
/* Of IPv6 one block is given out; in it these are not. Outside of it lie loopback, link-local, private and multicast. */
static const struct webhook_prefix PUBLIC_6 = {AF_INET6, {0x20}, 3};
static const struct webhook_prefix NOT_PUBLIC_6[] = {
    {AF_INET6, {0x20, 0x01, 0x00}, 23},             /* protocol assignments, Teredo */
    {AF_INET6, {0x20, 0x01, 0x0d, 0xb8}, 32},       /* documentation */
    {AF_INET6, {0x20, 0x02}, 16},                   /* 6to4: an address of IPv4 within */
    {AF_INET6, {0x3f, 0xff}, 20},                   /* documentation */
};
/* Addresses of IPv6 whose last four bytes are one of IPv4: the same written otherwise, and what a NAT64 reaches. */
static const struct webhook_prefix MAPPED = {AF_INET6, {[10] = 0xff, [11] = 0xff}, 96};
static const struct webhook_prefix NAT64 = {AF_INET6, {0x00, 0x64, 0xff, 0x9b}, 96};

static bool address_within(const struct webhook_prefix *address, const struct webhook_prefix *network)
{
    int whole = network->bits / 8, rest = network->bits % 8;
    if (address->family != network->family || memcmp(address->bytes, network->bytes, (size_t)whole) != 0)
        return false;
    return rest == 0 || ((address->bytes[whole] ^ network->bytes[whole]) >> (8 - rest)) == 0;
}

static bool address_within_any(const struct webhook_prefix *address, const struct webhook_prefix *networks, size_t count)
{
    bool found = false;
    for (size_t i = 0; !found && i < count; i++)
        found = address_within(address, &networks[i]);
    return found;
}

#define WITHIN_ANY(address, networks) address_within_any(address, networks, sizeof(networks) / sizeof *(networks))

static struct webhook_prefix address_embedded(const struct webhook_prefix *six)
{
    struct webhook_prefix four = {.family = AF_INET, .bits = 32};
    memcpy(four.bytes, six->bytes + 12, 4);
    return four;
}

static bool address_public(const struct webhook_prefix *address)
{
    if (address->family == AF_INET)
        return !WITHIN_ANY(address, NOT_PUBLIC_4);
    if (address_within(address, &NAT64)) {
        struct webhook_prefix four = address_embedded(address);
        return !WITHIN_ANY(&four, NOT_PUBLIC_4);
    }
    return address_within(address, &PUBLIC_6) && !WITHIN_ANY(address, NOT_PUBLIC_6);
}

bool webhook_address_allowed(const struct sockaddr *address, const struct webhook_prefix *inside)
{
    struct webhook_prefix one = {.family = address->sa_family};
    if (one.family == AF_INET)
        memcpy(one.bytes, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
    else if (one.family == AF_INET6)
        memcpy(one.bytes, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
    else
        return false;
    if (address_within(&one, &MAPPED))
        one = address_embedded(&one);
    return inside->family != 0 ? address_within(&one, inside) : address_public(&one);
}
