-- The audit trail: who did or read what, and why. One chain: every entry holds the hash of the one before it.

-- +goose Up

CREATE TABLE audit (
    seq bigint NOT NULL PRIMARY KEY CHECK (seq > 0), -- 1, 2, 3 ... without a gap
    at timestamptz NOT NULL, -- time it happened
    who text NOT NULL, -- name of a producer or operator
    how text NOT NULL, -- how they showed who they are
    action text NOT NULL, -- what was done or read
    object text NOT NULL, -- ids of what it was about
    origin text NOT NULL, -- the process it was done in
    reason_digest bytea NOT NULL CHECK (octet_length(reason_digest) = 32), -- SHA-256 of salt and reason; zero: no reason
    previous bytea NOT NULL UNIQUE CHECK (octet_length(previous) = 32), -- hash of the entry before; zero: the first
    hash bytea NOT NULL CHECK (octet_length(hash) = 32) -- SHA-256 of all of this
);

-- What a person wrote as the reason: personal data, perhaps. Apart from the chain, so that it can be erased.
CREATE TABLE audit_reasons (
    seq bigint NOT NULL PRIMARY KEY REFERENCES audit (seq), -- the entry
    salt bytea NOT NULL, -- keeps the reason from being guessed from its digest
    reason text NOT NULL -- '': erased
);

-- Whoever appends has taken the lock of the chain, so nobody else appends meanwhile.
-- +goose StatementBegin
CREATE FUNCTION journal_audit_next() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last audit%ROWTYPE;
BEGIN
    SELECT * INTO last FROM audit ORDER BY seq DESC LIMIT 1;
    IF NEW.seq <> coalesce(last.seq, 0) + 1 OR NEW.previous <> coalesce(last.hash, decode(repeat('00', 32), 'hex')) THEN
        RAISE EXCEPTION USING ERRCODE = 'BD001', MESSAGE = 'an entry of the audit trail follows the last one';
    END IF;
    RETURN NEW;
END
$$;
-- +goose StatementEnd

CREATE TRIGGER audit_next BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION journal_audit_next();
CREATE TRIGGER audit_fixed BEFORE UPDATE ON audit
FOR EACH ROW EXECUTE FUNCTION journal_refuse('the audit trail never changes');
CREATE TRIGGER audit_kept BEFORE DELETE ON audit
FOR EACH ROW EXECUTE FUNCTION journal_refuse('the audit trail is never shortened');
CREATE TRIGGER audit_whole BEFORE TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION journal_refuse('the audit trail is never shortened');

-- A reason may be sealed where it lies, and erased.
CREATE TRIGGER audit_reasons_fixed BEFORE UPDATE ON audit_reasons FOR EACH ROW
WHEN (NEW.seq <> OLD.seq OR (NEW.salt <> OLD.salt AND NEW.salt <> ''::bytea)
    OR (NEW.reason <> OLD.reason AND NEW.reason <> '' AND substr(NEW.reason, 1, 9) <> 'sealed:1:'))
EXECUTE FUNCTION journal_refuse('the audit trail never changes');
CREATE TRIGGER audit_reasons_kept BEFORE DELETE ON audit_reasons
FOR EACH ROW EXECUTE FUNCTION journal_refuse('the audit trail is never shortened');
CREATE TRIGGER audit_reasons_whole BEFORE TRUNCATE ON audit_reasons
FOR EACH STATEMENT EXECUTE FUNCTION journal_refuse('the audit trail is never shortened');

-- +goose Down

DROP TABLE audit_reasons;
DROP TABLE audit;
DROP FUNCTION journal_audit_next;
