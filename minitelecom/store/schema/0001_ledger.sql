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

-- Domains rather than CHECKs: a CHECK is parsed anew by every statement that writes a row, whatever columns it writes.
CREATE DOMAIN currency_code AS text CHECK (value ~ '^[A-Z]{3}$');
CREATE DOMAIN account_kind AS text CHECK (value IN ('card', 'shop', 'house'));
CREATE DOMAIN account_status AS text CHECK (value IN ('inactive', 'enabled', 'disabled', 'closed'));
CREATE DOMAIN activation_mode AS text CHECK (value IN ('first-use', 'later', 'now'));
CREATE DOMAIN movement_kind AS text CHECK (value IN ('issue', 'recharge', 'call', 'correction'));
CREATE DOMAIN idempotency_key AS text CHECK (length(value) BETWEEN 1 AND 200);
CREATE DOMAIN reservation_purpose AS text CHECK (value IN ('call', 'other'));
CREATE DOMAIN reservation_state AS text CHECK (value IN ('held', 'settled', 'released', 'expired'));

-- A plan that was made for a table of a few rows is kept while the table grows under it. So these tables are left unmeasured,
-- which the planner takes for ten pages and uses their indexes, until they have some rows.

CREATE TABLE accounts (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind          account_kind NOT NULL,
    name          text,                                   -- of a house account
    currency      currency_code NOT NULL,
    status        account_status NOT NULL,
    activation    activation_mode NOT NULL,
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
        num_nulls(balance, reserved, lines, head, name) = CASE kind WHEN 'house' THEN 4 ELSE 1 END
        AND (name IS NULL) = (kind <> 'house')),
    CONSTRAINT promise_is_covered CHECK (balance >= reserved AND reserved >= 0)
) WITH (fillfactor = 80, autovacuum_analyze_threshold = 1000, autovacuum_vacuum_threshold = 1000);
CREATE UNIQUE INDEX house_accounts ON accounts (name, currency) WHERE kind = 'house';

CREATE TABLE movements (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key      idempotency_key NOT NULL UNIQUE,
    body     bytea NOT NULL,                              -- hash of what was asked for: the same key must mean the same movement
    kind     movement_kind NOT NULL,
    currency currency_code NOT NULL,
    happened timestamptz NOT NULL,
    operator text,
    note     text,
    digest   bytea NOT NULL,                              -- hash of the whole movement, its lines included
    UNIQUE (id, currency)
) WITH (autovacuum_analyze_threshold = 1000, autovacuum_vacuum_threshold = 1000);

CREATE TABLE movement_lines (
    movement_id   bigint NOT NULL,
    account_id    bigint NOT NULL,
    currency      currency_code NOT NULL,
    amount        numeric(20, 6) NOT NULL,
    sequence      bigint,                                 -- these three: null on a house account
    balance_after numeric(20, 6),
    hash          bytea,
    PRIMARY KEY (movement_id, account_id),
    FOREIGN KEY (movement_id, currency) REFERENCES movements (id, currency),
    FOREIGN KEY (account_id, currency) REFERENCES accounts (id, currency),
    CONSTRAINT amount_and_chain CHECK (amount <> 0 AND num_nulls(sequence, balance_after, hash) IN (0, 3))
) WITH (autovacuum_analyze_threshold = 1000, autovacuum_vacuum_threshold = 1000);
CREATE UNIQUE INDEX movement_lines_chain ON movement_lines (account_id, sequence) WHERE sequence IS NOT NULL;

CREATE TABLE reservations (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id  bigint NOT NULL REFERENCES accounts,
    purpose     reservation_purpose NOT NULL,
    amount      numeric(20, 6) NOT NULL,
    state       reservation_state NOT NULL,
    held        timestamptz NOT NULL,
    resolved    timestamptz,
    settled     numeric(20, 6),
    movement_id bigint REFERENCES movements,
    CONSTRAINT settled_within_the_reservation CHECK (amount > 0 AND settled > 0 AND settled <= amount),
    CONSTRAINT resolved_once CHECK ((state = 'held') = (resolved IS NULL)
        AND num_nulls(settled, movement_id) = CASE state WHEN 'settled' THEN 0 ELSE 2 END)
) WITH (autovacuum_analyze_threshold = 1000, autovacuum_vacuum_threshold = 1000);
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
CREATE TRIGGER keeps_its_nature BEFORE UPDATE OF id, kind, name, currency ON accounts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keeps_its_nature BEFORE UPDATE OF id, account_id, purpose, held ON reservations
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION account_begins_empty() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.balance <> 0 OR new.reserved <> 0 OR new.lines <> 0 OR new.head <> '' THEN
        RAISE EXCEPTION USING ERRCODE = 'MT003', MESSAGE = 'an account begins empty; money comes by a movement';
    END IF;
    RETURN new;
