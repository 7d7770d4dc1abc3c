-- Retention and erasure: what is final is forgotten in stages, what is held is not, and documents of the store leave it when
-- nothing names them any more.

-- +goose Up

-- How much of what is final has been erased: 0 nothing, 1 documents, 2 content, 3 identifiers.
ALTER TABLE intents ADD COLUMN erased INTEGER NOT NULL DEFAULT 0 CHECK (erased BETWEEN 0 AND 3);
ALTER TABLE posts ADD COLUMN erased INTEGER NOT NULL DEFAULT 0 CHECK (erased BETWEEN 0 AND 3);

-- What is to be looked at for erasing, by time.
CREATE INDEX intents_erasable ON intents (sender, erased, final_at, id) WHERE final_at IS NOT NULL AND erased < 3;
CREATE INDEX posts_erasable ON posts (erased, final_at, id) WHERE final_at IS NOT NULL AND erased < 3;

-- When something was erased.
CREATE TABLE erasures (
    kind  TEXT    NOT NULL CHECK (kind IN ('intent', 'post')),
    id    TEXT    NOT NULL, -- of the intent or post
    stage INTEGER NOT NULL CHECK (stage BETWEEN 1 AND 3),
    at    INTEGER NOT NULL, -- time of the last time
    PRIMARY KEY (kind, id, stage)
) WITHOUT ROWID;

-- What must not be erased, whatever its age.
CREATE TABLE holds (
    id          TEXT    NOT NULL PRIMARY KEY, -- hold_ + ULID
    kind        TEXT    NOT NULL CHECK (kind IN ('intent', 'reference', 'recipient', 'post')),
    object      TEXT    NOT NULL, -- id or reference; '': a recipient
    producer    TEXT    NOT NULL, -- of a reference; '': of any producer
    recipient   BLOB,             -- JSON: CPR or CVR number, of a hold on a recipient: personal data
    set_by      TEXT    NOT NULL, -- who
    reason      TEXT    NOT NULL, -- why; a person wrote it
    at          INTEGER NOT NULL, -- time it was set
    released_at INTEGER,          -- time it ended; NULL: it holds
    released_by TEXT    NOT NULL  -- who; '': nobody yet
);

-- Documents of the store that nothing named any more when they were put here. They are removed a while later, if that is
-- still so.
CREATE TABLE removals (
    sha256 TEXT    NOT NULL PRIMARY KEY,
    at     INTEGER NOT NULL -- time from which it may have been needless
) WITHOUT ROWID;

-- Finds who names a document of the store.
CREATE INDEX intent_documents_stored ON intent_documents (sha256) WHERE inline IS NULL AND filename <> '';
CREATE INDEX uploads_stored ON uploads (sha256);
CREATE INDEX uploads_created ON uploads (created_at, id);
CREATE INDEX post_documents_stored ON post_documents (sha256);
CREATE INDEX posts_memo ON posts (memo_sha256);

-- The documents of the store that kept requests name. Filled before documents are removed, see gateway/retention.
CREATE TABLE exhibit_documents (
    sha256     TEXT    NOT NULL,
    exhibit_id INTEGER NOT NULL REFERENCES exhibits (id),
    PRIMARY KEY (sha256, exhibit_id)
) WITHOUT ROWID;

-- How far work has come that is done bit by bit.
CREATE TABLE marks (
    name TEXT    NOT NULL PRIMARY KEY,
    at   INTEGER NOT NULL -- everything from before this time is done
) WITHOUT ROWID;

-- Work that one process at a time does.
CREATE TABLE leases (
    name    TEXT    NOT NULL PRIMARY KEY,
    holder  TEXT    NOT NULL, -- the process
    ends_at INTEGER NOT NULL, -- time from which another may take it
    fence   INTEGER NOT NULL  -- grows with every change of holder
) WITHOUT ROWID;

-- The bodies that were read after all, by the receipt they were.
CREATE INDEX unreadable_read ON unreadable (receipt_id) WHERE receipt_id <> '';

