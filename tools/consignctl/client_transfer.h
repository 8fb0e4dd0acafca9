/*
 * client_transfer: several files at a time from the service, by libcurl's multi interface: one thread. Caller:
 * client_download.
 */
#ifndef CONSIGN_TOOLS_CLIENT_TRANSFER_H
#define CONSIGN_TOOLS_CLIENT_TRANSFER_H

#include "consignctl/client_part.h"
#include "consignctl/client_session.h"

#define CLIENT_TRANSFER_MOST 16 /* at a time */

/* Brings all parts of the list that are not whole. Each goes on where its partial file ends, and again after a cut
 * connection, 408, 429 and 5xx; the program ends when one is sent from its start time and again. Returns how many are
 * not what the manifest says, each with a line on stderr; ends the program when a file is refused, or there is no time left. */
int client_transfer_run(struct client_session *s, struct client_part *first, int at_a_time);

#endif