END $$;
CREATE TRIGGER begins_empty BEFORE INSERT ON accounts FOR EACH ROW EXECUTE FUNCTION account_begins_empty();

-- At commit: what an account says of itself is what its last line and its held reservations say.
CREATE FUNCTION account_agrees() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_account accounts;
    v_line movement_lines;
    v_held numeric;
BEGIN
    SELECT * INTO v_account FROM accounts WHERE id = new.id;
    SELECT * INTO v_line FROM movement_lines WHERE account_id = new.id AND sequence = v_account.lines;
    IF v_account.balance IS DISTINCT FROM coalesce(v_line.balance_after, 0)
            OR v_account.head IS DISTINCT FROM coalesce(v_line.hash, '') OR v_account.lines < old.lines THEN
        RAISE EXCEPTION USING ERRCODE = 'MT003', MESSAGE = 'account ' || new.id || ': a balance changes only by a movement';
    END IF;
    SELECT coalesce(sum(amount), 0) INTO v_held FROM reservations WHERE account_id = new.id AND state = 'held';
    IF v_account.reserved IS DISTINCT FROM v_held THEN
        RAISE EXCEPTION USING ERRCODE = 'MT003', MESSAGE = 'account ' || new.id || ': its reservations hold ' || v_held;
    END IF;
    RETURN NULL;
END $$;
-- Scanned by bitmap, a partial index keeps every reservation that was ever held until the next vacuum.
ALTER FUNCTION account_agrees() SET enable_bitmapscan = off;
CREATE CONSTRAINT TRIGGER agrees AFTER UPDATE OF balance, reserved, lines, head ON accounts DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION account_agrees();

CREATE FUNCTION reservation_resolved_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF old.state <> 'held' OR new.amount < old.amount OR (new.state <> 'held' AND new.amount <> old.amount) THEN
        RAISE EXCEPTION USING ERRCODE = 'MT001',
            MESSAGE = 'reservation ' || old.id || ': only a held one changes, by growing or by being resolved';
    END IF;
    RETURN new;
END $$;
CREATE TRIGGER resolved_once BEFORE UPDATE ON reservations FOR EACH ROW EXECUTE FUNCTION reservation_resolved_once();

-- At commit: the lines of a movement sum to zero, and a customer's line stands in his chain.
CREATE FUNCTION line_agrees() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_account accounts;
BEGIN
    IF (SELECT sum(amount) FROM movement_lines WHERE movement_id = new.movement_id) <> 0 THEN
        RAISE EXCEPTION USING ERRCODE = 'MT002', MESSAGE = 'movement ' || new.movement_id || ': its lines do not sum to zero';
    END IF;
    SELECT * INTO v_account FROM accounts WHERE id = new.account_id;
    IF (v_account.kind = 'house') <> (new.sequence IS NULL) OR new.sequence > v_account.lines
            OR (new.sequence = v_account.lines AND new.hash <> v_account.head) THEN
        RAISE EXCEPTION USING ERRCODE = 'MT003',
            MESSAGE = 'movement ' || new.movement_id || ': its line does not fit account ' || new.account_id;
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER agrees AFTER INSERT ON movement_lines DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION line_agrees();


-- The functions that move money.

-- What seals a movement, and what seals a line onto the one before. (plpgsql: an SQL function is parsed at each call.)
CREATE FUNCTION movement_digest(
    p_key text, p_kind text, p_currency text, p_happened timestamptz, p_operator text, p_note text, p_lines text
) RETURNS bytea LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN sha256(convert_to(concat_ws(E'\n', quote_literal(p_key), p_kind, p_currency,
        to_char(p_happened AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), quote_nullable(p_operator),
        quote_nullable(p_note), p_lines), 'UTF8'));
