-- An attempt begins to remove what a system job names: what had to be loaded before it is loaded. It is the job whose
-- entry is p_batch ('delete-' and the job). Answers which attempt at that it is: those that loading took don't count.
--   CN410  the attempt does not own it any more
CREATE OR REPLACE FUNCTION consign.system_job_start(p_org integer, p_sandbox integer, p_batch text, p_attempt text)
    RETURNS integer
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    before text;
    answer integer;
BEGIN
    PERFORM consign.work_hold(p_org, p_sandbox, p_batch, p_attempt, false);
    SELECT j.status INTO STRICT before FROM consign.system_job j
        WHERE j.org = p_org AND j.sandbox = p_sandbox AND j.job = substr(p_batch, length('delete-') + 1);
    IF before = 'NEW' THEN
        UPDATE consign.system_job j SET status = 'PROCESSING', updated_ms = consign.now_ms()
            WHERE j.org = p_org AND j.sandbox = p_sandbox AND j.job = substr(p_batch, length('delete-') + 1);
    END IF;
    UPDATE consign.work_queue q SET attempts = CASE before WHEN 'NEW' THEN 1 ELSE q.attempts END
        WHERE q.org = p_org AND q.sandbox = p_sandbox AND q.batch = p_batch
        RETURNING q.attempts INTO answer;
    RETURN answer;
END
$$;
