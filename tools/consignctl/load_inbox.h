/*
 * load_inbox: puts a piece of a file into the inbox, as the pool does with an upload: owner and group those of the
 * inbox, 0640, and durable before it returns. Caller: load.
 */
#ifndef CONSIGN_TOOLS_LOAD_INBOX_H
#define CONSIGN_TOOLS_LOAD_INBOX_H

#include "consignctl/load_piece.h"
#include "lib/crypto.h"

/* Copies the piece under a new name, which it gives in `object`. Ends the program when it cannot; what lies there
 * then without being entered, the spooler's sweep removes. */
void load_inbox_put(const struct load_piece *piece, int org, int sandbox, const char *batch,
                    char object[CRYPTO_UUID_TEXT]);

#endif
