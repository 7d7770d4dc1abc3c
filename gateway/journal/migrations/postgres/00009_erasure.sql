-- Retention and erasure: what is final is forgotten in stages, what is held is not, and documents of the store leave it when
-- nothing names them any more.

-- +goose Up

-- How much of what is final has been erased: 0 nothing, 1 documents, 2 content, 3 identifiers.
ALTER TABLE intents ADD COLUMN erased integer NOT NULL DEFAULT 0 CHECK (erased BETWEEN 0 AND 3);
ALTER TABLE posts ADD COLUMN erased integer NOT NULL DEFAULT 0 CHECK (erased BETWEEN 0 AND 3);

-- What is to be looked at for erasing, by time.
CREATE INDEX intents_erasable ON intents (sender, erased, final_at, id) WHERE final_at IS NOT NULL AND erased < 3;
CREATE INDEX posts_erasable ON posts (erased, final_at, id) WHERE final_at IS NOT NULL AND erased < 3;

-- When something was erased.
CREATE TABLE erasures (
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('intent', 'post')),
    id text COLLATE "C" NOT NULL, -- of the intent or post
    stage integer NOT NULL CHECK (stage BETWEEN 1 AND 3),
    at timestamptz NOT NULL, -- time of the last time
    PRIMARY KEY (kind, id, stage)
);

-- What must not be erased, whatever its age.
CREATE TABLE holds (
    id text COLLATE "C" NOT NULL PRIMARY KEY, -- hold_ + ULID
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('intent', 'reference', 'recipient', 'post')),
    object text COLLATE "C" NOT NULL, -- id or reference; '': a recipient
    producer text COLLATE "C" NOT NULL, -- of a reference; '': of any producer
    recipient bytea, -- JSON: CPR or CVR number, of a hold on a recipient: personal data
    set_by text NOT NULL, -- who
    reason text NOT NULL, -- why; a person wrote it
    at timestamptz NOT NULL, -- time it was set
    released_at timestamptz, -- time it ended; NULL: it holds
    released_by text NOT NULL -- who; '': nobody yet
);

-- Documents of the store that nothing named any more when they were put here. They are removed a while later, if that is
-- still so.
CREATE TABLE removals (
    sha256 text COLLATE "C" NOT NULL PRIMARY KEY,
    at timestamptz NOT NULL -- time from which it may have been needless
);

-- Finds who names a document of the store.
CREATE INDEX intent_documents_stored ON intent_documents (sha256) WHERE inline IS NULL AND filename <> '';
CREATE INDEX uploads_stored ON uploads (sha256);
CREATE INDEX uploads_created ON uploads (created_at, id);
CREATE INDEX post_documents_stored ON post_documents (sha256);
CREATE INDEX posts_memo ON posts (memo_sha256);

-- The documents of the store that kept requests name. Filled before documents are removed, see gateway/retention.
CREATE TABLE exhibit_documents (
    sha256 text COLLATE "C" NOT NULL,
    exhibit_id bigint NOT NULL REFERENCES exhibits (id),
    PRIMARY KEY (sha256, exhibit_id)
);

-- How far work has come that is done bit by bit.
CREATE TABLE marks (
    name text COLLATE "C" NOT NULL PRIMARY KEY,
    at timestamptz NOT NULL -- everything from before this time is done
);

-- Work that one process at a time does.
CREATE TABLE leases (
    name text COLLATE "C" NOT NULL PRIMARY KEY,
    holder text NOT NULL, -- the process
    ends_at timestamptz NOT NULL, -- time from which another may take it
    fence bigint NOT NULL -- grows with every change of holder
);

-- The bodies that were read after all, by the receipt they were.
CREATE INDEX unreadable_read ON unreadable (receipt_id) WHERE receipt_id <> '';

-- A status that comes late is erased like those before it.
-- +goose StatementBegin
CREATE FUNCTION journal_receipt_late() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE intents SET erased = 1 WHERE id = (SELECT intent_id FROM messages WHERE id = NEW.message_id) AND erased > 1;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER receipts_late AFTER INSERT ON receipts FOR EACH ROW
WHEN (NEW.message_id IS NOT NULL) EXECUTE FUNCTION journal_receipt_late();
CREATE TRIGGER receipts_matched_late AFTER UPDATE OF message_id ON receipts FOR EACH ROW
WHEN (NEW.message_id IS NOT NULL) EXECUTE FUNCTION journal_receipt_late();

