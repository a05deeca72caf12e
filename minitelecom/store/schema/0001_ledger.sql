-- Accounts, the append-only double-entry ledger, reservations.
--
-- Sign: a positive amount is a credit, a negative one a debit. A customer's account is what we owe him, so his balance is the
-- sum of his lines: a recharge credits it, a call debits it. Every movement's lines sum to zero.
--
-- A customer's account stores its balance, the number of its lines and the hash of the last one; a deferred trigger holds them
-- against that last line, so that a balance changes with a line or not at all. House accounts (cash, revenue, …) store nothing:
-- they are summed, since a stored balance would be one row that every call waits for. For the same reason only the lines of
-- customers are chained; the line of the house is covered by the digest of its movement, which the customer's line seals.
--
-- Our own errors have an SQLSTATE of class MT; minitelecom/store/refusals.py gives each its exception.

CREATE TABLE accounts (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind          text NOT NULL CHECK (kind IN ('card', 'shop', 'house')),
    name          text,                                   -- of a house account
    currency      text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    status        text NOT NULL CHECK (status IN ('inactive', 'enabled', 'disabled', 'closed')),
    activation    text NOT NULL CHECK (activation IN ('first-use', 'later', 'now')),
    zone          text NOT NULL,                          -- the day ends where the account was opened
    created       timestamptz NOT NULL,
    activated     timestamptz,
    valid_until   timestamptz,                            -- the last second of validity; null: for ever
    last_recharge timestamptz,
    balance       numeric(20, 6),
    reserved      numeric(20, 6),
    lines         bigint,                                 -- how many lines the chain has
    head          bytea,                                  -- hash of the last one
    UNIQUE (id, currency),
    CONSTRAINT house_stores_no_balance CHECK (
        (kind = 'house' AND name IS NOT NULL AND num_nonnulls(balance, reserved, lines, head) = 0)
        OR (kind <> 'house' AND name IS NULL AND num_nulls(balance, reserved, lines, head) = 0)),
    CONSTRAINT promise_is_covered CHECK (balance >= reserved AND reserved >= 0)
);
CREATE UNIQUE INDEX house_accounts ON accounts (name, currency) WHERE kind = 'house';

CREATE TABLE movements (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key      text NOT NULL UNIQUE CHECK (length(key) BETWEEN 1 AND 200),
    body     bytea NOT NULL,                              -- hash of what was asked for: the same key must mean the same movement
    kind     text NOT NULL CHECK (kind IN ('issue', 'recharge', 'call', 'correction')),
    currency text NOT NULL,
    happened timestamptz NOT NULL,
    operator text,
    note     text,
    digest   bytea NOT NULL,                              -- hash of the whole movement, its lines included
    UNIQUE (id, currency)
);

CREATE TABLE movement_lines (
    movement_id   bigint NOT NULL,
    account_id    bigint NOT NULL,
    currency      text NOT NULL,
    amount        numeric(20, 6) NOT NULL CHECK (amount <> 0),
    sequence      bigint CHECK (sequence > 0),            -- these three: null on a house account
    balance_after numeric(20, 6),
    hash          bytea,
    PRIMARY KEY (movement_id, account_id),
    FOREIGN KEY (movement_id, currency) REFERENCES movements (id, currency),
    FOREIGN KEY (account_id, currency) REFERENCES accounts (id, currency),
    CONSTRAINT chained_or_not CHECK (num_nulls(sequence, balance_after, hash) IN (0, 3))
);
CREATE UNIQUE INDEX movement_lines_chain ON movement_lines (account_id, sequence) WHERE sequence IS NOT NULL;

CREATE TABLE reservations (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id  bigint NOT NULL REFERENCES accounts,
    purpose     text NOT NULL CHECK (purpose IN ('call', 'other')),
    amount      numeric(20, 6) NOT NULL CHECK (amount > 0),
    state       text NOT NULL CHECK (state IN ('held', 'settled', 'released', 'expired')),
    held        timestamptz NOT NULL,
    resolved    timestamptz,
    settled     numeric(20, 6),
    movement_id bigint REFERENCES movements,
    CONSTRAINT resolved_once CHECK ((state = 'held') = (resolved IS NULL)),
    CONSTRAINT settled_by_a_movement CHECK (
        (state = 'settled') = (settled IS NOT NULL) AND (settled IS NULL) = (movement_id IS NULL)),
    CONSTRAINT settlement_within_reservation CHECK (settled > 0 AND settled <= amount)
);
CREATE INDEX reservations_held ON reservations (account_id) WHERE state = 'held';


