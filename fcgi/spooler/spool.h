/*
 * spool: the life of a worker: claim, work, wait. Caller: main.
 */
#ifndef CONSIGN_SPOOLER_SPOOL_H
#define CONSIGN_SPOOLER_SPOOL_H

/* The work function of the pool (lib/pool.h). */
int spool_work(int slot, void *arg);

#endif
