/*
 * bench_statements: the text of a statement of the pool, for pgbench to say the same to the database.
 *
 *   bench_statements get|list|status|create|cancel
 */
#include <stdio.h>
#include <string.h>

#include "core/stmt_api.h"

int main(int argc, char **argv)
{
    const struct {
        const char *name;
        const struct stmt *stmt;
    } KNOWN[] = {{"get", &STMT_JOB_GET},
                 {"list", stmt_job_list(JOB_SORT_CREATED, true, false, false)},
                 {"status", stmt_job_list(JOB_SORT_CREATED, true, true, false)},
                 {"create", &STMT_JOB_CREATE},
                 {"cancel", &STMT_JOB_CANCEL}};
    for (size_t i = 0; argc == 2 && i < sizeof KNOWN / sizeof *KNOWN; i++) {
        if (strcmp(argv[1], KNOWN[i].name) == 0) {
            printf("%s\n", KNOWN[i].stmt->text);
            return 0;
        }
    }
    fprintf(stderr, "usage: bench_statements get|list|status|create|cancel\n");
    return 2;
}
