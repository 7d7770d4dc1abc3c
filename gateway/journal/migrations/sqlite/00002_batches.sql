-- Batches, priorities, and when a held message was released.

-- +goose Up

-- Intents that were handed in together, and what became of the lines they came on.
CREATE TABLE batches (
    id         TEXT    NOT NULL PRIMARY KEY, -- batch_ + ULID
    producer   TEXT    NOT NULL, -- name of the producer that posted it
    created_at INTEGER NOT NULL, -- time its first line was awaited
    ended_at   INTEGER, -- time its last line was answered; NULL: it is being read, or was cut off
    lines      INTEGER NOT NULL CHECK (lines >= 0), -- lines answered; 0 before it ended
    accepted   INTEGER NOT NULL CHECK (accepted >= 0), -- of them: new intents
    existing   INTEGER NOT NULL CHECK (existing >= 0), -- of them: intents that had been posted before
    refused    INTEGER NOT NULL CHECK (refused >= 0), -- of them: everything else
    CHECK (lines = accepted + existing + refused)
) WITHOUT ROWID;

-- The batch that brought an intent; '': it was posted alone. (A reference would keep the column from being taken back.)
ALTER TABLE intents ADD COLUMN batch_id TEXT NOT NULL DEFAULT '';

-- Who goes first when a channel is busy; a message has that of its intent.
ALTER TABLE intents ADD COLUMN priority TEXT NOT NULL DEFAULT 'normal' CHECK (priority IN ('urgent', 'normal', 'bulk'));
ALTER TABLE messages ADD COLUMN priority TEXT NOT NULL DEFAULT 'normal' CHECK (priority IN ('urgent', 'normal', 'bulk'));

-- Time a person last had a held message sent again; NULL: never.
ALTER TABLE messages ADD COLUMN released_at INTEGER;

-- Counts the intents of a batch by status without reading them.
CREATE INDEX intents_batch ON intents (batch_id, status) WHERE batch_id <> '';

-- +goose Down

DROP INDEX intents_batch;
ALTER TABLE messages DROP COLUMN released_at;
ALTER TABLE messages DROP COLUMN priority;
ALTER TABLE intents DROP COLUMN priority;
ALTER TABLE intents DROP COLUMN batch_id;
DROP TABLE batches;
