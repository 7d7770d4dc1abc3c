-- Callbacks: the events that producers are to be told, and how that went.

-- +goose Up

-- One row for each event of a producer with a callback, written in the transaction of the event. Rows of one lane are
-- told one after the other.
CREATE TABLE callbacks (
    seq         INTEGER NOT NULL PRIMARY KEY REFERENCES events (seq) ON DELETE CASCADE, -- the event
    producer    TEXT    NOT NULL, -- the event's producer, who is told
    lane        TEXT    NOT NULL, -- the event's message, or its intent when it has none
    state       TEXT    NOT NULL CHECK (state IN ('pending', 'delivered', 'given_up')), -- where it stands
    attempts    INTEGER NOT NULL CHECK (attempts >= 0), -- how many were claimed, and one more for every replay: the number of a claim
    first_at    INTEGER, -- time of the first attempt since it was last made pending; NULL: none yet
    due_at      INTEGER, -- time to tell it, or time the claim on it lapses; NULL: it is done, or another of its lane goes first
    last_at     INTEGER, -- time the last attempt ended; NULL: none yet, or one is under way
    http_status INTEGER NOT NULL, -- of the last answer; 0: none
    failure     TEXT    NOT NULL, -- fixed word for what was wrong at last; '': nothing
    CHECK (due_at IS NULL OR state = 'pending')
);

-- Finds the oldest pending event of a lane: its head, the only one with a due_at.
CREATE INDEX callbacks_lane ON callbacks (lane, seq) WHERE state = 'pending';

-- The heads of a producer's lanes, by time.
CREATE INDEX callbacks_due ON callbacks (producer, due_at, seq) WHERE due_at IS NOT NULL;

-- Counts what is not delivered.
CREATE INDEX callbacks_open ON callbacks (producer, state, seq) WHERE state <> 'delivered';

-- How telling each producer went at last, so that nobody has to count what was delivered.
CREATE TABLE callback_tallies (
    producer     TEXT    NOT NULL PRIMARY KEY, -- who is told
    delivered    INTEGER NOT NULL, -- confirmed tellings, replays included
    delivered_at INTEGER, -- time of the last one; NULL: none yet
    failed_at    INTEGER, -- time of the last failed attempt; NULL: none yet
    http_status  INTEGER NOT NULL, -- of that failure; 0: no answer
    failure      TEXT    NOT NULL  -- fixed word for it; '': none yet
) WITHOUT ROWID;

-- +goose Down

DROP TABLE callback_tallies;
DROP TABLE callbacks;
