-- Statuses that can be trusted: the overdue watch, bodies that nobody could read, and a printed letter that comes back from
-- every state in which it may have left.

-- +goose Up

-- Time it was noted that the expected status had not come; NULL: never.
ALTER TABLE messages ADD COLUMN overdue_at INTEGER;

-- The messages whose final status is awaited, and those of them that were noted as overdue, by channel.
CREATE INDEX messages_awaiting ON messages (channel, submitted_at)
    WHERE state IN ('submitted', 'received') AND overdue_at IS NULL;
CREATE INDEX messages_overdue ON messages (channel, submitted_at, state, overdue_at) -- the last two so that counting needs no row
    WHERE state IN ('submitted', 'received') AND overdue_at IS NOT NULL;

-- The messages that wait for a person, by age.
CREATE INDEX messages_held ON messages (created_at) WHERE state = 'held';

-- 1: the far end's two words for what happened disagree.
ALTER TABLE receipts ADD COLUMN conflict INTEGER NOT NULL DEFAULT 0 CHECK (conflict IN (0, 1));

-- The receipts in quarantine, by the time they came; with message_id, so that counting and paging do not read past raw.
DROP INDEX receipts_unmatched;
CREATE INDEX receipts_unmatched ON receipts (received_at, id, message_id) WHERE message_id IS NULL;

-- What came on the road of the statuses and could not be read. Kept whole, once, until somebody can read it.
CREATE TABLE unreadable (
    id          TEXT    NOT NULL PRIMARY KEY, -- lower-case hex of the SHA-256 of the body
    reason      TEXT    NOT NULL, -- why it could not be read; names the field and quotes nothing
    received_at INTEGER NOT NULL, -- time it came first
    read_at     INTEGER, -- time a later program could read it; NULL: nobody has
    receipt_id  TEXT    NOT NULL, -- the receipt it turned out to be; '': none yet
    raw         BLOB    NOT NULL -- the body; last, so that the others are read without it
);

-- The bodies that still nobody could read, by the time they came.
CREATE INDEX unreadable_waiting ON unreadable (received_at, id, read_at) WHERE read_at IS NULL;

DROP TRIGGER messages_final_state;

-- A final state stands, except that the far end may know better later: a failed letter that was delivered after all or
-- came back, a delivered one that came back. The same rule as gateway.MessageState.May.
-- +goose StatementBegin
CREATE TRIGGER messages_final_state BEFORE UPDATE OF state ON messages
WHEN OLD.final_at IS NOT NULL AND NEW.state <> OLD.state
    AND NOT (OLD.state = 'failed' AND NEW.state IN ('delivered', 'returned'))
    AND NOT (OLD.state = 'delivered' AND NEW.state = 'returned')
BEGIN
    SELECT RAISE(ABORT, 'the final state of a message stands');
END;
-- +goose StatementEnd

-- +goose Down

DROP TRIGGER messages_final_state;
-- +goose StatementBegin
CREATE TRIGGER messages_final_state BEFORE UPDATE OF state ON messages
WHEN OLD.final_at IS NOT NULL AND NEW.state <> OLD.state
    AND NOT (OLD.state = 'failed' AND NEW.state = 'delivered')
    AND NOT (OLD.state = 'delivered' AND NEW.state = 'returned')
BEGIN
    SELECT RAISE(ABORT, 'the final state of a message stands');
END;
-- +goose StatementEnd
DROP TABLE unreadable;
DROP INDEX receipts_unmatched;
CREATE INDEX receipts_unmatched ON receipts (received_at, id) WHERE message_id IS NULL;
ALTER TABLE receipts DROP COLUMN conflict;
DROP INDEX messages_held;
DROP INDEX messages_overdue;
DROP INDEX messages_awaiting;
ALTER TABLE messages DROP COLUMN overdue_at;