-- A status that comes late is erased like those before it.
-- +goose StatementBegin
CREATE TRIGGER receipts_late AFTER INSERT ON receipts WHEN NEW.message_id IS NOT NULL
BEGIN
    UPDATE intents SET erased = 1 WHERE id = (SELECT intent_id FROM messages WHERE id = NEW.message_id) AND erased > 1;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER receipts_matched_late AFTER UPDATE OF message_id ON receipts WHEN NEW.message_id IS NOT NULL
BEGIN
    UPDATE intents SET erased = 1 WHERE id = (SELECT intent_id FROM messages WHERE id = NEW.message_id) AND erased > 1;
END;
-- +goose StatementEnd

-- What was said, tried and came still never changes: the guards now let one thing more pass, that it is erased. Erased is
-- the empty text, NULL, and {} where there must be JSON.
DROP TRIGGER intent_contents_fixed;
DROP TRIGGER intent_documents_sealed;
DROP TRIGGER attempts_sealed;
DROP TRIGGER events_fixed;
DROP TRIGGER events_sealed;
DROP TRIGGER post_events_sealed;
DROP TRIGGER posts_identity;

-- +goose StatementBegin
CREATE TRIGGER intent_contents_fixed BEFORE UPDATE ON intent_contents
WHEN NEW.intent_id <> OLD.intent_id
    OR (NEW.recipient IS NOT OLD.recipient AND NEW.recipient IS NOT x'7b7d' AND substr(NEW.recipient, 1, 4) IS NOT x'bd424401')
    OR (NEW.content IS NOT OLD.content AND NEW.content IS NOT x'7b7d' AND substr(NEW.content, 1, 4) IS NOT x'bd424401')
BEGIN
    SELECT RAISE(ABORT, 'the content of an intent never changes');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER intent_documents_sealed BEFORE UPDATE OF filename, inline ON intent_documents
WHEN (NEW.filename <> OLD.filename AND NEW.filename <> '' AND substr(NEW.filename, 1, 9) <> 'sealed:1:')
    OR (NEW.inline IS NOT OLD.inline AND NEW.inline IS NOT NULL AND substr(NEW.inline, 1, 4) IS NOT x'bd424401')
BEGIN
    SELECT RAISE(ABORT, 'the documents of an intent never change');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER attempts_sealed BEFORE UPDATE OF text, answer ON attempts
WHEN OLD.ended_at IS NOT NULL
    AND ((NEW.text <> OLD.text AND NEW.text <> '' AND substr(NEW.text, 1, 9) <> 'sealed:1:')
    OR (NEW.answer IS NOT OLD.answer AND NEW.answer IS NOT NULL AND substr(NEW.answer, 1, 4) IS NOT x'bd424401'))
BEGIN
    SELECT RAISE(ABORT, 'a closed attempt never changes');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER events_fixed BEFORE UPDATE OF seq, at, producer, intent_id, message_id, channel, status, intent_status, attempt,
    code, post_id ON events
BEGIN
    SELECT RAISE(ABORT, 'an event never changes');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER events_sealed BEFORE UPDATE OF text ON events
WHEN NEW.text <> OLD.text AND NEW.text <> '' AND substr(NEW.text, 1, 9) <> 'sealed:1:'
BEGIN
    SELECT RAISE(ABORT, 'an event never changes');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER post_events_sealed BEFORE UPDATE OF text ON post_events
WHEN NEW.text <> OLD.text AND NEW.text <> '' AND substr(NEW.text, 1, 9) <> 'sealed:1:'
BEGIN
    SELECT RAISE(ABORT, 'an event never changes');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER posts_identity BEFORE UPDATE OF id, message_uuid, transmission_id, source, received_at,
    memo_sha256, memo_size, receipt, producer, intent_id, answered_id, flags ON posts
BEGIN
    SELECT RAISE(ABORT, 'what came in never changes');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER events_erased BEFORE UPDATE OF reference, case_id ON events
WHEN (NEW.reference <> OLD.reference AND NEW.reference <> '') OR (NEW.case_id <> OLD.case_id AND NEW.case_id <> '')
BEGIN
    SELECT RAISE(ABORT, 'an event never changes');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER posts_erased BEFORE UPDATE OF message_id, reference, case_id ON posts
