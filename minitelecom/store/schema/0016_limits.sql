-- What an account may do at once, in a minute and in an hour, and which numbers wait for somebody's word.
--
-- All of it is looked at by begin_call, under the lock of the account, so that two calls at the same moment count each other.
-- Nothing here is kept in memory, so nothing notifies.

CREATE TABLE limits (
    account_id       bigint REFERENCES accounts,          -- null: every account that has none of its own
    calls_at_once    int CHECK (calls_at_once >= 0),      -- in all of these null is what everybody has, 0 is no limit
    calls_a_minute   int CHECK (calls_a_minute >= 0),
    price_a_minute   numeric(20, 6) CHECK (price_a_minute >= 0),
    money_an_hour    numeric(20, 6) CHECK (money_an_hour >= 0), -- of the calls begun within an hour
    first_calls_held boolean,                             -- the first call of a month to a destination waits to be released
    UNIQUE NULLS NOT DISTINCT (account_id)
);

CREATE TABLE holds (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id  bigint REFERENCES accounts,               -- null: nobody may
    prefix      text CHECK (prefix ~ '^[0-9]{1,15}$'),    -- of numbers that somebody holds;
    destination text,                                     -- or what a first call went to
    since       timestamptz NOT NULL,
    released    timestamptz,
    CONSTRAINT held_by_prefix_or_as_a_first_call CHECK (num_nonnulls(prefix, destination) = 1),
    CONSTRAINT first_calls_are_of_an_account CHECK (destination IS NULL OR account_id IS NOT NULL)
);
CREATE UNIQUE INDEX holds_in_force ON holds (account_id, prefix, destination) NULLS NOT DISTINCT WHERE released IS NULL;
CREATE INDEX holds_of_account ON holds (account_id, destination);
CREATE TRIGGER never_removed BEFORE DELETE OR TRUNCATE ON holds
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE INDEX call_records_running ON call_records (account_id) WHERE ended IS NULL;

ALTER DOMAIN call_refusal DROP CONSTRAINT call_refusal_check;
ALTER DOMAIN call_refusal ADD CONSTRAINT call_refusal_check CHECK (value IN ('no-credit', 'blocked', 'expired', 'calls-at-once',
    'calls-a-minute', 'price-a-minute', 'money-an-hour', 'held', 'first-call'));

CREATE FUNCTION limits_of(p_account bigint) RETURNS limits LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_own limits;
    v_usual limits;
BEGIN
    SELECT * INTO v_own FROM limits WHERE account_id = p_account;
    SELECT * INTO v_usual FROM limits WHERE account_id IS NULL;
    RETURN (p_account, nullif(coalesce(v_own.calls_at_once, v_usual.calls_at_once), 0),
        nullif(coalesce(v_own.calls_a_minute, v_usual.calls_a_minute), 0),
        nullif(coalesce(v_own.price_a_minute, v_usual.price_a_minute), 0),
        nullif(coalesce(v_own.money_an_hour, v_usual.money_an_hour), 0),
        coalesce(v_own.first_calls_held, v_usual.first_calls_held, false))::limits;
END $$;

-- What the calls begun within the last hour have left of it: what they cost, or still hold. Null: there is no limit.
CREATE FUNCTION left_of_the_hour(p_limits limits, p_account bigint, p_instant timestamptz, p_but bigint) RETURNS numeric
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF p_limits.money_an_hour IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN greatest(0, p_limits.money_an_hour - coalesce((
        SELECT sum(coalesce(r.cost, v.amount)) FROM call_records r LEFT JOIN reservations v ON v.id = r.reservation_id
            WHERE r.account_id = p_account AND r.started > p_instant - interval '1 hour' AND r.id IS DISTINCT FROM p_but), 0));
END $$;

