-- A telephone with several places under one Call-ID: since which of its REGISTERs a place has been one of them.

ALTER TABLE bindings
    ADD COLUMN since bigint NOT NULL DEFAULT 0;           -- a CSeq
UPDATE bindings SET since = cseq;

CREATE OR REPLACE FUNCTION save_bindings(p_device text, p_bindings jsonb) RETURNS void LANGUAGE sql AS $$
    DELETE FROM bindings WHERE device = p_device
        AND contact NOT IN (SELECT contact FROM jsonb_to_recordset(p_bindings) AS b (contact text));
    INSERT INTO bindings (device, contact, transport, host, port, call_id, cseq, expires, user_agent, path, instance, reg_id, q,
            since)
        SELECT p_device, b.contact, b.transport, b.host, b.port, b.call_id, b.cseq, b.expires, b.user_agent, b.path,
            b.instance, b.reg_id, b.q, b.since
        FROM jsonb_to_recordset(p_bindings) AS b (contact text, transport text, host text, port int, call_id text,
            cseq bigint, expires timestamptz, user_agent text, path text[], instance text, reg_id int, q int, since bigint)
        ON CONFLICT (device, contact) DO UPDATE SET (transport, host, port, call_id, cseq, expires, user_agent, path, instance,
            reg_id, q, since) = (excluded.transport, excluded.host, excluded.port, excluded.call_id, excluded.cseq,
            excluded.expires, excluded.user_agent, excluded.path, excluded.instance, excluded.reg_id, excluded.q,
            excluded.since);
$$;
