/*
 * object_xml: reads the few elements that we need of what an object store answers. Pure.
 *
 * No parser: it finds elements by their names, which occur nowhere else in those answers, and does not decode entities.
 * What is looked for (our keys, upload ids, codes) has none; a key with one is not ours, whatever it is called.
 * Callers: core/objects, core/object_lists.
 */
#ifndef CONSIGN_CORE_OBJECT_XML_H
#define CONSIGN_CORE_OBJECT_XML_H

#include <stdbool.h>
#include <stddef.h>

/* A piece of an answer; good as long as the answer is. */
struct object_xml {
    const char *at;
    size_t length;
};

/* The content of the next element of that name (without attributes); `in` then begins behind it. False: there is none. */
bool object_xml_next(struct object_xml *in, const char *name, struct object_xml *inside);

/* Copies the text of the first element of that name. False: there is none, or it does not fit; `out` is then "". */
bool object_xml_text(struct object_xml in, const char *name, char *out, size_t size);

#endif