-- What may not be changed.

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'MT001',
        MESSAGE = tg_table_name || ' is kept as written: ' || lower(tg_op) || ' refused';
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON movements
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON movement_lines
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_removed BEFORE DELETE OR TRUNCATE ON accounts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_removed BEFORE DELETE OR TRUNCATE ON reservations
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION account_begins_empty() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.kind <> 'house' AND (new.balance <> 0 OR new.reserved <> 0 OR new.lines <> 0 OR new.head <> '') THEN
        RAISE EXCEPTION USING ERRCODE = 'MT003', MESSAGE = 'an account begins empty; money comes by a movement';
    END IF;
    RETURN new;
END $$;
CREATE TRIGGER begins_empty BEFORE INSERT ON accounts FOR EACH ROW EXECUTE FUNCTION account_begins_empty();

-- At commit: what an account says of itself is what its last line and its reservations say.
CREATE FUNCTION account_agrees() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_account accounts;
    v_line movement_lines;
BEGIN
    SELECT * INTO v_account FROM accounts WHERE id = new.id;
    SELECT * INTO v_line FROM movement_lines WHERE account_id = new.id AND sequence = v_account.lines;
    IF v_account.balance IS DISTINCT FROM coalesce(v_line.balance_after, 0)
            OR v_account.head IS DISTINCT FROM coalesce(v_line.hash, '') OR v_account.lines < old.lines THEN
        RAISE EXCEPTION USING ERRCODE = 'MT003',
            MESSAGE = 'account ' || new.id || ': a balance changes only by a movement';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER balance_agrees AFTER UPDATE ON accounts DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN ((old.balance, old.lines, old.head) IS DISTINCT FROM (new.balance, new.lines, new.head))
    EXECUTE FUNCTION account_agrees();

CREATE FUNCTION account_keeps_its_nature() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'MT001', MESSAGE = 'account ' || old.id || ': kind, name and currency stay as they are';
END $$;
CREATE TRIGGER keeps_its_nature BEFORE UPDATE ON accounts FOR EACH ROW
    WHEN ((old.kind, old.name, old.currency) IS DISTINCT FROM (new.kind, new.name, new.currency))
    EXECUTE FUNCTION account_keeps_its_nature();

