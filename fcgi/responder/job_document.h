/*
 * job_document: a job row as clients see it (contract.md section 5).
 */
#ifndef CONSIGN_RESPONDER_JOB_DOCUMENT_H
#define CONSIGN_RESPONDER_JOB_DOCUMENT_H

#include "lib/db.h"
#include "lib/jsonio.h"

/* Builds the document of one row with the columns of enum job_column. The tree is the caller's.
 * NULL: no memory. */
struct json_object *job_document(const struct db_rows *rows, int row, const char *ims_org_id);

#endif
