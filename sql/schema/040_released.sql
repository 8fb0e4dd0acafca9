-- When an entry was given back to be tried again later (work_release): of a later time than now it tells that the clock was set
-- back, and how long the entry has waited is not known any more (work_ready). 0: it was not.
ALTER TABLE consign.work_queue ADD COLUMN released_ms bigint NOT NULL DEFAULT 0;
UPDATE consign.work_queue SET released_ms = consign.now_ms() WHERE not_before_ms > consign.now_ms();
