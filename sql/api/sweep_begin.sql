-- Makes the calling session the one that sweeps, if no other does and the last sweep began at least p_pause_ms ago;
-- no row otherwise. It is until sweep_end or its end. Answers where each step goes on.
CREATE OR REPLACE FUNCTION consign.sweep_begin(p_pause_ms bigint)
    RETURNS TABLE (step text, place text)
    LANGUAGE plpgsql SET search_path = pg_catalog AS
$$
DECLARE
    leader constant integer := 4; -- class of advisory locks; 1 to 3 are others'
    moment bigint := consign.now_ms();
BEGIN
    IF NOT pg_try_advisory_lock(leader, 0) THEN
        RETURN;
    END IF;
    INSERT INTO consign.sweep_mark AS m (step, began_ms) VALUES ('sweep', moment)
        ON CONFLICT ON CONSTRAINT sweep_mark_pkey DO UPDATE SET began_ms = moment
        WHERE m.began_ms NOT BETWEEN moment - p_pause_ms + 1 AND moment; -- a clock that was set back is no reason to wait
    IF FOUND THEN
        RETURN QUERY SELECT m.step, m.place FROM consign.sweep_mark m;
    ELSE
        PERFORM pg_advisory_unlock(leader, 0);
    END IF;
END
$$;
