-- Every right of every role, on one screen. Runs after each migration: takes everything away first,
-- so that what is not here is not granted.
REVOKE ALL ON ALL TABLES IN SCHEMA consign FROM consign_api, consign_spooler, consign_sender, consign_metrics, PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA consign FROM consign_api, consign_spooler, consign_sender, consign_metrics, PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA consign FROM consign_api, consign_spooler, consign_sender, consign_metrics, PUBLIC;
GRANT USAGE ON SCHEMA consign TO consign_api, consign_spooler;
GRANT EXECUTE ON FUNCTION consign.tenant_org, consign.tenant_missing, consign.now_ms, consign.schema_version, consign.sql_digest
    TO consign_api, consign_spooler;

-- the pool: reads what clients may see, accepts work, looks single profiles up and removes one that nothing waits for
GRANT EXECUTE ON FUNCTION consign.scope_find, consign.client_secret, consign.sandbox_list TO consign_api;
GRANT EXECUTE ON FUNCTION consign.dataset_create, consign.job_create, consign.job_policy, consign.job_cancel, consign.job_end, consign.idempotency_claim,
    consign.batch_create, consign.batch_upload, consign.batch_complete, consign.batch_abort,
    consign.batch_hold_loading, consign.batch_hold_files, consign.batch_patch TO consign_api;
GRANT SELECT, INSERT, DELETE ON consign.batch_upload_part TO consign_api;
GRANT SELECT, INSERT ON consign.dataset TO consign_api;
GRANT SELECT, INSERT, UPDATE ON consign.batch, consign.batch_upload, consign.export_job,
    consign.idempotency_key TO consign_api;
GRANT UPDATE (version) ON consign.dataset TO consign_api; -- FOR KEY SHARE asks for it
GRANT SELECT, DELETE ON consign.export_progress TO consign_api;
GRANT SELECT, INSERT ON consign.export_target TO consign_api;
GRANT SELECT ON consign.batch_file, consign.batch_error, consign.job_document, consign.dataset_preview TO consign_api;
GRANT EXECUTE ON FUNCTION consign.job_targets TO consign_api, consign_spooler; -- of job_document
GRANT EXECUTE ON FUNCTION consign.policy_create, consign.policy_replace, consign.policy_delete, consign.policy_hold,
    consign.policy_stranger, consign.policy_unset_default TO consign_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON consign.merge_policy TO consign_api;
GRANT SELECT, INSERT ON consign.merge_policy_version TO consign_api;
GRANT SELECT ON consign.policy_document TO consign_api;
GRANT EXECUTE ON FUNCTION consign.registry_schema_create, consign.registry_descriptor_create TO consign_api;
GRANT SELECT, INSERT ON consign.registry_schema, consign.registry_descriptor TO consign_api;
GRANT SELECT ON consign.observed_schema TO consign_api; -- for clients to see
GRANT SELECT, INSERT, UPDATE, DELETE ON consign.work_queue TO consign_api;
GRANT EXECUTE ON FUNCTION consign.dataset_change, consign.dataset_delete TO consign_api;
GRANT DELETE ON consign.dataset TO consign_api;
GRANT UPDATE (name, description, tags, webhook, updated_ms) ON consign.dataset TO consign_api;
GRANT SELECT ON consign.stream_message TO consign_api; -- whether a dataset holds any
GRANT EXECUTE ON FUNCTION consign.system_job_create, consign.system_job_queue TO consign_api;
GRANT SELECT, INSERT, DELETE ON consign.system_job TO consign_api;
GRANT USAGE ON SEQUENCE consign.stream_message_number_seq TO consign_api; -- a removal's place among the messages
GRANT EXECUTE ON FUNCTION consign.entity_fragments, consign.entity_events, consign.entity_policy TO consign_api; -- look-ups; never an export
-- the one thing the pool changes in the store: a profile is removed at once
GRANT EXECUTE ON FUNCTION consign.entity_remove, consign.profile_remove TO consign_api;
GRANT SELECT, DELETE ON consign.identity, consign.profile_fragment, consign.profile_event TO consign_api;
GRANT SELECT, UPDATE (identities) ON consign.ingest_clock TO consign_api;
GRANT EXECUTE ON FUNCTION consign.stream_put TO consign_api;
GRANT EXECUTE ON FUNCTION consign.quota_admit, consign.inbox_room, consign.inbox_take TO consign_api;
GRANT EXECUTE ON FUNCTION consign.quota_room TO consign_api, consign_spooler;
GRANT SELECT ON consign.quota, consign.lake_usage TO consign_api, consign_spooler; -- what a tenant may take of the service
GRANT INSERT ON consign.stream_message TO consign_api;
GRANT EXECUTE ON FUNCTION consign.job_archive_move TO consign_api; -- of dataset_delete
GRANT SELECT, INSERT ON consign.export_job_archive TO consign_api;
GRANT DELETE ON consign.export_job, consign.batch TO consign_api; -- that are over (sql/schema/024_sweep.sql)
GRANT EXECUTE ON FUNCTION consign.metric_read TO consign_api; -- for /metrics
GRANT EXECUTE ON FUNCTION consign.webhook_look TO consign_api;
GRANT SELECT (org, sandbox, name) ON consign.webhook TO consign_api; -- that there is one; never where it is or what signs

-- the spooler: works on what was accepted, never makes work
GRANT EXECUTE ON FUNCTION consign.work_claim, consign.work_take, consign.work_hold, consign.work_look, consign.work_release,
    consign.job_start, consign.job_orders, consign.job_beat, consign.job_publish, consign.job_give_up, consign.job_end,
    consign.batch_load, consign.record_load, consign.batch_fail, consign.batch_end, consign.idempotency_expire TO consign_spooler;
