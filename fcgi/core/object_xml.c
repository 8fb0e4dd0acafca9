/*
 * object_xml: elements of an object store's answers. See object_xml.h.
 */
#include "core/object_xml.h"

#include <stdio.h>
#include <string.h>

#define XML_TAG_MAX 64

bool object_xml_next(struct object_xml *in, const char *name, struct object_xml *inside)
{
    char begin[XML_TAG_MAX], end[XML_TAG_MAX];
    size_t opens = (size_t)snprintf(begin, sizeof begin, "<%s>", name);
    size_t closes = (size_t)snprintf(end, sizeof end, "</%s>", name);
    if (in->length == 0 || closes >= sizeof end)
        return false;
    const char *first = memmem(in->at, in->length, begin, opens);
    if (first == NULL)
        return false;
    first += opens;
    size_t left = in->length - (size_t)(first - in->at);
    const char *last = memmem(first, left, end, closes);
    if (last == NULL)
        return false;
    *inside = (struct object_xml){first, (size_t)(last - first)};
    in->at = last + closes;
    in->length = left - inside->length - closes;
    return true;
}

bool object_xml_text(struct object_xml in, const char *name, char *out, size_t size)
{
    struct object_xml inside;
    out[0] = '\0';
    if (!object_xml_next(&in, name, &inside) || inside.length >= size)
        return false;
    memcpy(out, inside.at, inside.length);
    out[inside.length] = '\0';
    return true;
}
