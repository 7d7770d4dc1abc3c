-- Sealing: what is personal may be sealed where it lies, and sealed anew under another key. What is sealed begins with the
-- bytes bd 42 44 01 in a column of bytes, and with "sealed:1:" in a column of text.

-- +goose Up

-- Keyed hash of the recipient's CPR or CVR number, by which what was told to a person is found; NULL: stored without keys.
ALTER TABLE intent_contents ADD COLUMN recipient_hash BLOB;
CREATE INDEX intent_contents_recipient ON intent_contents (recipient_hash) WHERE recipient_hash IS NOT NULL;

-- What was said to whom, what was tried and what happened still never change: the guards now let one thing pass, that the same
-- is sealed. Whether it is the same is told by its seal, which is bound to its place, when it is read.
DROP TRIGGER intent_contents_fixed;
DROP TRIGGER intent_documents_fixed;
DROP TRIGGER attempts_closed;
DROP TRIGGER exhibits_fixed;
DROP TRIGGER events_fixed;
DROP TRIGGER post_events_fixed;

-- +goose StatementBegin
CREATE TRIGGER intent_contents_fixed BEFORE UPDATE ON intent_contents
WHEN NEW.intent_id <> OLD.intent_id OR (NEW.recipient IS NOT OLD.recipient AND substr(NEW.recipient, 1, 4) IS NOT x'bd424401')
    OR (NEW.content IS NOT OLD.content AND substr(NEW.content, 1, 4) IS NOT x'bd424401')
BEGIN
    SELECT RAISE(ABORT, 'the content of an intent never changes');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER intent_documents_fixed BEFORE UPDATE OF intent_id, n, content_type, size, sha256 ON intent_documents
BEGIN
    SELECT RAISE(ABORT, 'the documents of an intent never change');
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
CREATE TRIGGER attempts_closed BEFORE UPDATE OF id, message_id, n, worker, started_at, ended_at, class, code, http_status, digest,
    manifest_id, exhibit_id, subject ON attempts
WHEN OLD.ended_at IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'a closed attempt never changes');
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
CREATE TRIGGER exhibits_fixed BEFORE UPDATE ON exhibits
WHEN NEW.id <> OLD.id OR (NEW.skeleton IS NOT NULL AND (OLD.skeleton IS NULL OR substr(NEW.skeleton, 1, 4) IS NOT x'bd424401'))
BEGIN
    SELECT RAISE(ABORT, 'a kept request never changes');
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
CREATE TRIGGER post_events_fixed BEFORE UPDATE OF seq, at, post_id, state, target, code, decider ON post_events
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

-- +goose Down

DROP TRIGGER post_events_sealed;
DROP TRIGGER post_events_fixed;
DROP TRIGGER events_sealed;
DROP TRIGGER events_fixed;
DROP TRIGGER exhibits_fixed;
DROP TRIGGER attempts_sealed;
DROP TRIGGER attempts_closed;
DROP TRIGGER intent_documents_sealed;
DROP TRIGGER intent_documents_fixed;
DROP TRIGGER intent_contents_fixed;
DROP INDEX intent_contents_recipient;
ALTER TABLE intent_contents DROP COLUMN recipient_hash;
-- +goose StatementBegin
CREATE TRIGGER intent_contents_fixed BEFORE UPDATE ON intent_contents
BEGIN
    SELECT RAISE(ABORT, 'the content of an intent never changes');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER intent_documents_fixed BEFORE UPDATE ON intent_documents
BEGIN
    SELECT RAISE(ABORT, 'the documents of an intent never change');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER attempts_closed BEFORE UPDATE ON attempts
WHEN OLD.ended_at IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'a closed attempt never changes');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER exhibits_fixed BEFORE UPDATE ON exhibits
WHEN NEW.id <> OLD.id OR NEW.skeleton IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'a kept request never changes');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER events_fixed BEFORE UPDATE ON events
BEGIN
    SELECT RAISE(ABORT, 'an event never changes');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER post_events_fixed BEFORE UPDATE ON post_events
BEGIN
    SELECT RAISE(ABORT, 'an event never changes');
END;
-- +goose StatementEnd
