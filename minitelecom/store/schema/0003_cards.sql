-- Prepaid cards, their groups, their signing in and its lock-outs.

CREATE TABLE card_groups (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created    timestamptz NOT NULL,
    count      int NOT NULL CHECK (count > 0),
    amount     numeric(20, 6) NOT NULL CHECK (amount >= 0),
    currency   currency_code NOT NULL,
    activation activation_mode NOT NULL,
    operator   text NOT NULL,
    key        idempotency_key NOT NULL UNIQUE                       -- a second click finds the first one's group
);

CREATE TABLE cards (
    account_id   bigint PRIMARY KEY REFERENCES accounts,
    number       text NOT NULL UNIQUE CHECK (number ~ '^[0-9]{10}$'),
    group_id     bigint NOT NULL REFERENCES card_groups,
    password     bytea NOT NULL,                          -- AES-GCM: the product shows it to those who may see it
    password_mac bytea NOT NULL                           -- HMAC of number and password: what a caller's is compared with
);
CREATE INDEX cards_group ON cards (group_id);

CREATE FUNCTION card_removal_refused() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'MT001', MESSAGE = 'a card is closed, not removed: its history stays';
END $$;
CREATE TRIGGER never_removed BEFORE DELETE OR TRUNCATE ON cards
    FOR EACH STATEMENT EXECUTE FUNCTION card_removal_refused();

-- Six months after the event, to the end of that local day; a month that is too short ends it on its last day.
CREATE FUNCTION validity_end(p_event timestamptz, p_zone text) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT (date_trunc('day', (p_event AT TIME ZONE p_zone) + interval '6 months') + interval '1 day') AT TIME ZONE p_zone
        - interval '1 second'
$$;

CREATE FUNCTION standing(p_status text, p_valid_until timestamptz, p_instant timestamptz) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CASE WHEN p_status = 'enabled' AND date_trunc('second', p_instant) > p_valid_until THEN 'expired' ELSE p_status END;
END $$;

-- The caller holds the account's lock.
CREATE FUNCTION activate(p_account bigint, p_instant timestamptz) RETURNS void LANGUAGE sql AS $$
    UPDATE accounts SET status = 'enabled', activated = p_instant,
        valid_until = CASE WHEN kind = 'card' THEN validity_end(p_instant, zone) END
    WHERE id = p_account
$$;

CREATE FUNCTION add_card_group(
    p_numbers text[], p_passwords bytea[], p_macs bytea[], p_amount numeric, p_currency text, p_activation text,
    p_zone text, p_operator text, p_instant timestamptz, p_key text,
    OUT group_id bigint, OUT repeated boolean
) LANGUAGE plpgsql AS $$
DECLARE
    v_first card_groups;
    v_account bigint;
BEGIN
    INSERT INTO card_groups (created, count, amount, currency, activation, operator, key)
        VALUES (p_instant, cardinality(p_numbers), p_amount, p_currency, p_activation, p_operator, p_key)
        ON CONFLICT (key) DO NOTHING RETURNING id INTO group_id;
    repeated := group_id IS NULL;
    IF repeated THEN
        SELECT * INTO v_first FROM card_groups WHERE key = p_key;
        IF (v_first.count, v_first.amount, v_first.currency, v_first.activation)
                IS DISTINCT FROM (cardinality(p_numbers), p_amount, p_currency, p_activation) THEN
            RAISE EXCEPTION USING ERRCODE = 'MT010', MESSAGE = 'the key ' || p_key || ' belongs to another group';
        END IF;
        group_id := v_first.id;
        RETURN;
    END IF;
    FOR i IN 1 .. cardinality(p_numbers) LOOP
        v_account := open_account('card', p_currency, 'inactive', p_activation, p_zone, p_instant);
        INSERT INTO cards (account_id, number, group_id, password, password_mac)
            VALUES (v_account, p_numbers[i], group_id, p_passwords[i], p_macs[i]);
        IF p_amount > 0 THEN
            PERFORM move('issue:' || p_numbers[i], 'issue', v_account, 'cards', p_amount, 0, p_instant, p_operator, NULL);
        END IF;
        IF p_activation = 'now' THEN
            PERFORM activate(v_account, p_instant);
        END IF;
    END LOOP;
    INSERT INTO audit (happened, who, what, subject, after) VALUES (p_instant, p_operator, 'cards added', 'group ' || group_id,
        jsonb_build_object('count', cardinality(p_numbers), 'amount', p_amount::text, 'currency', p_currency,
            'activation', p_activation));
END $$;

