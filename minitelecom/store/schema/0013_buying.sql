-- What carriers ask: price lists of trunks beside the shop's own, what their currencies are worth, and who may sell at a loss.

ALTER TABLE price_versions
    ALTER COLUMN price_list DROP NOT NULL,
    ADD COLUMN trunk text,                                -- of a carrier: `sell` is then what we pay, in `currency`
    ADD CONSTRAINT of_the_shop_or_of_a_carrier CHECK (num_nonnulls(price_list, trunk) = 1);
CREATE INDEX price_versions_trunk ON price_versions (trunk, id) WHERE trunk IS NOT NULL;

ALTER TABLE prices ADD COLUMN allow_loss boolean NOT NULL DEFAULT false;

ALTER TABLE trunks
    ADD COLUMN weight int NOT NULL DEFAULT 1 CHECK (weight >= 0),         -- among carriers that cost the same
    ADD COLUMN allow_loss boolean NOT NULL DEFAULT false;

-- Each rate holds from its instant until the next one of its currency; none is ever changed.
CREATE TABLE exchange_rates (
    house      currency_code NOT NULL,
    currency   currency_code NOT NULL,
    valid_from timestamptz NOT NULL,
    rate       numeric(20, 10) NOT NULL CHECK (rate > 0), -- units of the house's currency for one of the other
    operator   text NOT NULL,
    PRIMARY KEY (house, currency, valid_from),
    CHECK (house <> currency)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON exchange_rates
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER notify AFTER INSERT ON exchange_rates FOR EACH STATEMENT EXECUTE FUNCTION notify_table();

-- A carrier may also be left out without being asked: it would cost more than the customer pays, or takes no more calls.
ALTER TABLE call_attempts ALTER COLUMN cause TYPE text,
    ADD CONSTRAINT known_cause CHECK (cause IN ('below-cost', 'full') OR cause::call_cause IS NOT NULL);