-- The first call of a month, by the clock of the account, to a destination: whether it may not begin yet. It leaves a hold to be
-- released, once.
CREATE FUNCTION first_call_waits(p_account accounts, p_started timestamptz, p_destination text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_month CONSTANT timestamptz := date_trunc('month', p_started AT TIME ZONE p_account.zone) AT TIME ZONE p_account.zone;
BEGIN
    IF EXISTS (SELECT FROM holds h WHERE h.account_id = p_account.id AND h.destination = p_destination AND h.released >= v_month)
            OR EXISTS (SELECT FROM call_records r WHERE r.account_id = p_account.id AND r.started >= v_month
                AND r.destination = p_destination AND r.answered IS NOT NULL) THEN
        RETURN false;
    END IF;
    INSERT INTO holds (account_id, destination, since) VALUES (p_account.id, p_destination, p_started) ON CONFLICT DO NOTHING;
    RETURN true;
END $$;

-- Which limit a call would exceed, or what holds it; null: none.
CREATE FUNCTION beyond_limits(
    p_limits limits, p_account accounts, p_started timestamptz, p_called_number text, p_destination text, p_rate jsonb
) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM holds h WHERE h.released IS NULL AND h.prefix IS NOT NULL
            AND (h.account_id IS NULL OR h.account_id = p_account.id) AND starts_with(p_called_number, h.prefix)) THEN
        RETURN 'held';
    ELSIF (p_rate ->> 'sell')::numeric > p_limits.price_a_minute THEN
        RETURN 'price-a-minute';
    ELSIF p_limits.calls_at_once IS NOT NULL AND p_limits.calls_at_once <= (
            SELECT count(*) FROM call_records r WHERE r.account_id = p_account.id AND r.ended IS NULL) THEN
        RETURN 'calls-at-once';
    ELSIF p_limits.calls_a_minute IS NOT NULL AND p_limits.calls_a_minute <= (
            SELECT count(*) FROM call_records r WHERE r.account_id = p_account.id AND r.refusal IS NULL
                AND r.started > p_started - interval '1 minute') THEN
        RETURN 'calls-a-minute';
    ELSIF p_limits.first_calls_held AND p_destination IS NOT NULL AND p_rate IS NOT NULL
            AND first_call_waits(p_account, p_started, p_destination) THEN
        RETURN 'first-call';
    END IF;
    RETURN NULL;
END $$;

-- As it was, within the limits of the account. Writes the record always, and reserves the largest first + n·step within what is available and within the ceiling.
-- A call without account, or one that costs nothing, reserves nothing. A refused call is closed at once.
CREATE OR REPLACE FUNCTION begin_call(
    p_process bigint, p_session text, p_started timestamptz, p_account bigint, p_device text, p_calling_number text,
    p_called_number text, p_destination text, p_trunk text, p_rate jsonb, p_currency text,
    p_ceiling numeric, p_first numeric, p_step numeric, p_cause text,
    OUT id bigint, OUT reserved numeric, OUT refusal text
) LANGUAGE plpgsql AS $$
DECLARE
    v_account accounts;
    v_charged boolean := p_account IS NOT NULL AND p_cause IS NULL AND (p_first > 0 OR p_step > 0);
    v_reservation bigint;
    v_cause text := p_cause;
    v_limits limits;
    v_most numeric;
