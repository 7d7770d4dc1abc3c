-- Sealing: what is personal may be sealed where it lies, and sealed anew under another key. What is sealed begins with the
-- bytes bd 42 44 01 in a column of bytes, and with "sealed:1:" in a column of text.

-- +goose Up

-- Keyed hash of the recipient's CPR or CVR number, by which what was told to a person is found; NULL: stored without keys.
ALTER TABLE intent_contents ADD COLUMN recipient_hash bytea;
CREATE INDEX intent_contents_recipient ON intent_contents (recipient_hash) WHERE recipient_hash IS NOT NULL;

-- What was said to whom, what was tried and what happened still never change: the guards now let one thing pass, that the same
-- is sealed. Whether it is the same is told by its seal, which is bound to its place, when it is read.
DROP TRIGGER intent_contents_fixed ON intent_contents;
DROP TRIGGER intent_documents_fixed ON intent_documents;
DROP TRIGGER attempts_closed ON attempts;
DROP TRIGGER exhibits_fixed ON exhibits;
DROP TRIGGER events_fixed ON events;
DROP TRIGGER post_events_fixed ON post_events;

CREATE TRIGGER intent_contents_fixed BEFORE UPDATE ON intent_contents FOR EACH ROW
WHEN (NEW.intent_id <> OLD.intent_id OR (NEW.recipient IS DISTINCT FROM OLD.recipient AND substr(NEW.recipient, 1, 4) IS DISTINCT FROM '\xbd424401'::bytea)
    OR (NEW.content IS DISTINCT FROM OLD.content AND substr(NEW.content, 1, 4) IS DISTINCT FROM '\xbd424401'::bytea))
EXECUTE FUNCTION journal_refuse('the content of an intent never changes');
CREATE TRIGGER intent_documents_fixed BEFORE UPDATE OF intent_id, n, content_type, size, sha256 ON intent_documents FOR EACH ROW
EXECUTE FUNCTION journal_refuse('the documents of an intent never change');
CREATE TRIGGER intent_documents_sealed BEFORE UPDATE OF filename, inline ON intent_documents FOR EACH ROW
WHEN ((NEW.filename <> OLD.filename AND substr(NEW.filename, 1, 9) <> 'sealed:1:')
    OR (NEW.inline IS DISTINCT FROM OLD.inline AND substr(NEW.inline, 1, 4) IS DISTINCT FROM '\xbd424401'::bytea))
EXECUTE FUNCTION journal_refuse('the documents of an intent never change');
CREATE TRIGGER attempts_closed BEFORE UPDATE OF id, message_id, n, worker, started_at, ended_at, class, code, http_status, digest,
    manifest_id, exhibit_id, subject ON attempts FOR EACH ROW
WHEN (OLD.ended_at IS NOT NULL)
EXECUTE FUNCTION journal_refuse('a closed attempt never changes');
CREATE TRIGGER attempts_sealed BEFORE UPDATE OF text, answer ON attempts FOR EACH ROW
WHEN (OLD.ended_at IS NOT NULL AND ((NEW.text <> OLD.text AND substr(NEW.text, 1, 9) <> 'sealed:1:')
    OR (NEW.answer IS DISTINCT FROM OLD.answer AND substr(NEW.answer, 1, 4) IS DISTINCT FROM '\xbd424401'::bytea)))
EXECUTE FUNCTION journal_refuse('a closed attempt never changes');
CREATE TRIGGER exhibits_fixed BEFORE UPDATE ON exhibits FOR EACH ROW
WHEN (NEW.id <> OLD.id OR (NEW.skeleton IS NOT NULL AND (OLD.skeleton IS NULL OR substr(NEW.skeleton, 1, 4) IS DISTINCT FROM '\xbd424401'::bytea)))
EXECUTE FUNCTION journal_refuse('a kept request never changes');
CREATE TRIGGER events_fixed BEFORE UPDATE OF seq, at, producer, intent_id, reference, message_id, channel, status, intent_status, attempt,
    code, post_id, case_id ON events FOR EACH ROW
EXECUTE FUNCTION journal_refuse('an event never changes');
CREATE TRIGGER events_sealed BEFORE UPDATE OF text ON events FOR EACH ROW
WHEN (NEW.text <> OLD.text AND substr(NEW.text, 1, 9) <> 'sealed:1:')
EXECUTE FUNCTION journal_refuse('an event never changes');
CREATE TRIGGER post_events_fixed BEFORE UPDATE OF seq, at, post_id, state, target, code, decider ON post_events FOR EACH ROW
EXECUTE FUNCTION journal_refuse('an event never changes');
CREATE TRIGGER post_events_sealed BEFORE UPDATE OF text ON post_events FOR EACH ROW
WHEN (NEW.text <> OLD.text AND substr(NEW.text, 1, 9) <> 'sealed:1:')
EXECUTE FUNCTION journal_refuse('an event never changes');

-- +goose Down

DROP TRIGGER post_events_sealed ON post_events;
DROP TRIGGER post_events_fixed ON post_events;
DROP TRIGGER events_sealed ON events;
DROP TRIGGER events_fixed ON events;
DROP TRIGGER exhibits_fixed ON exhibits;
DROP TRIGGER attempts_sealed ON attempts;
DROP TRIGGER attempts_closed ON attempts;
DROP TRIGGER intent_documents_sealed ON intent_documents;
DROP TRIGGER intent_documents_fixed ON intent_documents;
DROP TRIGGER intent_contents_fixed ON intent_contents;
DROP INDEX intent_contents_recipient;
ALTER TABLE intent_contents DROP COLUMN recipient_hash;
CREATE TRIGGER intent_contents_fixed BEFORE UPDATE ON intent_contents FOR EACH ROW
EXECUTE FUNCTION journal_refuse('the content of an intent never changes');
CREATE TRIGGER intent_documents_fixed BEFORE UPDATE ON intent_documents FOR EACH ROW
EXECUTE FUNCTION journal_refuse('the documents of an intent never change');
CREATE TRIGGER attempts_closed BEFORE UPDATE ON attempts FOR EACH ROW
WHEN (OLD.ended_at IS NOT NULL)
EXECUTE FUNCTION journal_refuse('a closed attempt never changes');
CREATE TRIGGER exhibits_fixed BEFORE UPDATE ON exhibits FOR EACH ROW
WHEN (NEW.id <> OLD.id OR NEW.skeleton IS NOT NULL)
EXECUTE FUNCTION journal_refuse('a kept request never changes');
CREATE TRIGGER events_fixed BEFORE UPDATE ON events FOR EACH ROW
EXECUTE FUNCTION journal_refuse('an event never changes');
CREATE TRIGGER post_events_fixed BEFORE UPDATE ON post_events FOR EACH ROW
EXECUTE FUNCTION journal_refuse('an event never changes');
