-- How a carrier is spoken to: by which proxy, as whom, with numbers in which form, and what it is told of the caller.

ALTER TABLE trunks
    ADD COLUMN enabled boolean NOT NULL DEFAULT true,
    ADD COLUMN proxy text,                                -- sip:HOST[:PORT]: everything goes by it first
    ADD COLUMN account_in_from boolean NOT NULL DEFAULT false,
    ADD COLUMN called_format text NOT NULL DEFAULT 'e164'
        CHECK (called_format IN ('e164', 'plus', 'international', 'national')),
    ADD COLUMN calling_format text NOT NULL DEFAULT 'e164'
        CHECK (calling_format IN ('e164', 'plus', 'international', 'national')),
    ADD COLUMN caller_id text NOT NULL DEFAULT 'pass' CHECK (caller_id ~ '^(pass|hide|[0-9]{1,20})$'),
    ADD COLUMN asserts boolean NOT NULL DEFAULT false,    -- the caller's number in P-Asserted-Identity (RFC 3325)
    ADD COLUMN trusted boolean NOT NULL DEFAULT false,    -- of our trust domain (RFC 3324)
    ADD COLUMN diversion boolean NOT NULL DEFAULT false;  -- it is told who forwarded a call (RFC 5806)
