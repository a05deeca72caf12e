-- How much a carrier takes, what its answers mean, how long it may be silent, and whether it is asked if it is there.

ALTER TABLE trunks
    ADD COLUMN capacity int NOT NULL DEFAULT 0 CHECK (capacity >= 0),                  -- calls at one time, both ways; 0: any number
    ADD COLUMN codes text NOT NULL DEFAULT '' CHECK (
        codes ~ '^([1-6]([0-9]{2}|xx)=(next|stop|busy|no-answer|rejected|failed)( (?=.)|$))*$'),
    ADD COLUMN progress_seconds int NOT NULL DEFAULT 0 CHECK (progress_seconds >= 0),  -- without ringing or answer; 0: for ever
    ADD COLUMN check_seconds int NOT NULL DEFAULT 0 CHECK (check_seconds >= 0);        -- between two OPTIONS; 0: none
