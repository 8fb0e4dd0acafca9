/*
 * pipeline: the steps that every request goes through, in order.
 */
#ifndef CONSIGN_RESPONDER_PIPELINE_H
#define CONSIGN_RESPONDER_PIPELINE_H

#include "responder/call.h"

/* Serves the accepted request of a worker: answers it, or drops it when it was cut short. */
void pipeline_serve(struct call_worker *worker, struct arena *arena);

#endif
