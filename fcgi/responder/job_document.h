/*
 * job_document: a job row as clients see it (contract.md section 5).
 */
#ifndef CONSIGN_RESPONDER_JOB_DOCUMENT_H
#define CONSIGN_RESPONDER_JOB_DOCUMENT_H

#include "lib/db.h"
#include "lib/str.h"

/* Appends the document of one row with the columns of enum job_column. out->overflow tells when there was no room. */
void job_document(struct str *out, const struct db_rows *rows, int row, const char *ims_org_id);

#endif