-- What was said, tried and came still never changes: the guards now let one thing more pass, that it is erased. Erased is
-- the empty text, NULL, and {} where there must be JSON.
DROP TRIGGER intent_contents_fixed ON intent_contents;
DROP TRIGGER intent_documents_sealed ON intent_documents;
DROP TRIGGER attempts_sealed ON attempts;
DROP TRIGGER events_fixed ON events;
DROP TRIGGER events_sealed ON events;
DROP TRIGGER post_events_sealed ON post_events;
DROP TRIGGER posts_identity ON posts;

CREATE TRIGGER intent_contents_fixed BEFORE UPDATE ON intent_contents FOR EACH ROW
WHEN (NEW.intent_id <> OLD.intent_id
    OR (NEW.recipient IS DISTINCT FROM OLD.recipient AND NEW.recipient IS DISTINCT FROM '\x7b7d'::bytea AND substr(NEW.recipient, 1, 4) IS DISTINCT FROM '\xbd424401'::bytea)
    OR (NEW.content IS DISTINCT FROM OLD.content AND NEW.content IS DISTINCT FROM '\x7b7d'::bytea AND substr(NEW.content, 1, 4) IS DISTINCT FROM '\xbd424401'::bytea))
EXECUTE FUNCTION journal_refuse('the content of an intent never changes');
CREATE TRIGGER intent_documents_sealed BEFORE UPDATE OF filename, inline ON intent_documents FOR EACH ROW
WHEN ((NEW.filename <> OLD.filename AND NEW.filename <> '' AND substr(NEW.filename, 1, 9) <> 'sealed:1:')
    OR (NEW.inline IS DISTINCT FROM OLD.inline AND NEW.inline IS NOT NULL AND substr(NEW.inline, 1, 4) IS DISTINCT FROM '\xbd424401'::bytea))
EXECUTE FUNCTION journal_refuse('the documents of an intent never change');
CREATE TRIGGER attempts_sealed BEFORE UPDATE OF text, answer ON attempts FOR EACH ROW
WHEN (OLD.ended_at IS NOT NULL
    AND ((NEW.text <> OLD.text AND NEW.text <> '' AND substr(NEW.text, 1, 9) <> 'sealed:1:')
    OR (NEW.answer IS DISTINCT FROM OLD.answer AND NEW.answer IS NOT NULL AND substr(NEW.answer, 1, 4) IS DISTINCT FROM '\xbd424401'::bytea)))
EXECUTE FUNCTION journal_refuse('a closed attempt never changes');
CREATE TRIGGER events_fixed BEFORE UPDATE OF seq, at, producer, intent_id, message_id, channel, status, intent_status, attempt,
    code, post_id ON events FOR EACH ROW
EXECUTE FUNCTION journal_refuse('an event never changes');
CREATE TRIGGER events_sealed BEFORE UPDATE OF text ON events FOR EACH ROW
WHEN (NEW.text <> OLD.text AND NEW.text <> '' AND substr(NEW.text, 1, 9) <> 'sealed:1:')
EXECUTE FUNCTION journal_refuse('an event never changes');
CREATE TRIGGER post_events_sealed BEFORE UPDATE OF text ON post_events FOR EACH ROW
WHEN (NEW.text <> OLD.text AND NEW.text <> '' AND substr(NEW.text, 1, 9) <> 'sealed:1:')
EXECUTE FUNCTION journal_refuse('an event never changes');
CREATE TRIGGER posts_identity BEFORE UPDATE OF id, message_uuid, transmission_id, source, received_at,
    memo_sha256, memo_size, receipt, producer, intent_id, answered_id, flags ON posts FOR EACH ROW