WHEN (NEW.message_id <> OLD.message_id AND NEW.message_id <> '')
    OR (NEW.reference <> OLD.reference AND NEW.reference <> '') OR (NEW.case_id <> OLD.case_id AND NEW.case_id <> '')
BEGIN
    SELECT RAISE(ABORT, 'what came in never changes');
END;
-- +goose StatementEnd

-- +goose Down

DROP TRIGGER posts_erased;
DROP TRIGGER events_erased;
DROP TRIGGER posts_identity;
DROP TRIGGER post_events_sealed;
DROP TRIGGER events_sealed;
DROP TRIGGER events_fixed;
DROP TRIGGER attempts_sealed;
DROP TRIGGER intent_documents_sealed;
DROP TRIGGER intent_contents_fixed;
DROP TRIGGER receipts_matched_late;
DROP TRIGGER receipts_late;
DROP TABLE leases;
DROP TABLE marks;
DROP TABLE exhibit_documents;
DROP INDEX posts_memo;
DROP INDEX post_documents_stored;
DROP INDEX uploads_created;
DROP INDEX uploads_stored;
DROP INDEX intent_documents_stored;
DROP INDEX unreadable_read;
DROP TABLE removals;
DROP TABLE holds;
DROP TABLE erasures;
DROP INDEX posts_erasable;
DROP INDEX intents_erasable;
ALTER TABLE posts DROP COLUMN erased;
ALTER TABLE intents DROP COLUMN erased;

-- +goose StatementBegin
CREATE TRIGGER intent_contents_fixed BEFORE UPDATE ON intent_contents
WHEN NEW.intent_id <> OLD.intent_id OR (NEW.recipient IS NOT OLD.recipient AND substr(NEW.recipient, 1, 4) IS NOT x'bd424401')
    OR (NEW.content IS NOT OLD.content AND substr(NEW.content, 1, 4) IS NOT x'bd424401')
BEGIN
    SELECT RAISE(ABORT, 'the content of an intent never changes');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER intent_documents_sealed BEFORE UPDATE OF filename, inline ON intent_documents
WHEN (NEW.filename <> OLD.filename AND substr(NEW.filename, 1, 9) <> 'sealed:1:')
    OR (NEW.inline IS NOT OLD.inline AND substr(NEW.inline, 1, 4) IS NOT x'bd424401')
BEGIN
    SELECT RAISE(ABORT, 'the documents of an intent never change');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER attempts_sealed BEFORE UPDATE OF text, answer ON attempts
WHEN OLD.ended_at IS NOT NULL AND ((NEW.text <> OLD.text AND substr(NEW.text, 1, 9) <> 'sealed:1:')
    OR (NEW.answer IS NOT OLD.answer AND substr(NEW.answer, 1, 4) IS NOT x'bd424401'))
BEGIN
    SELECT RAISE(ABORT, 'a closed attempt never changes');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER events_fixed BEFORE UPDATE OF seq, at, producer, intent_id, reference, message_id, channel, status, intent_status, attempt,
    code, post_id, case_id ON events
BEGIN
    SELECT RAISE(ABORT, 'an event never changes');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER events_sealed BEFORE UPDATE OF text ON events
WHEN NEW.text <> OLD.text AND substr(NEW.text, 1, 9) <> 'sealed:1:'
BEGIN
    SELECT RAISE(ABORT, 'an event never changes');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER post_events_sealed BEFORE UPDATE OF text ON post_events
WHEN NEW.text <> OLD.text AND substr(NEW.text, 1, 9) <> 'sealed:1:'
BEGIN
    SELECT RAISE(ABORT, 'an event never changes');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER posts_identity BEFORE UPDATE OF id, message_uuid, message_id, transmission_id, source, received_at,
    memo_sha256, memo_size, receipt, producer, intent_id, reference, answered_id, case_id, flags ON posts
BEGIN
    SELECT RAISE(ABORT, 'what came in never changes');
END;
-- +goose StatementEnd
