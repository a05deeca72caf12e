-- Call records: one for each number dialled, from its first moment.
--
-- An answered call makes three statements: begin_call, answer_call, end_call. Each may be repeated: the answer to the first was
-- perhaps lost on the way, and a repetition returns it. Locks are taken in one order: record, reservation, account.
-- The key (started, id) allows partitions by month; nothing else refers to a record.

CREATE DOMAIN call_cause AS text CHECK (value IN ('normal', 'busy', 'no-answer', 'rejected', 'cancelled', 'no-route', 'no-price',
    'no-credit', 'credit-exhausted', 'blocked', 'interrupted', 'failed'));
CREATE DOMAIN call_refusal AS text CHECK (value IN ('no-credit', 'blocked', 'expired'));
CREATE DOMAIN whole_seconds AS int CHECK (value >= 0);

CREATE TABLE call_records (
    id               bigint GENERATED ALWAYS AS IDENTITY,
    started          timestamptz NOT NULL,
    process_id       bigint NOT NULL REFERENCES processes,
    session          text NOT NULL,                       -- the visit in which the number was dialled
    account_id       bigint REFERENCES accounts,
    device           text,
    calling_number   text,
    called_number    text NOT NULL,
    destination      text,
    trunk            text,
    rate             jsonb,                               -- as it was at the beginning: ending or recovering needs no price list
    currency         currency_code NOT NULL,
    reservation_id   bigint,
    refusal          call_refusal,
    promised_seconds whole_seconds,
    answered         timestamptz,
    ended            timestamptz,
    billed_seconds   whole_seconds,
    cost             numeric(20, 6),
    movement_id      bigint,
    cause            call_cause,
    sip_status       int,
    ended_by         text,
    PRIMARY KEY (started, id),
    UNIQUE (started, session, called_number),             -- what a repeated beginning is known by
    CONSTRAINT closed_whole CHECK (num_nulls(ended, cause, cost, billed_seconds) IN (0, 4)),
    CONSTRAINT charged_when_answered_and_by_a_movement CHECK (
        CASE WHEN cost <> 0 THEN cost > 0 AND movement_id IS NOT NULL AND answered IS NOT NULL ELSE movement_id IS NULL END)
) WITH (autovacuum_analyze_threshold = 1000, autovacuum_vacuum_threshold = 1000);
CREATE INDEX call_records_open ON call_records (process_id) WHERE ended IS NULL;
CREATE INDEX call_records_account ON call_records (account_id, started);
CREATE INDEX call_records_called ON call_records (called_number text_pattern_ops, started);
CREATE INDEX call_records_calling ON call_records (calling_number text_pattern_ops, started);

CREATE TRIGGER never_removed BEFORE DELETE OR TRUNCATE ON call_records
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER keeps_its_beginning
    BEFORE UPDATE OF started, id, process_id, account_id, called_number, rate, currency, reservation_id ON call_records
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION record_is_closed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'MT032', MESSAGE = 'call ' || old.id || ' is closed and changes no more';
END $$;
CREATE TRIGGER closed_for_good BEFORE UPDATE ON call_records FOR EACH ROW WHEN (old.ended IS NOT NULL)
    EXECUTE FUNCTION record_is_closed();

