-- The carriers tried for a call, one after another, each with what became of it. What we pay belongs to the one that answered.
--
-- Written together with the answer and the end of the call, in the same statements. An open attempt may be completed; a closed
-- one changes no more.

CREATE TABLE call_attempts (
    started    timestamptz NOT NULL,                      -- (started, call_id) is the key of the call's record
    call_id    bigint NOT NULL,
    place      int NOT NULL CHECK (place >= 1),           -- first, second …
    trunk      text NOT NULL,
    number     text,                                      -- as it was sent; unknown where the process died before it said so
    began      timestamptz NOT NULL,
    answered   timestamptz,
    ended      timestamptz,
    cause      call_cause,
    sip_status int,
    buy        jsonb,                                     -- what the carrier asks, as it was when the call began; null: unknown
    exchange   numeric CHECK (exchange > 0),              -- units of the call's currency for one of the carrier's
    buy_cost   numeric(20, 6) CHECK (buy_cost >= 0),      -- in the carrier's currency
    cost       numeric(20, 6) CHECK (cost >= 0),          -- in the call's
    PRIMARY KEY (started, call_id, place),
    CONSTRAINT closed_whole CHECK (num_nulls(ended, cause) IN (0, 2)),
    CONSTRAINT paid_where_it_answered CHECK (num_nulls(buy_cost, cost) IN (0, 2) AND (cost IS NULL OR answered IS NOT NULL))
);
CREATE INDEX call_attempts_trunk ON call_attempts (trunk, began);

CREATE TRIGGER never_removed BEFORE DELETE OR TRUNCATE ON call_attempts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER closed_for_good BEFORE UPDATE ON call_attempts FOR EACH ROW WHEN (old.ended IS NOT NULL)
    EXECUTE FUNCTION refuse_change();

-- Without any (null), nothing is done.
CREATE FUNCTION write_attempts(p_started timestamptz, p_call bigint, p_attempts jsonb) RETURNS void LANGUAGE plpgsql STRICT AS $$
BEGIN
    INSERT INTO call_attempts (started, call_id, place, trunk, number, began, answered, ended, cause, sip_status, buy, exchange,
            buy_cost, cost)
        SELECT p_started, p_call, a.place, a.trunk, a.number, greatest(a.began, p_started), a.answered, a.ended, a.cause,
            a.sip_status, a.buy, a.exchange, a.buy_cost, a.cost
        FROM jsonb_to_recordset(p_attempts) AS a (place int, trunk text, number text, began timestamptz, answered timestamptz,
            ended timestamptz, cause text, sip_status int, buy jsonb, exchange numeric, buy_cost numeric, cost numeric)
        ON CONFLICT (started, call_id, place) DO UPDATE SET (answered, ended, cause, sip_status, buy_cost, cost)
            = (excluded.answered, excluded.ended, excluded.cause, excluded.sip_status, excluded.buy_cost, excluded.cost)
            WHERE call_attempts.ended IS NULL;
END $$;