-- At commit: the reserved sum of an account is the sum of its held reservations.
CREATE FUNCTION check_reserved(p_account bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_reserved numeric;
    v_held numeric;
BEGIN
    SELECT reserved INTO v_reserved FROM accounts WHERE id = p_account;
    SELECT coalesce(sum(amount), 0) INTO v_held FROM reservations WHERE account_id = p_account AND state = 'held';
    IF v_reserved IS DISTINCT FROM v_held THEN
        RAISE EXCEPTION USING ERRCODE = 'MT003',
            MESSAGE = 'account ' || p_account || ': reserved ' || coalesce(v_reserved::text, 'nothing')
                || ', but its reservations hold ' || v_held;
    END IF;
END $$;

CREATE FUNCTION account_reserved_agrees() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM check_reserved(new.id);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER reserved_agrees AFTER UPDATE ON accounts DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (old.reserved IS DISTINCT FROM new.reserved) EXECUTE FUNCTION account_reserved_agrees();

CREATE FUNCTION reservation_agrees() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM check_reserved(new.account_id);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER reservation_agrees AFTER INSERT OR UPDATE ON reservations DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION reservation_agrees();

CREATE FUNCTION reservation_resolved_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF old.state <> 'held' OR new.amount < old.amount
            OR (new.id, new.account_id, new.purpose, new.held) IS DISTINCT FROM (old.id, old.account_id, old.purpose, old.held)
            OR (new.state <> 'held' AND new.amount <> old.amount) THEN
        RAISE EXCEPTION USING ERRCODE = 'MT001',
            MESSAGE = 'reservation ' || old.id || ': only a held one changes, by growing or by being resolved';
    END IF;
    RETURN new;
END $$;
CREATE TRIGGER resolved_once BEFORE UPDATE ON reservations FOR EACH ROW EXECUTE FUNCTION reservation_resolved_once();

-- At commit: the lines of a movement sum to zero, and a customer's line is the last one of his account or older.
CREATE FUNCTION line_agrees() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_account accounts;
BEGIN
    IF (SELECT sum(amount) FROM movement_lines WHERE movement_id = new.movement_id) <> 0 THEN
        RAISE EXCEPTION USING ERRCODE = 'MT002',
            MESSAGE = 'movement ' || new.movement_id || ': its lines do not sum to zero';
    END IF;
    SELECT * INTO v_account FROM accounts WHERE id = new.account_id;
    IF (v_account.kind = 'house') <> (new.sequence IS NULL) OR new.sequence > v_account.lines
            OR (new.sequence = v_account.lines AND new.hash <> v_account.head) THEN
        RAISE EXCEPTION USING ERRCODE = 'MT003',
            MESSAGE = 'movement ' || new.movement_id || ': its line does not fit account ' || new.account_id;
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER line_agrees AFTER INSERT ON movement_lines DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION line_agrees();

CREATE FUNCTION movement_has_lines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM movement_lines WHERE movement_id = new.id) THEN
        RAISE EXCEPTION USING ERRCODE = 'MT002', MESSAGE = 'movement ' || new.id || ' has no lines';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER has_lines AFTER INSERT ON movements DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION movement_has_lines();


-- The functions that move money.

CREATE FUNCTION movement_digest(
    p_key text, p_kind text, p_currency text, p_happened timestamptz, p_operator text, p_note text, p_lines text
) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(convert_to(concat_ws(E'\n', quote_literal(p_key), p_kind, p_currency,
        to_char(p_happened AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), quote_nullable(p_operator),
        quote_nullable(p_note), p_lines), 'UTF8'))
$$;

CREATE FUNCTION line_hash(
    p_previous bytea, p_digest bytea, p_account bigint, p_sequence bigint, p_amount numeric, p_balance_after numeric
) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(p_previous || p_digest || convert_to(p_account || ':' || p_sequence || ':'
        || p_amount::numeric(20, 6) || ':' || p_balance_after::numeric(20, 6), 'UTF8'))
$$;

CREATE FUNCTION open_account(
    p_kind text, p_currency text, p_status text, p_activation text, p_zone text, p_instant timestamptz
) RETURNS bigint LANGUAGE sql AS $$
    INSERT INTO accounts (kind, currency, status, activation, zone, created, balance, reserved, lines, head)
    VALUES (p_kind, p_currency, p_status, p_activation, p_zone, p_instant, 0, 0, 0, '') RETURNING id
$$;