-- Writes the record always, and reserves the largest first + n·step within what is available and within the ceiling.
-- A call without account, or one that costs nothing, reserves nothing. A refused call is closed at once.
CREATE FUNCTION begin_call(
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
    END IF;
    IF v_charged AND refusal IS NULL THEN
        reserved := affordable(least(v_account.balance - v_account.reserved, p_ceiling), p_first, p_step);
        IF reserved > 0 THEN
            INSERT INTO reservations (account_id, purpose, amount, state, held)
                VALUES (p_account, 'call', begin_call.reserved, 'held', p_started) RETURNING reservations.id INTO v_reservation;
            UPDATE accounts a SET reserved = a.reserved + begin_call.reserved WHERE a.id = p_account;
        ELSE
            refusal := 'no-credit';
            reserved := NULL;
        END IF;
    END IF;
    v_cause := coalesce(v_cause, CASE refusal WHEN 'expired' THEN 'blocked' ELSE refusal END);
    INSERT INTO call_records (started, process_id, session, account_id, device, calling_number, called_number, destination,
            trunk, rate, currency, reservation_id, refusal, ended, billed_seconds, cost, cause, ended_by)
        VALUES (p_started, p_process, p_session, p_account, p_device, p_calling_number, p_called_number, p_destination,
            p_trunk, p_rate, p_currency, v_reservation, begin_call.refusal,
            CASE WHEN v_cause IS NOT NULL THEN p_started END, CASE WHEN v_cause IS NOT NULL THEN 0 END,
            CASE WHEN v_cause IS NOT NULL THEN 0 END, v_cause, CASE WHEN v_cause IS NOT NULL THEN 'switch' END)
        RETURNING call_records.id INTO begin_call.id;
END $$;

-- False: the record is closed already, so its process was taken for dead.
CREATE FUNCTION answer_call(
    p_id bigint, p_started timestamptz, p_instant timestamptz, p_promised_seconds int, p_trunk text
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    UPDATE call_records SET answered = coalesce(answered, greatest(p_instant, p_started)),
            promised_seconds = coalesce(p_promised_seconds, promised_seconds), trunk = coalesce(p_trunk, trunk)
        WHERE started = p_started AND id = p_id AND ended IS NULL;
    RETURN found;
END $$;

-- After a recharge: the reservation grows to the largest first + n·step that is affordable now; it never shrinks.
CREATE FUNCTION enlarge_call(
    p_id bigint, p_started timestamptz, p_first numeric, p_step numeric, p_ceiling numeric
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
    v_amount := affordable(least(v_account.balance - v_account.reserved + v_reservation.amount, p_ceiling), p_first, p_step);
    IF v_amount > v_reservation.amount THEN
        UPDATE reservations SET amount = v_amount WHERE id = v_reservation.id;
        UPDATE accounts SET reserved = reserved + v_amount - v_reservation.amount WHERE id = v_account.id;
        RETURN v_amount;
    END IF;
    RETURN v_reservation.amount;
END $$;

-- Closes the record, moves its money within the reservation, returns the rest: all of it or nothing.
-- A record that is closed already stays as it is, and its first answer is returned.
CREATE FUNCTION end_call(
    p_id bigint, p_started timestamptz, p_ended timestamptz, p_billed_seconds int, p_cost numeric, p_cause text,
    p_sip_status int, p_ended_by text, p_answered timestamptz, p_promised_seconds int,
    OUT repeated boolean, OUT cost numeric, OUT cause text, OUT ended timestamptz
) LANGUAGE plpgsql AS $$
DECLARE
    v_record call_records;
    v_movement bigint;
BEGIN
    SELECT * INTO v_record FROM call_records r WHERE r.started = p_started AND r.id = p_id FOR UPDATE;
    IF v_record.id IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'MT031', MESSAGE = 'there is no call ' || p_id || ' of ' || p_started;
    END IF;
    repeated := v_record.ended IS NOT NULL;
    IF repeated THEN
        cost := v_record.cost;
        cause := v_record.cause;
        ended := v_record.ended;
        RETURN;
    END IF;
    cost := p_cost;
    cause := p_cause;
    ended := greatest(p_ended, v_record.answered, p_answered, p_started);
    IF p_cost > 0 THEN
        v_movement := settle(v_record.reservation_id, p_cost, 'call:' || p_id, ended, v_record.called_number);
    ELSIF v_record.reservation_id IS NOT NULL THEN
        PERFORM release(v_record.reservation_id, CASE p_cause WHEN 'interrupted' THEN 'expired' ELSE 'released' END, ended);
    END IF;
    UPDATE call_records r SET ended = end_call.ended, billed_seconds = p_billed_seconds, cost = p_cost, cause = p_cause,
            sip_status = p_sip_status, ended_by = p_ended_by, movement_id = v_movement,
            answered = coalesce(r.answered, p_answered), promised_seconds = coalesce(p_promised_seconds, r.promised_seconds)
        WHERE r.started = p_started AND r.id = p_id;
END $$;
