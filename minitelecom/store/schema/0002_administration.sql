-- Those who administer, what they did, and what they set.

CREATE TABLE audit (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    happened timestamptz NOT NULL,
    who      text NOT NULL,
    what     text NOT NULL,
    subject  text NOT NULL,
    before   jsonb,
    after    jsonb
);
CREATE INDEX audit_happened ON audit (happened, id);
CREATE INDEX audit_subject ON audit (subject, id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE operators (
    name          text PRIMARY KEY CHECK (name ~ '^\S{1,64}$'),
    role          text NOT NULL CHECK (role IN ('administrator', 'operator')),
    password_hash text NOT NULL,                          -- argon2id
    enabled       boolean NOT NULL,
    created       timestamptz NOT NULL
);

CREATE TABLE web_sessions (
    token_hash bytea PRIMARY KEY,                         -- the token itself is only in the browser's cookie
    operator   text NOT NULL REFERENCES operators ON DELETE CASCADE ON UPDATE CASCADE,
    csrf       text NOT NULL,
    created    timestamptz NOT NULL,
    expires    timestamptz NOT NULL
);
CREATE INDEX web_sessions_expires ON web_sessions (expires);

CREATE TABLE settings (
    key   text PRIMARY KEY,
    value jsonb NOT NULL
);

-- Administrative changes reach every process within a second. Beginning, answering and ending a call never come here: a
-- transaction that notifies takes a lock of the whole database at its commit.
CREATE FUNCTION notify_change(p_change jsonb) RETURNS void LANGUAGE sql AS $$
    SELECT pg_notify('minitelecom', p_change::text)
$$;

CREATE FUNCTION notify_table() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM notify_change(jsonb_build_object(tg_table_name, 1));
    RETURN NULL;
END $$;