CREATE FUNCTION set_account_status(p_account bigint, p_status text, p_operator text, p_instant timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_account accounts;
BEGIN
    SELECT * INTO v_account FROM accounts WHERE id = p_account AND kind <> 'house' FOR UPDATE;
    IF v_account.id IS NULL OR v_account.status = 'closed' AND p_status <> 'closed' THEN
        RAISE EXCEPTION USING ERRCODE = 'MT012', MESSAGE = 'account ' || p_account || ' is closed or unknown';
    ELSIF p_status = 'enabled' AND v_account.activated IS NULL THEN
        PERFORM activate(p_account, p_instant);
    ELSE
        UPDATE accounts SET status = p_status WHERE id = p_account;
    END IF;
    INSERT INTO audit (happened, who, what, subject, before, after) VALUES (p_instant, p_operator, 'status set',
        'account ' || p_account, to_jsonb(v_account.status), to_jsonb(p_status));
    PERFORM notify_change(jsonb_build_object('account', p_account));
END $$;

CREATE FUNCTION recharge(
    p_account bigint, p_amount numeric, p_currency text, p_key text, p_operator text, p_instant timestamptz,
    OUT movement_id bigint, OUT repeated boolean, OUT balance numeric, OUT happened timestamptz
) LANGUAGE plpgsql AS $$
DECLARE
    v_account accounts;
BEGIN
    SELECT * INTO v_account FROM accounts WHERE id = p_account AND kind <> 'house' FOR UPDATE;
    IF p_amount <= 0 THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'a recharge adds money';
    ELSIF v_account.id IS NULL OR v_account.status = 'closed' THEN
        RAISE EXCEPTION USING ERRCODE = 'MT012', MESSAGE = 'account ' || p_account || ' is closed or unknown';
    ELSIF v_account.currency <> p_currency THEN
        RAISE EXCEPTION USING ERRCODE = 'MT013', MESSAGE = 'account ' || p_account || ' is in ' || v_account.currency;
    END IF;
    SELECT m.movement_id, m.repeated INTO recharge.movement_id, recharge.repeated FROM move(p_key, 'recharge',
        p_account, 'cash', p_amount, 0, p_instant, p_operator, NULL) AS m;
    SELECT l.balance_after, m.happened INTO recharge.balance, recharge.happened
        FROM movement_lines l JOIN movements m ON m.id = l.movement_id
        WHERE l.movement_id = recharge.movement_id AND l.account_id = p_account;
    IF NOT repeated THEN
        UPDATE accounts SET last_recharge = p_instant, valid_until = CASE WHEN kind = 'card' AND activated IS NOT NULL
            THEN greatest(valid_until, validity_end(p_instant, zone)) END WHERE id = p_account;
        INSERT INTO audit (happened, who, what, subject, after) VALUES (p_instant, p_operator, 'recharged',
            'account ' || p_account, jsonb_build_object('amount', p_amount::text, 'currency', p_currency, 'key', p_key));
        PERFORM notify_change(jsonb_build_object('account', p_account));
    END IF;
END $$;

-- The date of the last recharge set to today without money: six months more.
CREATE FUNCTION extend_validity(p_account bigint, p_operator text, p_instant timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_account accounts;
BEGIN
    SELECT * INTO v_account FROM accounts WHERE id = p_account AND kind = 'card' AND status <> 'closed' FOR UPDATE;
    IF v_account.id IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'MT012', MESSAGE = 'account ' || p_account || ' is closed or unknown';
    END IF;
    UPDATE accounts SET last_recharge = p_instant, valid_until = CASE WHEN activated IS NOT NULL
        THEN greatest(valid_until, validity_end(p_instant, zone)) END WHERE id = p_account;
    INSERT INTO audit (happened, who, what, subject, before) VALUES (p_instant, p_operator, 'validity extended',
        'account ' || p_account, to_jsonb(v_account.valid_until));
    PERFORM notify_change(jsonb_build_object('account', p_account));
END $$;


-- Lock-outs. A wrong password counts against the card's number (whether such a card exists or not, so that a lock tells
-- nothing), against the calling number, and against the trunk. A card and a calling number are delayed, then locked; callers
-- without a number share one delay, since a lock would shut out all of them; a trunk carries everybody, so it is only alarmed.

CREATE TABLE lockouts (
    kind         text NOT NULL CHECK (kind IN ('card', 'caller', 'anonymous', 'trunk')),
    subject      text NOT NULL,
    failures     int NOT NULL,
    last_failed  timestamptz NOT NULL,
    not_before   timestamptz NOT NULL,                    -- the growing delay: no answer earlier than this
    locked_until timestamptz,
    alarmed      boolean NOT NULL,
    PRIMARY KEY (kind, subject)
);
CREATE INDEX lockouts_last_failed ON lockouts (last_failed);

CREATE FUNCTION count_failure(p_kind text, p_subject text, p_instant timestamptz) RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
    c_forgotten   CONSTANT interval := '1 hour';          -- without a further failure
    c_longest     CONSTANT int := 30;                     -- seconds of delay
    c_card        CONSTANT int := 6;                      -- failures until the first lock
    c_caller      CONSTANT int := 10;
    c_trunk       CONSTANT int := 20;                     -- failures until the alarm
    c_first_lock  CONSTANT interval := '15 minutes';      -- doubled by each further failure
    c_last_lock   CONSTANT interval := '1 day';
    v_row lockouts;
    v_over int;
BEGIN
    INSERT INTO lockouts (kind, subject, failures, last_failed, not_before, alarmed)
        VALUES (p_kind, p_subject, 0, p_instant, p_instant, false) ON CONFLICT (kind, subject) DO NOTHING;
    SELECT * INTO v_row FROM lockouts WHERE kind = p_kind AND subject = p_subject FOR UPDATE;
    IF greatest(v_row.last_failed, v_row.locked_until) < p_instant - c_forgotten THEN
        v_row.failures := 0;
        v_row.locked_until := NULL;
        v_row.alarmed := false;
    END IF;
    v_row.failures := v_row.failures + 1;
    IF p_kind <> 'trunk' THEN
        v_row.not_before := greatest(v_row.not_before, p_instant)
            + make_interval(secs => least(c_longest, 2 ^ least(v_row.failures - 1, 10)));
    END IF;
    v_over := v_row.failures - CASE p_kind WHEN 'card' THEN c_card WHEN 'caller' THEN c_caller END;
    IF v_over >= 0 THEN
        v_row.locked_until := p_instant + least(c_last_lock, c_first_lock * 2 ^ least(v_over, 10));
    END IF;
    UPDATE lockouts SET failures = v_row.failures, last_failed = p_instant, not_before = v_row.not_before,
        locked_until = v_row.locked_until, alarmed = v_row.alarmed OR (p_kind = 'trunk' AND v_row.failures >= c_trunk)
        WHERE kind = p_kind AND subject = p_subject;
    RETURN v_row.not_before;
END $$;

-- One attempt. delay_seconds is to be waited before the caller is told anything, right or wrong, so that a quick answer is no
-- hint. What is wrong with a card is said only to those who know its password.
CREATE FUNCTION sign_in(
    p_number text, p_mac bytea, p_calling_number text, p_trunk text, p_instant timestamptz,
    OUT outcome text, OUT delay_seconds numeric, OUT account_id bigint, OUT locked_until timestamptz
) LANGUAGE plpgsql AS $$
DECLARE
    c_forgotten CONSTANT interval := '1 day';
    c_longest CONSTANT int := 30;
    v_kind text := CASE WHEN p_calling_number IS NULL THEN 'anonymous' ELSE 'caller' END;
    v_caller text := coalesce(p_calling_number, '');
    v_card cards;
    v_account accounts;
    v_not_before timestamptz;
BEGIN
    SELECT * INTO v_card FROM cards c WHERE c.number = p_number;
    SELECT * INTO v_account FROM accounts a WHERE a.id = v_card.account_id FOR UPDATE;
    SELECT max(l.locked_until) FILTER (WHERE l.locked_until > p_instant), greatest(max(l.not_before), p_instant)
        INTO locked_until, v_not_before FROM lockouts l
        WHERE (l.kind = 'card' AND l.subject = p_number) OR (l.kind = v_kind AND l.subject = v_caller);
    IF locked_until IS NOT NULL OR v_not_before > p_instant + make_interval(secs => c_longest) THEN
        outcome := 'locked';
        delay_seconds := 0;
        RETURN;
    END IF;
    IF v_card.account_id IS NULL OR v_card.password_mac <> p_mac THEN
        v_not_before := greatest(count_failure('card', p_number, p_instant), count_failure(v_kind, v_caller, p_instant));
        IF p_trunk IS NOT NULL THEN
            PERFORM count_failure('trunk', p_trunk, p_instant);
        END IF;
        DELETE FROM lockouts WHERE (kind, subject) IN (SELECT l.kind, l.subject FROM lockouts l
            WHERE greatest(l.last_failed, l.locked_until) < p_instant - c_forgotten LIMIT 100 FOR UPDATE SKIP LOCKED);
        outcome := 'wrong';
    ELSE
        DELETE FROM lockouts l WHERE l.kind = 'card' AND l.subject = p_number;
        account_id := v_account.id;
        outcome := standing(v_account.status, v_account.valid_until, p_instant);
        IF v_account.status = 'inactive' AND v_account.activation = 'first-use' THEN
            PERFORM activate(v_account.id, p_instant);
            outcome := 'enabled';
        END IF;
        outcome := CASE outcome WHEN 'enabled' THEN 'ok' ELSE outcome END;
    END IF;
    delay_seconds := least(c_longest, greatest(0, extract(epoch FROM v_not_before - p_instant)));
END $$;
