/*
 * fuzz_object_xml: answers of an object store.
 *
 * Elements that are found lie one behind the other within the answer, between their tags, and the text of one is what
 * stands there and ends with its terminator.
 */
#include "fuzz.h"

#include "core/object_xml.h"

static void check_text(struct object_xml in, const char *name)
{
    struct object_xml inside, rest = in;
    char text[16];
    bool fits = object_xml_text(in, name, text, sizeof text);
    bool there = object_xml_next(&rest, name, &inside);
    INVARIANT(fits == (there && inside.length < sizeof text));
    INVARIANT(fits ? memcmp(text, inside.at, inside.length) == 0 && text[inside.length] == '\0' : text[0] == '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *begin = (const char *)data, *last = begin;
    struct object_xml in = {begin, size}, inside;
    check_text(in, "Code");
    while (object_xml_next(&in, "Contents", &inside)) {
        INVARIANT(inside.at >= last + strlen("<Contents>"));
        INVARIANT(in.at == inside.at + inside.length + strlen("</Contents>") && in.at + in.length == begin + size);
        INVARIANT(memcmp(inside.at - strlen("<Contents>"), "<Contents>", strlen("<Contents>")) == 0);
        check_text(inside, "Key");
        last = in.at;
    }
    return 0;
}
