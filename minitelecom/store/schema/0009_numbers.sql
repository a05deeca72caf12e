-- Numbers that carriers deliver to us, and what each leads to; beside the [access] numbers of the configuration.

CREATE TABLE numbers (
    number   text PRIMARY KEY CHECK (number ~ '^[0-9]{1,15}$'),
    device   text REFERENCES devices ON DELETE CASCADE ON UPDATE CASCADE,
    dialogue text CHECK (dialogue IN ('card')),
    language text,                                        -- NULL: the caller chooses
    CONSTRAINT leads_somewhere CHECK (num_nonnulls(device, dialogue) = 1),
    CONSTRAINT telephones_speak_for_themselves CHECK (device IS NULL OR language IS NULL)
);
CREATE TRIGGER notify AFTER INSERT OR UPDATE OR DELETE ON numbers FOR EACH STATEMENT EXECUTE FUNCTION notify_table();
