/*
 * client_job: one export job as the service tells it: read, waited for, printed. Callers: client_export, client_download.
 */
#ifndef CONSIGN_TOOLS_CLIENT_JOB_H
#define CONSIGN_TOOLS_CLIENT_JOB_H

#include <stdbool.h>

#include "consignctl/client_session.h"

#define CLIENT_JOB_PATH "/data/core/ups/export/jobs"
#define CLIENT_JOB_COLUMNS "id\tstatus\tprofiles\tevents\tdataset\tbatch\tcreated"

/* The job's number from the command line; ends the program when it is none. */
const char *client_job_number(const struct client_args *args);

/* Reads the job; `wait_s` is how long the service may hold the answer until the status changes. The reply is the caller's. */
void client_job_get(struct client_session *s, const char *number, int wait_s, struct client_reply *out);

/* Reads it again and again until it has ended, and shows how far it is. The reply is the caller's. */
void client_job_wait(struct client_session *s, const char *number, struct client_reply *out);

/* Its status, "-" when it has none. */
const char *client_job_status(struct json_object *job);

/* CLIENT_OK for a job that is not FAILED or CANCELLED; CLIENT_JOB else, after a line on stderr that says why. */
enum client_exit client_job_verdict(struct json_object *job);

/* The job's line of the columns above, or the document. */
void client_job_print(struct json_object *job, bool json);

#endif