CREATE FUNCTION house_account(p_name text, p_currency text, p_instant timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_id bigint;
BEGIN
    SELECT id INTO v_id FROM accounts WHERE kind = 'house' AND name = p_name AND currency = p_currency;
    IF v_id IS NULL THEN
        INSERT INTO accounts (kind, name, currency, status, activation, zone, created)
        VALUES ('house', p_name, p_currency, 'enabled', 'now', 'UTC', p_instant) ON CONFLICT DO NOTHING;
        SELECT id INTO v_id FROM accounts WHERE kind = 'house' AND name = p_name AND currency = p_currency;
    END IF;
    RETURN v_id;
END $$;

-- One movement. Repeated with the same key and body it changes nothing; with another body it is an error.
-- Accounts are locked in the order of their numbers, and before the key is taken, so that no two movements wait for each other.
CREATE FUNCTION move(
    p_key text, p_kind text, p_currency text, p_accounts bigint[], p_amounts numeric[],
    p_instant timestamptz, p_operator text, p_note text,
    OUT movement_id bigint, OUT repeated boolean
) LANGUAGE plpgsql AS $$
DECLARE
    v_lines text;
    v_body bytea;
    v_digest bytea;
    v_first_body bytea;
    v_line record;
    v_customers int := 0;
BEGIN
    IF EXISTS (SELECT FROM unnest(p_amounts) AS amount WHERE amount <> round(amount, 6)) THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'an amount has more than six decimals';
    END IF;
    PERFORM FROM accounts WHERE id = ANY (p_accounts) AND kind <> 'house' ORDER BY id FOR UPDATE;
    SELECT string_agg(l.account || ':' || l.amount::numeric(20, 6), ',' ORDER BY l.account) INTO v_lines
        FROM unnest(p_accounts, p_amounts) AS l (account, amount);
    v_body := sha256(convert_to(concat_ws(E'\n', p_kind, p_currency, v_lines), 'UTF8'));
    v_digest := movement_digest(p_key, p_kind, p_currency, p_instant, p_operator, p_note, v_lines);
    INSERT INTO movements (key, body, kind, currency, happened, operator, note, digest)
        VALUES (p_key, v_body, p_kind, p_currency, p_instant, p_operator, p_note, v_digest)
        ON CONFLICT (key) DO NOTHING RETURNING id INTO movement_id;
    repeated := movement_id IS NULL;
    IF repeated THEN
        SELECT id, body INTO movement_id, v_first_body FROM movements WHERE key = p_key;
        IF v_first_body <> v_body THEN
            RAISE EXCEPTION USING ERRCODE = 'MT010', MESSAGE = 'the key ' || p_key || ' belongs to another movement';
        END IF;
        RETURN;
    END IF;
    FOR v_line IN SELECT a.id, a.kind, a.balance, a.reserved, a.lines, a.head, l.amount
            FROM unnest(p_accounts, p_amounts) AS l (account, amount) JOIN accounts a ON a.id = l.account ORDER BY a.id LOOP
        IF v_line.kind = 'house' THEN
            INSERT INTO movement_lines (movement_id, account_id, currency, amount)
                VALUES (move.movement_id, v_line.id, p_currency, v_line.amount);
            CONTINUE;
        END IF;
        v_customers := v_customers + 1;
        IF v_line.balance + v_line.amount < v_line.reserved THEN
            RAISE EXCEPTION USING ERRCODE = 'MT011', MESSAGE = 'account ' || v_line.id || ': '
                || (v_line.balance - v_line.reserved) || ' available, ' || -v_line.amount || ' asked for';
        END IF;
        v_line.head := line_hash(v_line.head, v_digest, v_line.id, v_line.lines + 1, v_line.amount,
            v_line.balance + v_line.amount);
        INSERT INTO movement_lines (movement_id, account_id, currency, amount, sequence, balance_after, hash)
            VALUES (move.movement_id, v_line.id, p_currency, v_line.amount, v_line.lines + 1,
                v_line.balance + v_line.amount, v_line.head);
        UPDATE accounts SET balance = v_line.balance + v_line.amount, lines = v_line.lines + 1, head = v_line.head
            WHERE id = v_line.id;
    END LOOP;
    IF v_customers = 0 THEN
        RAISE EXCEPTION USING ERRCODE = 'MT002', MESSAGE = 'a movement touches at least one customer, whose chain seals it';
    END IF;
END $$;

-- Reservations. The caller of these holds no lock; each takes the reservation first, then its account.

CREATE FUNCTION reserve(p_account bigint, p_purpose text, p_amount numeric, p_instant timestamptz)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_account accounts;
    v_id bigint;
BEGIN
    SELECT * INTO v_account FROM accounts WHERE id = p_account AND kind <> 'house' FOR UPDATE;
    IF v_account.id IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'MT012', MESSAGE = 'there is no customer account ' || p_account;
    END IF;
    IF v_account.balance - v_account.reserved < p_amount THEN
        RAISE EXCEPTION USING ERRCODE = 'MT011', MESSAGE = 'account ' || p_account || ': '
            || (v_account.balance - v_account.reserved) || ' available, ' || p_amount || ' asked for';
    END IF;
    INSERT INTO reservations (account_id, purpose, amount, state, held)
        VALUES (p_account, p_purpose, p_amount, 'held', p_instant) RETURNING id INTO v_id;
    UPDATE accounts SET reserved = reserved + p_amount WHERE id = p_account;
    RETURN v_id;
END $$;

-- Locks a reservation that is still held; each other state is refused with its own reason.
CREATE FUNCTION held_reservation(p_id bigint) RETURNS reservations LANGUAGE plpgsql AS $$
DECLARE
    v_reservation reservations;
BEGIN
    SELECT * INTO v_reservation FROM reservations WHERE id = p_id FOR UPDATE;
    IF v_reservation.id IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'MT020', MESSAGE = 'there is no reservation ' || coalesce(p_id::text, 'at all');
    ELSIF v_reservation.state = 'settled' THEN
        RAISE EXCEPTION USING ERRCODE = 'MT021', MESSAGE = 'reservation ' || p_id || ' is settled already';
    ELSIF v_reservation.state = 'released' THEN
        RAISE EXCEPTION USING ERRCODE = 'MT022', MESSAGE = 'reservation ' || p_id || ' was released';
    ELSIF v_reservation.state = 'expired' THEN
        RAISE EXCEPTION USING ERRCODE = 'MT024', MESSAGE = 'reservation ' || p_id || ' expired with its process';
    END IF;
    RETURN v_reservation;
END $$;

CREATE FUNCTION release(p_id bigint, p_state text, p_instant timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_reservation reservations := held_reservation(p_id);
BEGIN
    UPDATE reservations SET state = p_state, resolved = p_instant WHERE id = p_id;
    UPDATE accounts SET reserved = reserved - v_reservation.amount WHERE id = v_reservation.account_id;
END $$;

-- Takes the used part to the revenue and returns the rest at once.
CREATE FUNCTION settle(p_id bigint, p_amount numeric, p_key text, p_instant timestamptz, p_note text)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_reservation reservations;
    v_currency text;
    v_first bigint;
    v_movement bigint;
BEGIN
    PERFORM FROM reservations WHERE id = p_id FOR UPDATE;
    SELECT r.movement_id INTO v_first FROM reservations r JOIN movements m ON m.id = r.movement_id
        WHERE r.id = p_id AND r.settled = p_amount AND m.key = p_key;
    IF v_first IS NOT NULL THEN
        RETURN v_first;
    ELSIF EXISTS (SELECT FROM movements WHERE key = p_key) THEN
        RAISE EXCEPTION USING ERRCODE = 'MT010', MESSAGE = 'the key ' || p_key || ' belongs to another movement';
    END IF;
    v_reservation := held_reservation(p_id);
    IF p_amount > v_reservation.amount THEN
        RAISE EXCEPTION USING ERRCODE = 'MT023', MESSAGE = 'reservation ' || p_id || ' holds ' || v_reservation.amount
            || ', ' || p_amount || ' asked for';
    END IF;
    UPDATE accounts SET reserved = reserved - v_reservation.amount WHERE id = v_reservation.account_id
        RETURNING currency INTO v_currency;
    SELECT m.movement_id INTO v_movement FROM move(p_key, 'call', v_currency,
        ARRAY[v_reservation.account_id, house_account('revenue', v_currency, p_instant)],
        ARRAY[-p_amount, p_amount], p_instant, NULL, p_note) AS m;
    UPDATE reservations SET state = 'settled', resolved = p_instant, settled = p_amount, movement_id = v_movement
        WHERE id = p_id;
    RETURN v_movement;
END $$;

-- The largest first + n·step within the limit, rounded as a cost is; null when not even the first is affordable.
CREATE FUNCTION affordable(p_limit numeric, p_first numeric, p_step numeric) RETURNS numeric LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_steps numeric := 0;
BEGIN
    IF p_first < 0 OR p_step < 0 THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'a step costs nothing or something, never less';
    ELSIF round(p_first, 6) > p_limit THEN
        RETURN NULL;
    ELSIF p_step > 0 THEN
        v_steps := greatest(floor((p_limit - p_first) / p_step), 0);
        IF round(p_first + v_steps * p_step, 6) > p_limit THEN
            v_steps := v_steps - 1;
        ELSIF round(p_first + (v_steps + 1) * p_step, 6) <= p_limit THEN
            v_steps := v_steps + 1;
        END IF;
    END IF;
    RETURN round(p_first + v_steps * p_step, 6);
END $$;
