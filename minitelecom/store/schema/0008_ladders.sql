-- The messages of visits, for as long as [sip] ladder_hours says. A page is some seconds of one visit; no page refers to
-- anything, and losing one loses no money. The key holds the instant, so the table can be partitioned by it.

CREATE TABLE ladder_pages (
    session  text NOT NULL,                               -- as in call_records
    begun    timestamptz NOT NULL,
    messages bytea NOT NULL,
    PRIMARY KEY (session, begun)
);
CREATE INDEX ladder_pages_begun ON ladder_pages (begun);

-- SIP repeats itself: lz4 takes an eighth of the time of PostgreSQL's own way. Where the server was built without it, that one.
DO $$
BEGIN
    ALTER TABLE ladder_pages ALTER COLUMN messages SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    NULL;
END $$;

-- A call is looked up by its number alone, as `calls` shows it.
CREATE INDEX call_records_id ON call_records (id);
