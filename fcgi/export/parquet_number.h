/*
 * parquet_number: the text of a JSON number as a double.
 *
 * The nearest double, as strtod() finds it, whatever the process's locale. Caller: parquet_shred.
 */
#ifndef CONSIGN_EXPORT_PARQUET_NUMBER_H
#define CONSIGN_EXPORT_PARQUET_NUMBER_H

#include <locale.h>
#include <stddef.h>

/* `text` is a number that jscan has accepted, in a document where something follows it. `plain` is the C locale. */
double parquet_number(const char *text, size_t length, locale_t plain);

#endif
