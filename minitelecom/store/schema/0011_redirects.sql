-- Whether a carrier's 3xx may lead to other numbers and other carriers.

ALTER TABLE trunks ADD COLUMN redirects boolean NOT NULL DEFAULT false;
