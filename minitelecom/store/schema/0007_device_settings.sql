-- What an administrator may say of a telephone besides who it is. NULL: as the house would have it.

ALTER TABLE devices
    ADD COLUMN profile       text,                                    -- NULL: learned from its User-Agent
    ADD COLUMN properties    jsonb NOT NULL DEFAULT '{}',             -- single properties of its profile that differ
    ADD COLUMN most_calls    int CHECK (most_calls >= 1),             -- at one time; a cabin has 1
    ADD COLUMN transfer      boolean,                                 -- whether it may transfer calls
    ADD COLUMN most_contacts int CHECK (most_contacts >= 1),          -- places registered at one time
    ADD COLUMN ring          text NOT NULL DEFAULT 'preferred' CHECK (ring IN ('preferred', 'together', 'latest'));
