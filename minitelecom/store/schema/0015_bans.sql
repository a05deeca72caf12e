-- Hosts that are not listened to, and names at a host that are not believed whatever password comes with them.

CREATE DOMAIN ban_reason AS text CHECK (value IN ('scanner', 'many-names', 'wrong-passwords', 'operator'));

CREATE TABLE bans (
    address text NOT NULL CHECK (address ~ '^[0-9a-f.:]+(/64)?$'), -- an IPv4 address, or the first 64 bits of an IPv6 one
    name    text CHECK (length(name) BETWEEN 1 AND 64),   -- a SIP user; null: whoever is there
    reason  ban_reason NOT NULL,
    since   timestamptz NOT NULL,
    until   timestamptz,                                  -- null: until it is released
    times   int NOT NULL CHECK (times > 0),               -- each lasts longer than the one before
    UNIQUE NULLS NOT DISTINCT (address, name)
);
CREATE INDEX bans_until ON bans (until);
CREATE TRIGGER notify AFTER INSERT OR UPDATE OR DELETE ON bans FOR EACH STATEMENT EXECUTE FUNCTION notify_table();

-- A minute, ten, an hour, a day; a name at a host ten minutes at most, since a telephone with a wrong password is no crime.
-- One that is in force already stays as it is, whichever process comes first. What is a week past is forgotten.
CREATE FUNCTION ban(p_address text, p_name text, p_reason text, p_instant timestamptz) RETURNS SETOF bans LANGUAGE plpgsql AS $$
DECLARE
    c_steps CONSTANT interval[] := ARRAY['1 minute', '10 minutes', '1 hour', '1 day'];
    v_most CONSTANT int := CASE WHEN p_name IS NULL THEN 4 ELSE 2 END;
BEGIN
    DELETE FROM bans b WHERE b.until < p_instant - interval '7 days';
    RETURN QUERY INSERT INTO bans AS b (address, name, reason, since, until, times)
        VALUES (p_address, p_name, p_reason, p_instant, p_instant + c_steps[1], 1)
        ON CONFLICT (address, name) DO UPDATE SET (reason, since, until, times) = (p_reason, p_instant,
            p_instant + c_steps[least(b.times + 1, v_most)], b.times + 1)
            WHERE b.until <= p_instant
        RETURNING b.*;
END $$;