END $$;

CREATE FUNCTION line_hash(
    p_previous bytea, p_digest bytea, p_account bigint, p_sequence bigint, p_amount numeric, p_balance_after numeric
) RETURNS bytea LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN sha256(p_previous || p_digest || convert_to(p_account || ':' || p_sequence || ':'
        || p_amount::numeric(20, 6) || ':' || p_balance_after::numeric(20, 6), 'UTF8'));
END $$;

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

-- One movement between a customer and the house: p_amount to the customer (from him, when negative). In the same breath
-- p_release of what he had reserved becomes available. Repeated with the same key and body it changes nothing; with another
-- body it is an error. The account is locked before the key is taken, so that no two movements wait for each other.
CREATE FUNCTION move(
    p_key text, p_kind text, p_customer bigint, p_house text, p_amount numeric, p_release numeric,
    p_instant timestamptz, p_operator text, p_note text,
    OUT movement_id bigint, OUT repeated boolean
) LANGUAGE plpgsql AS $$
DECLARE
    v_account accounts;
    v_house bigint;
    v_lines text;
    v_body bytea;
    v_digest bytea;
    v_first_body bytea;
BEGIN
    SELECT * INTO v_account FROM accounts WHERE id = p_customer AND kind <> 'house' FOR UPDATE;
    IF v_account.id IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'MT012', MESSAGE = 'there is no customer account ' || p_customer;
    ELSIF p_amount <> round(p_amount, 6) THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = p_amount || ' has more than six decimals';
    END IF;
    v_house := house_account(p_house, v_account.currency, p_instant);
    v_lines := p_customer || ':' || p_amount::numeric(20, 6);
    v_lines := CASE WHEN v_house < p_customer THEN v_house || ':' || (-p_amount)::numeric(20, 6) || ',' || v_lines
        ELSE v_lines || ',' || v_house || ':' || (-p_amount)::numeric(20, 6) END;
    v_body := sha256(convert_to(concat_ws(E'\n', p_kind, v_account.currency, v_lines), 'UTF8'));
    v_digest := movement_digest(p_key, p_kind, v_account.currency, p_instant, p_operator, p_note, v_lines);
    INSERT INTO movements (key, body, kind, currency, happened, operator, note, digest)
        VALUES (p_key, v_body, p_kind, v_account.currency, p_instant, p_operator, p_note, v_digest)
        ON CONFLICT (key) DO NOTHING RETURNING id INTO movement_id;
    repeated := movement_id IS NULL;
    IF repeated THEN
        SELECT id, body INTO movement_id, v_first_body FROM movements WHERE key = p_key;
        IF v_first_body <> v_body THEN
            RAISE EXCEPTION USING ERRCODE = 'MT010', MESSAGE = 'the key ' || p_key || ' belongs to another movement';
        END IF;
        RETURN;
    END IF;
    IF v_account.balance + p_amount < v_account.reserved - p_release THEN
        RAISE EXCEPTION USING ERRCODE = 'MT011', MESSAGE = 'account ' || p_customer || ': '
            || (v_account.balance - v_account.reserved + p_release) || ' available, ' || -p_amount || ' asked for';
    END IF;
    v_account.balance := v_account.balance + p_amount;
    v_account.lines := v_account.lines + 1;
    v_account.head := line_hash(v_account.head, v_digest, p_customer, v_account.lines, p_amount, v_account.balance);
    INSERT INTO movement_lines (movement_id, account_id, currency, amount, sequence, balance_after, hash) VALUES
        (move.movement_id, p_customer, v_account.currency, p_amount, v_account.lines, v_account.balance, v_account.head),
        (move.movement_id, v_house, v_account.currency, -p_amount, NULL, NULL, NULL);
    UPDATE accounts SET balance = v_account.balance, reserved = reserved - p_release, lines = v_account.lines,
        head = v_account.head WHERE id = p_customer;
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
    ELSIF v_account.balance - v_account.reserved < p_amount THEN
        RAISE EXCEPTION USING ERRCODE = 'MT011', MESSAGE = 'account ' || p_account || ': '
            || (v_account.balance - v_account.reserved) || ' available, ' || p_amount || ' asked for';
    END IF;
    INSERT INTO reservations (account_id, purpose, amount, state, held)
        VALUES (p_account, p_purpose, p_amount, 'held', p_instant) RETURNING id INTO v_id;
    UPDATE accounts SET reserved = reserved + p_amount WHERE id = p_account;
    RETURN v_id;
