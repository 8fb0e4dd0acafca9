/*
 * handlers: what each route does, one thin function a route, one file a resource. Each builds the
 * reply of its call, or returns a fault (with call_refuse() for what the client is told).
 */
#ifndef CONSIGN_RESPONDER_HANDLERS_H
#define CONSIGN_RESPONDER_HANDLERS_H

#include "responder/call.h"

/* datasets.c */
enum fault dataset_handle_create(struct call *c) MUST_CHECK;
enum fault dataset_handle_list(struct call *c) MUST_CHECK;
enum fault dataset_handle_get(struct call *c) MUST_CHECK;

/* dataset_change.c */
enum fault dataset_handle_change(struct call *c) MUST_CHECK;
enum fault dataset_handle_delete(struct call *c) MUST_CHECK;

/* system_jobs.c */
enum fault system_job_handle_create(struct call *c) MUST_CHECK;
enum fault system_job_handle_list(struct call *c) MUST_CHECK;
enum fault system_job_handle_get(struct call *c) MUST_CHECK;

/* batches.c */
enum fault batch_handle_list(struct call *c) MUST_CHECK;
enum fault batch_handle_get(struct call *c) MUST_CHECK;

/* import.c */
enum fault import_handle_create(struct call *c) MUST_CHECK;
enum fault import_handle_action(struct call *c) MUST_CHECK;

/* import_file.c */
enum fault import_handle_put_file(struct call *c) MUST_CHECK;
enum fault import_handle_patch_file(struct call *c) MUST_CHECK;

/* collection.c */
enum fault collection_handle_one(struct call *c) MUST_CHECK;
enum fault collection_handle_batch(struct call *c) MUST_CHECK;

/* jobs.c, job_list.c */
enum fault job_handle_create(struct call *c) MUST_CHECK;
enum fault job_handle_get(struct call *c) MUST_CHECK;
enum fault job_handle_cancel(struct call *c) MUST_CHECK;
enum fault job_handle_list(struct call *c) MUST_CHECK;

/* policies.c, policy_list.c */
enum fault policy_handle_create(struct call *c) MUST_CHECK;
enum fault policy_handle_list(struct call *c) MUST_CHECK;
enum fault policy_handle_get(struct call *c) MUST_CHECK;
enum fault policy_handle_replace(struct call *c) MUST_CHECK;
enum fault policy_handle_patch(struct call *c) MUST_CHECK;
enum fault policy_handle_delete(struct call *c) MUST_CHECK;
enum fault policy_handle_bulk_get(struct call *c) MUST_CHECK;

/* registry_schemas.c, registry_descriptors.c, registry_unions.c */
enum fault schema_handle_create(struct call *c) MUST_CHECK;
enum fault schema_handle_list(struct call *c) MUST_CHECK;
enum fault schema_handle_get(struct call *c) MUST_CHECK;
enum fault descriptor_handle_create(struct call *c) MUST_CHECK;
enum fault descriptor_handle_list(struct call *c) MUST_CHECK;
enum fault descriptor_handle_get(struct call *c) MUST_CHECK;
enum fault union_handle_list(struct call *c) MUST_CHECK;
enum fault union_handle_get(struct call *c) MUST_CHECK;

/* entities.c */
enum fault entity_handle_get(struct call *c) MUST_CHECK;
enum fault entity_handle_get_many(struct call *c) MUST_CHECK;
enum fault entity_handle_remove(struct call *c) MUST_CHECK;

/* files.c */
enum fault file_handle_list(struct call *c) MUST_CHECK;
enum fault file_handle_meta(struct call *c) MUST_CHECK;
enum fault file_handle_failed(struct call *c) MUST_CHECK;
enum fault file_handle_get(struct call *c) MUST_CHECK;

/* preview.c */
enum fault preview_handle_get(struct call *c) MUST_CHECK;

/* sandboxes.c */
enum fault sandbox_handle_list(struct call *c) MUST_CHECK;
enum fault sandbox_handle_get(struct call *c) MUST_CHECK;

/* ims.c */
enum fault ims_handle_token(struct call *c) MUST_CHECK;
enum fault ims_handle_jwks(struct call *c) MUST_CHECK;

/* ops.c */
enum fault ops_handle_health(struct call *c) MUST_CHECK;
enum fault ops_handle_ready(struct call *c) MUST_CHECK;
enum fault ops_handle_metrics(struct call *c) MUST_CHECK;

#endif
