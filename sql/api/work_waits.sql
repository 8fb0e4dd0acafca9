-- Whether an export waits that a worker without work could claim now, of any tenant.
CREATE OR REPLACE FUNCTION consign.work_waits()
    RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog AS
$$
SELECT EXISTS (SELECT FROM consign.work_queue q
               WHERE q.attempt IS NULL AND q.not_before_ms <= consign.now_ms())
$$;
