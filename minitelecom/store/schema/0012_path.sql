-- Of a registration besides: whom it came by (RFC 3327), which telephone it is (RFC 5626), how much it prefers this place.

ALTER TABLE bindings
    ADD COLUMN path     text[] NOT NULL DEFAULT '{}',     -- the Path, as it came: Route of whatever goes there
    ADD COLUMN instance text NOT NULL DEFAULT '',         -- +sip.instance; '': it has none
    ADD COLUMN reg_id   int,
    ADD COLUMN q        int NOT NULL DEFAULT 1000;        -- in thousandths

CREATE OR REPLACE FUNCTION save_bindings(p_device text, p_bindings jsonb) RETURNS void LANGUAGE sql AS $$
    DELETE FROM bindings WHERE device = p_device
        AND contact NOT IN (SELECT contact FROM jsonb_to_recordset(p_bindings) AS b (contact text));
    INSERT INTO bindings (device, contact, transport, host, port, call_id, cseq, expires, user_agent, path, instance, reg_id, q)
        SELECT p_device, b.contact, b.transport, b.host, b.port, b.call_id, b.cseq, b.expires, b.user_agent, b.path,
            b.instance, b.reg_id, b.q
        FROM jsonb_to_recordset(p_bindings) AS b (contact text, transport text, host text, port int, call_id text,
            cseq bigint, expires timestamptz, user_agent text, path text[], instance text, reg_id int, q int)
        ON CONFLICT (device, contact) DO UPDATE SET (transport, host, port, call_id, cseq, expires, user_agent, path, instance,
            reg_id, q) = (excluded.transport, excluded.host, excluded.port, excluded.call_id, excluded.cseq, excluded.expires,
            excluded.user_agent, excluded.path, excluded.instance, excluded.reg_id, excluded.q);
$$;
