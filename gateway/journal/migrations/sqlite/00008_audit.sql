-- The audit trail: who did or read what, and why. One chain: every entry holds the hash of the one before it.

-- +goose Up

CREATE TABLE audit (
    seq           INTEGER NOT NULL PRIMARY KEY CHECK (seq > 0), -- 1, 2, 3 ... without a gap
    at            INTEGER NOT NULL, -- time it happened
    who           TEXT    NOT NULL, -- name of a producer or operator
    how           TEXT    NOT NULL, -- how they showed who they are
    action        TEXT    NOT NULL, -- what was done or read
    object        TEXT    NOT NULL, -- ids of what it was about
    origin        TEXT    NOT NULL, -- the process it was done in
    reason_digest BLOB    NOT NULL CHECK (length(reason_digest) = 32), -- SHA-256 of salt and reason; zero: no reason
    previous      BLOB    NOT NULL UNIQUE CHECK (length(previous) = 32), -- hash of the entry before; zero: the first
    hash          BLOB    NOT NULL CHECK (length(hash) = 32) -- SHA-256 of all of this
);

-- What a person wrote as the reason: personal data, perhaps. Apart from the chain, so that it can be erased.
CREATE TABLE audit_reasons (
    seq    INTEGER NOT NULL PRIMARY KEY REFERENCES audit (seq), -- the entry
    salt   BLOB    NOT NULL, -- keeps the reason from being guessed from its digest
    reason TEXT    NOT NULL  -- '': erased
);

-- +goose StatementBegin
CREATE TRIGGER audit_next BEFORE INSERT ON audit
WHEN NEW.seq <> coalesce((SELECT max(seq) FROM audit), 0) + 1
    OR NEW.previous IS NOT coalesce((SELECT hash FROM audit ORDER BY seq DESC LIMIT 1), zeroblob(32))
BEGIN
    SELECT RAISE(ABORT, 'an entry of the audit trail follows the last one');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER audit_fixed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit trail never changes');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER audit_kept BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit trail is never shortened');
END;
-- +goose StatementEnd

-- A reason may be sealed where it lies, and erased.
-- +goose StatementBegin
CREATE TRIGGER audit_reasons_fixed BEFORE UPDATE ON audit_reasons
WHEN NEW.seq <> OLD.seq OR (NEW.salt IS NOT OLD.salt AND NEW.salt IS NOT x'')
    OR (NEW.reason <> OLD.reason AND NEW.reason <> '' AND substr(NEW.reason, 1, 9) <> 'sealed:1:')
BEGIN
    SELECT RAISE(ABORT, 'the audit trail never changes');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER audit_reasons_kept BEFORE DELETE ON audit_reasons
BEGIN
    SELECT RAISE(ABORT, 'the audit trail is never shortened');
END;
-- +goose StatementEnd

-- +goose Down

DROP TABLE audit_reasons;
DROP TABLE audit;
