-- How a carrier is told the keys of a talk: as it says itself, by INFO, or as tones.

ALTER TABLE trunks
    ADD COLUMN keys text NOT NULL DEFAULT 'learned' CHECK (keys IN ('learned', 'info', 'tones'));
