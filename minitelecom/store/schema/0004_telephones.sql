-- Processes and their heartbeats, prices, telephones, trunks, registrations.

CREATE TABLE processes (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name      text NOT NULL,                              -- a second process of one name is the successor of a dead one
    pid       int NOT NULL,
    started   timestamptz NOT NULL,
    heartbeat timestamptz NOT NULL,                       -- the proof of life: calls of a dead process are paid up to here
    stopped   timestamptz,                                -- ended in good order, or found dead
    counters  jsonb NOT NULL
);
CREATE INDEX processes_running ON processes (name, id) WHERE stopped IS NULL;

CREATE TABLE price_versions (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    price_list text NOT NULL CHECK (price_list ~ '^\S.{0,63}$'),
    loaded     timestamptz NOT NULL,
    operator   text NOT NULL
);
CREATE INDEX price_versions_list ON price_versions (price_list, id);

CREATE TABLE prices (
    version_id     bigint NOT NULL REFERENCES price_versions,
    prefix         text NOT NULL CHECK (prefix ~ '^[0-9]{1,20}$'),
    destination    text NOT NULL,
    currency       text NOT NULL,
    sell           numeric(20, 6) NOT NULL CHECK (sell >= 0),
    initial        int NOT NULL CHECK (initial >= 1),
    increment      int NOT NULL CHECK (increment >= 1),
    connection_fee numeric(20, 6) NOT NULL CHECK (connection_fee >= 0),
    buy            numeric(20, 6) CHECK (buy >= 0),
    buy_currency   text,
    valid_from     date,
    UNIQUE NULLS NOT DISTINCT (version_id, prefix, valid_from)
);

CREATE TABLE devices (
    name       text PRIMARY KEY CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
    account_id bigint REFERENCES accounts,
    address    text,                                      -- known by where its requests come from
    password   bytea,                                     -- AES-GCM; or known by its password
    CONSTRAINT known_somehow CHECK (num_nonnulls(address, password) = 1)
);

CREATE TABLE trunks (
    name     text PRIMARY KEY CHECK (name ~ '^\S{1,64}$'),
    uri      text NOT NULL,
    username text,
    password bytea,                                       -- AES-GCM
    register boolean NOT NULL,
    match    text NOT NULL CHECK (match ~ '^[0-9]*$'),
    strip    int NOT NULL CHECK (strip >= 0),
    add      text NOT NULL CHECK (add ~ '^[0-9+*#]*$'),
    priority int NOT NULL
);

CREATE TRIGGER notify AFTER INSERT OR UPDATE OR DELETE ON devices FOR EACH STATEMENT EXECUTE FUNCTION notify_table();
CREATE TRIGGER notify AFTER INSERT OR UPDATE OR DELETE ON trunks FOR EACH STATEMENT EXECUTE FUNCTION notify_table();

-- Where a telephone can be reached (RFC 3261 10.3). Written through on each change: registrations outlive a restart.
CREATE TABLE bindings (
    device      text NOT NULL REFERENCES devices ON DELETE CASCADE ON UPDATE CASCADE,
    contact     text NOT NULL,
    transport   text NOT NULL,                            -- the hop its REGISTER came from
    host        text NOT NULL,
    port        int NOT NULL,
    call_id     text NOT NULL,
    cseq        bigint NOT NULL,
    expires     timestamptz NOT NULL,
    user_agent  text,
    PRIMARY KEY (device, contact)
);

CREATE FUNCTION save_bindings(p_device text, p_bindings jsonb) RETURNS void LANGUAGE sql AS $$
    DELETE FROM bindings WHERE device = p_device
        AND contact NOT IN (SELECT contact FROM jsonb_to_recordset(p_bindings) AS b (contact text));
    INSERT INTO bindings (device, contact, transport, host, port, call_id, cseq, expires, user_agent)
        SELECT p_device, b.contact, b.transport, b.host, b.port, b.call_id, b.cseq, b.expires, b.user_agent
        FROM jsonb_to_recordset(p_bindings) AS b (contact text, transport text, host text, port int, call_id text,
            cseq bigint, expires timestamptz, user_agent text)
        ON CONFLICT (device, contact) DO UPDATE SET (transport, host, port, call_id, cseq, expires, user_agent)
            = (excluded.transport, excluded.host, excluded.port, excluded.call_id, excluded.cseq, excluded.expires,
               excluded.user_agent);
$$;