BEGIN
    SELECT r.id, v.amount, r.refusal INTO begin_call.id, begin_call.reserved, begin_call.refusal
        FROM call_records r LEFT JOIN reservations v ON v.id = r.reservation_id
        WHERE r.started = p_started AND r.session = p_session AND r.called_number = p_called_number;
    IF begin_call.id IS NOT NULL THEN
        RETURN;
    END IF;
    PERFORM FROM processes p WHERE p.id = p_process AND p.stopped IS NULL;
    IF NOT found THEN
        RAISE EXCEPTION USING ERRCODE = 'MT030', MESSAGE = 'process ' || p_process || ' is taken for dead';
    END IF;
    IF p_account IS NOT NULL AND p_cause IS NULL THEN
        SELECT * INTO v_account FROM accounts a WHERE a.id = p_account AND a.kind <> 'house' FOR UPDATE;
        IF v_account.id IS NULL OR v_account.currency <> p_currency THEN
            RAISE EXCEPTION USING ERRCODE = 'MT013', MESSAGE = 'account ' || p_account || ' has no ' || p_currency;
        END IF;
        IF v_account.status = 'inactive' AND v_account.activation = 'first-use' THEN
            PERFORM activate(p_account, p_started);
        ELSE
            refusal := CASE standing(v_account.status, v_account.valid_until, p_started)
                WHEN 'enabled' THEN NULL WHEN 'expired' THEN 'expired' ELSE 'blocked' END;
        END IF;
        v_limits := limits_of(p_account);
        refusal := coalesce(refusal, beyond_limits(v_limits, v_account, p_started, p_called_number, p_destination, p_rate));
    END IF;
    IF v_charged AND refusal IS NULL THEN
        v_most := least(v_account.balance - v_account.reserved, p_ceiling);
        reserved := affordable(least(v_most, left_of_the_hour(v_limits, p_account, p_started, NULL)), p_first, p_step);
        IF reserved > 0 THEN
            INSERT INTO reservations (account_id, purpose, amount, state, held)
                VALUES (p_account, 'call', begin_call.reserved, 'held', p_started) RETURNING reservations.id INTO v_reservation;
            UPDATE accounts a SET reserved = a.reserved + begin_call.reserved WHERE a.id = p_account;
        ELSE
            refusal := CASE WHEN affordable(v_most, p_first, p_step) > 0 THEN 'money-an-hour' ELSE 'no-credit' END;
            reserved := NULL;
        END IF;
    END IF;
    v_cause := coalesce(v_cause, CASE WHEN refusal = 'no-credit' THEN 'no-credit' WHEN refusal IS NOT NULL THEN 'blocked' END);
    INSERT INTO call_records (started, process_id, session, account_id, device, calling_number, called_number, destination,
            trunk, rate, currency, reservation_id, refusal, ended, billed_seconds, cost, cause, ended_by)
        VALUES (p_started, p_process, p_session, p_account, p_device, p_calling_number, p_called_number, p_destination,
            p_trunk, p_rate, p_currency, v_reservation, begin_call.refusal,
            CASE WHEN v_cause IS NOT NULL THEN p_started END, CASE WHEN v_cause IS NOT NULL THEN 0 END,
            CASE WHEN v_cause IS NOT NULL THEN 0 END, v_cause, CASE WHEN v_cause IS NOT NULL THEN 'switch' END)
        RETURNING call_records.id INTO begin_call.id;
END $$;

-- After a recharge: the reservation grows to the largest first + n·step that is affordable now; it never shrinks.
DROP FUNCTION enlarge_call;
CREATE FUNCTION enlarge_call(
    p_id bigint, p_started timestamptz, p_first numeric, p_step numeric, p_ceiling numeric, p_instant timestamptz
) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
    v_reservation reservations;
    v_account accounts;
    v_amount numeric;
BEGIN
    SELECT v.* INTO v_reservation FROM call_records r JOIN reservations v ON v.id = r.reservation_id
        WHERE r.started = p_started AND r.id = p_id AND r.ended IS NULL FOR UPDATE;
    IF v_reservation.id IS NULL THEN
        RETURN 0;
    END IF;
    SELECT * INTO v_account FROM accounts WHERE id = v_reservation.account_id FOR UPDATE;
    v_amount := affordable(least(v_account.balance - v_account.reserved + v_reservation.amount, p_ceiling,
        left_of_the_hour(limits_of(v_account.id), v_account.id, p_instant, p_id)), p_first, p_step);
    IF v_amount > v_reservation.amount THEN
        UPDATE reservations SET amount = v_amount WHERE id = v_reservation.id;
        UPDATE accounts SET reserved = reserved + v_amount - v_reservation.amount WHERE id = v_account.id;
        RETURN v_amount;
    END IF;
    RETURN v_reservation.amount;
END $$;
