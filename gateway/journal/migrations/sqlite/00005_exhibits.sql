-- What evidence needs beside a signature: the request itself, and what the far end answered to whom.

-- +goose Up

-- Requests that were about to leave, each as its own bytes with holes where the documents of the intent go
-- (gateway.Skeleton). Personal data. Attempts that send the same bytes share one.
CREATE TABLE exhibits (
    id       INTEGER NOT NULL PRIMARY KEY,
    skeleton BLOB -- NULL: erased
);

-- The request whose SHA-256 is digest; NULL: it was not kept. (A reference would keep the column from being taken back.)
ALTER TABLE attempts ADD COLUMN exhibit_id INTEGER;

-- What the far end answered, as it came and at most 64 KiB of it; NULL: nothing.
ALTER TABLE attempts ADD COLUMN answer BLOB;

-- Who the far end knew us as: the subject of the SAML token that was used; '': none.
ALTER TABLE attempts ADD COLUMN subject TEXT NOT NULL DEFAULT '';

-- The receipts of a message.
CREATE INDEX receipts_message ON receipts (message_id, received_at) WHERE message_id IS NOT NULL;

-- A kept request may be erased, and never changed.
-- +goose StatementBegin
CREATE TRIGGER exhibits_fixed BEFORE UPDATE ON exhibits
WHEN NEW.id <> OLD.id OR NEW.skeleton IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'a kept request never changes');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER exhibits_kept BEFORE DELETE ON exhibits
BEGIN
    SELECT RAISE(ABORT, 'a kept request is erased by making it NULL');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER attempts_exhibit BEFORE UPDATE OF exhibit_id ON attempts
WHEN OLD.exhibit_id IS NOT NULL AND NEW.exhibit_id IS NOT OLD.exhibit_id
BEGIN
    SELECT RAISE(ABORT, 'the request of an attempt never changes');
END;
-- +goose StatementEnd

-- +goose Down

DROP TRIGGER attempts_exhibit;
DROP TRIGGER exhibits_kept;
DROP INDEX receipts_message;
ALTER TABLE attempts DROP COLUMN subject;
ALTER TABLE attempts DROP COLUMN answer;
ALTER TABLE attempts DROP COLUMN exhibit_id;
DROP TABLE exhibits;