GRANT EXECUTE ON FUNCTION consign.session_end, consign.session_end_silent, consign.help_clear TO consign_spooler; -- of dead workers
GRANT SELECT, UPDATE, DELETE ON consign.work_queue TO consign_spooler;
GRANT SELECT, DELETE ON consign.idempotency_key TO consign_spooler; -- those that have ended
GRANT SELECT, UPDATE ON consign.export_job, consign.batch TO consign_spooler;
GRANT SELECT ON consign.dataset, consign.batch_upload, consign.batch_upload_part TO consign_spooler;
GRANT SELECT ON consign.export_target, consign.merge_policy_version TO consign_spooler;
GRANT SELECT, INSERT ON consign.batch_file, consign.batch_error TO consign_spooler;
GRANT SELECT, INSERT, UPDATE, DELETE ON consign.export_progress TO consign_spooler;
GRANT SELECT, INSERT, UPDATE ON consign.ingest_clock, consign.identity, consign.profile_fragment, consign.profile_event,
    consign.observed_schema TO consign_spooler;
GRANT EXECUTE ON FUNCTION consign.identity_link, consign.identity_join, consign.identity_move TO consign_spooler; -- of record_load
GRANT USAGE ON SEQUENCE consign.identity_number TO consign_spooler;
GRANT EXECUTE ON FUNCTION consign.dataset_rules TO consign_api, consign_spooler; -- what records must be
GRANT SELECT ON consign.registry_schema, consign.registry_descriptor TO consign_spooler;
GRANT EXECUTE ON FUNCTION consign.system_job_start, consign.system_job_run, consign.system_job_end, consign.system_job_fail,
    consign.system_job_horizon, consign.profile_remove, consign.record_remove TO consign_spooler; -- what is to be removed
GRANT SELECT, UPDATE ON consign.system_job TO consign_spooler;
GRANT DELETE ON consign.identity, consign.profile_fragment, consign.profile_event, consign.observed_schema TO consign_spooler;
GRANT EXECUTE ON FUNCTION consign.stream_take, consign.stream_load, consign.stream_try, consign.stream_end TO consign_spooler;
GRANT SELECT, DELETE ON consign.stream_message TO consign_spooler;
GRANT INSERT ON consign.batch TO consign_spooler; -- that counts messages
GRANT EXECUTE ON FUNCTION consign.share_open, consign.share_clear, consign.share_take, consign.help_begin,
    consign.help_enter, consign.help_beat, consign.help_end, consign.help_drop, consign.help_look,
    consign.work_waits, consign.counts_sum, consign.bare_profile TO consign_spooler; -- an export that several workers write
GRANT SELECT, INSERT, UPDATE, DELETE ON consign.export_share, consign.export_helper TO consign_spooler;
GRANT EXECUTE ON FUNCTION consign.work_ready, consign.work_order, consign.work_turn_note TO consign_spooler;
GRANT SELECT, INSERT, UPDATE ON consign.work_turn TO consign_spooler;
GRANT INSERT, UPDATE ON consign.lake_usage TO consign_spooler;
GRANT EXECUTE ON FUNCTION consign.preview_keep TO consign_spooler; -- of job_publish
GRANT SELECT, INSERT, UPDATE, DELETE ON consign.dataset_preview TO consign_spooler;
GRANT USAGE ON SEQUENCE consign.work_queue_entry_seq TO consign_spooler; -- numbers for the locks of helpers
GRANT EXECUTE ON FUNCTION consign.sweep_begin, consign.sweep_places, consign.lake_dead, consign.batch_expire,
    consign.batch_forget, consign.batch_abandon, consign.job_archive, consign.job_archive_move TO consign_spooler; -- the sweep
GRANT SELECT, INSERT, UPDATE ON consign.sweep_mark TO consign_spooler;
GRANT SELECT ON consign.dataset_retention, consign.job_document TO consign_spooler;
GRANT SELECT, INSERT ON consign.export_job_archive TO consign_spooler;
GRANT DELETE ON consign.export_job, consign.batch, consign.batch_file, consign.batch_error, consign.batch_upload
    TO consign_spooler; -- that are over
GRANT EXECUTE ON FUNCTION consign.webhook_give_up, consign.webhook_forget TO consign_spooler; -- the sweep, which reads no body
GRANT SELECT (org, sandbox, event, webhook, created_ms, not_before_ms, sending, attempts, outcome, ended_ms),
    UPDATE (sending, outcome, ended_ms), DELETE ON consign.webhook_event TO consign_spooler; -- webhook_note alone makes them
GRANT EXECUTE ON FUNCTION consign.metric_add TO consign_spooler; -- what was done
GRANT SELECT, INSERT, UPDATE ON consign.metric_count TO consign_spooler;

-- the sender: is given events that are due and tells how that went; no table of a tenant
GRANT USAGE ON SCHEMA consign TO consign_sender;
GRANT EXECUTE ON FUNCTION consign.schema_version, consign.sql_digest, consign.webhook_claim, consign.webhook_end, consign.metric_add
    TO consign_sender;
GRANT SELECT, INSERT, UPDATE ON consign.metric_count TO consign_sender; -- of metric_add

-- monitoring that looks at the database by itself: sums over all tenants
GRANT USAGE ON SCHEMA consign TO consign_metrics;
GRANT EXECUTE ON FUNCTION consign.metric_read TO consign_metrics;