END $$;

-- Why a reservation that is held no more cannot be resolved.
CREATE FUNCTION refuse_resolved(p_id bigint, p_state text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF p_state = 'settled' THEN
        RAISE EXCEPTION USING ERRCODE = 'MT021', MESSAGE = 'reservation ' || p_id || ' is settled already';
    ELSIF p_state = 'released' THEN
        RAISE EXCEPTION USING ERRCODE = 'MT022', MESSAGE = 'reservation ' || p_id || ' was released';
    ELSIF p_state = 'expired' THEN
        RAISE EXCEPTION USING ERRCODE = 'MT024', MESSAGE = 'reservation ' || p_id || ' expired with its process';
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'MT020', MESSAGE = 'there is no reservation ' || coalesce(p_id::text, 'at all');
END $$;

CREATE FUNCTION release(p_id bigint, p_state text, p_instant timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_reservation reservations;
BEGIN
    SELECT * INTO v_reservation FROM reservations WHERE id = p_id FOR UPDATE;
    IF v_reservation.state IS DISTINCT FROM 'held' THEN
        PERFORM refuse_resolved(p_id, v_reservation.state);
    END IF;
    UPDATE reservations SET state = p_state, resolved = p_instant WHERE id = p_id;
    UPDATE accounts SET reserved = reserved - v_reservation.amount WHERE id = v_reservation.account_id;
END $$;

-- Takes the used part to the revenue and returns the rest at once. Repeated with the same key and amount it changes nothing.
CREATE FUNCTION settle(p_id bigint, p_amount numeric, p_key text, p_instant timestamptz, p_note text)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_reservation reservations;
    v_movement bigint;
    v_repeated boolean;
BEGIN
    SELECT * INTO v_reservation FROM reservations WHERE id = p_id FOR UPDATE;
    IF v_reservation.state IS DISTINCT FROM 'held' THEN
        SELECT m.id INTO v_movement FROM movements m WHERE m.id = v_reservation.movement_id AND m.key = p_key;
        IF v_movement IS NULL THEN
            PERFORM refuse_resolved(p_id, v_reservation.state);
        ELSIF v_reservation.settled <> p_amount THEN
            RAISE EXCEPTION USING ERRCODE = 'MT010', MESSAGE = 'the key ' || p_key || ' belongs to another movement';
        END IF;
        RETURN v_movement;
    ELSIF p_amount > v_reservation.amount THEN
        RAISE EXCEPTION USING ERRCODE = 'MT023', MESSAGE = 'reservation ' || p_id || ' holds ' || v_reservation.amount
            || ', ' || p_amount || ' asked for';
    END IF;
    SELECT m.movement_id, m.repeated INTO v_movement, v_repeated FROM move(p_key, 'call', v_reservation.account_id,
        'revenue', -p_amount, v_reservation.amount, p_instant, NULL, p_note) AS m;
    IF v_repeated THEN
        RAISE EXCEPTION USING ERRCODE = 'MT010', MESSAGE = 'the key ' || p_key || ' belongs to another movement';
    END IF;
    UPDATE reservations SET state = 'settled', resolved = p_instant, settled = p_amount, movement_id = v_movement
        WHERE id = p_id;
    RETURN v_movement;
END $$;

-- The largest first + n·step within the limit, rounded as a cost is; null when not even the first is affordable. Half up, a sum
-- is rounded to no more than the limit as long as it is less than the limit and half of the last place. First and step were
-- divided before they came here, so a sum this near to a half is one.
CREATE FUNCTION affordable(p_limit numeric, p_first numeric, p_step numeric) RETURNS numeric LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    c_near CONSTANT numeric := 0.000000000001;
BEGIN
    RETURN CASE
        WHEN p_first < 0 OR p_step < 0 OR round(p_first + c_near, 6) > p_limit THEN NULL
        WHEN p_step = 0 THEN round(p_first + c_near, 6)
        ELSE round(p_first + p_step * div(p_limit + 0.0000005 - c_near - p_first, p_step) + c_near, 6)
    END;
END $$;
