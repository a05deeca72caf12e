-- The source of a datagram can be forged by anybody; who has answered our challenge, or opened a connection, is there.  A ban
-- without such a proof is one by halves: so little is heard of its address that nobody scans, and enough for an innocent to
-- show who he is.

ALTER TABLE bans ADD COLUMN proved boolean NOT NULL DEFAULT true;

-- As before (0015); a proof counts at once, also where a ban without one is in force.
DROP FUNCTION ban(text, text, text, timestamptz);
CREATE FUNCTION ban(p_address text, p_name text, p_reason text, p_proved boolean, p_instant timestamptz) RETURNS SETOF bans
LANGUAGE plpgsql AS $$
DECLARE
    c_steps CONSTANT interval[] := ARRAY['1 minute', '10 minutes', '1 hour', '1 day'];
    v_most CONSTANT int := CASE WHEN p_name IS NULL THEN 4 ELSE 2 END;
BEGIN
    DELETE FROM bans b WHERE b.until < p_instant - interval '7 days';
    RETURN QUERY INSERT INTO bans AS b (address, name, reason, since, until, times, proved)
        VALUES (p_address, p_name, p_reason, p_instant, p_instant + c_steps[1], 1, p_proved)
        ON CONFLICT (address, name) DO UPDATE SET (reason, since, until, times, proved) = (p_reason, p_instant,
            p_instant + c_steps[least(b.times + 1, v_most)], b.times + 1, p_proved)
            WHERE b.until <= p_instant OR (p_proved AND NOT b.proved)
        RETURNING b.*;
END $$;
