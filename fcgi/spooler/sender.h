/*
 * sender: the life of the process that tells webhooks of what happened.
 *
 * One a spooler, while webhook.hosts names any host. It takes events that are due (webhook_claim, sql/api), each for a while:
 * one that it does not end in that time, because it was killed or the database was gone, is due again. So an event is sent
 * at least once, and again under the same id until its endpoint takes it. Endpoints of all tenants are served at once. How an
 * attempt ended it tells the database (webhook_end) again and again as long as its lease lasts.
 *
 * Asked to stop it gives the deliveries that are under way a moment, and hands the rest back. Caller: main.
 */
#ifndef CONSIGN_SPOOLER_SENDER_H
#define CONSIGN_SPOOLER_SENDER_H

#include <stdbool.h>

/* Whether there is to be one. */
bool sender_wanted(void);

/* Whether its settings can be used; a line in the log says what is wrong with them. */
bool sender_settings_valid(void);

/* The work function of its worker. */
int sender_work(void);

#endif