EXECUTE FUNCTION journal_refuse('what came in never changes');
CREATE TRIGGER events_erased BEFORE UPDATE OF reference, case_id ON events FOR EACH ROW
WHEN ((NEW.reference <> OLD.reference AND NEW.reference <> '') OR (NEW.case_id <> OLD.case_id AND NEW.case_id <> ''))
EXECUTE FUNCTION journal_refuse('an event never changes');
CREATE TRIGGER posts_erased BEFORE UPDATE OF message_id, reference, case_id ON posts FOR EACH ROW
WHEN ((NEW.message_id <> OLD.message_id AND NEW.message_id <> '')
    OR (NEW.reference <> OLD.reference AND NEW.reference <> '') OR (NEW.case_id <> OLD.case_id AND NEW.case_id <> ''))
EXECUTE FUNCTION journal_refuse('what came in never changes');

-- +goose Down

DROP TRIGGER posts_erased ON posts;
DROP TRIGGER events_erased ON events;
DROP TRIGGER posts_identity ON posts;
DROP TRIGGER post_events_sealed ON post_events;
DROP TRIGGER events_sealed ON events;
DROP TRIGGER events_fixed ON events;
DROP TRIGGER attempts_sealed ON attempts;
DROP TRIGGER intent_documents_sealed ON intent_documents;
DROP TRIGGER intent_contents_fixed ON intent_contents;
DROP TRIGGER receipts_matched_late ON receipts;
DROP TRIGGER receipts_late ON receipts;
DROP FUNCTION journal_receipt_late;
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

CREATE TRIGGER intent_contents_fixed BEFORE UPDATE ON intent_contents FOR EACH ROW
WHEN (NEW.intent_id <> OLD.intent_id OR (NEW.recipient IS DISTINCT FROM OLD.recipient AND substr(NEW.recipient, 1, 4) IS DISTINCT FROM '\xbd424401'::bytea)
    OR (NEW.content IS DISTINCT FROM OLD.content AND substr(NEW.content, 1, 4) IS DISTINCT FROM '\xbd424401'::bytea))
EXECUTE FUNCTION journal_refuse('the content of an intent never changes');
CREATE TRIGGER intent_documents_sealed BEFORE UPDATE OF filename, inline ON intent_documents FOR EACH ROW
WHEN ((NEW.filename <> OLD.filename AND substr(NEW.filename, 1, 9) <> 'sealed:1:')
    OR (NEW.inline IS DISTINCT FROM OLD.inline AND substr(NEW.inline, 1, 4) IS DISTINCT FROM '\xbd424401'::bytea))
EXECUTE FUNCTION journal_refuse('the documents of an intent never change');
CREATE TRIGGER attempts_sealed BEFORE UPDATE OF text, answer ON attempts FOR EACH ROW
WHEN (OLD.ended_at IS NOT NULL AND ((NEW.text <> OLD.text AND substr(NEW.text, 1, 9) <> 'sealed:1:')
    OR (NEW.answer IS DISTINCT FROM OLD.answer AND substr(NEW.answer, 1, 4) IS DISTINCT FROM '\xbd424401'::bytea)))
EXECUTE FUNCTION journal_refuse('a closed attempt never changes');
CREATE TRIGGER events_fixed BEFORE UPDATE OF seq, at, producer, intent_id, reference, message_id, channel, status, intent_status, attempt,
    code, post_id, case_id ON events FOR EACH ROW
EXECUTE FUNCTION journal_refuse('an event never changes');
CREATE TRIGGER events_sealed BEFORE UPDATE OF text ON events FOR EACH ROW
WHEN (NEW.text <> OLD.text AND substr(NEW.text, 1, 9) <> 'sealed:1:')
EXECUTE FUNCTION journal_refuse('an event never changes');
CREATE TRIGGER post_events_sealed BEFORE UPDATE OF text ON post_events FOR EACH ROW
WHEN (NEW.text <> OLD.text AND substr(NEW.text, 1, 9) <> 'sealed:1:')
EXECUTE FUNCTION journal_refuse('an event never changes');
CREATE TRIGGER posts_identity BEFORE UPDATE OF id, message_uuid, message_id, transmission_id, source, received_at,
    memo_sha256, memo_size, receipt, producer, intent_id, reference, answered_id, case_id, flags ON posts
FOR EACH ROW EXECUTE FUNCTION journal_refuse('what came in never changes');
