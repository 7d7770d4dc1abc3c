-- The journal of brevdue on SQLite: every intent, message, attempt, receipt and event.
--
-- Times are INTEGER microseconds since 1970-01-01 UTC; a time that is not known yet is NULL. Ids are a prefix and a
-- ULID, so they sort by the time they were made. Personal data lives in intent_contents and intent_documents and
-- nowhere else, so that it can be sealed or removed in one place; what the far end wrote (attempts.text, receipts,
-- events.text) is kept as it came.

-- +goose Up

-- What a producer wants told: the part of an intent that is read often and changes (its status).
CREATE TABLE intents (
    id           TEXT    NOT NULL PRIMARY KEY, -- int_ + ULID
    producer     TEXT    NOT NULL, -- name of the producer that posted it
    reference    TEXT    NOT NULL, -- the producer's own key: the idempotency key
    fingerprint  BLOB    NOT NULL CHECK (length(fingerprint) = 32), -- SHA-256 of the request, tells the same reference with another body
    sender       TEXT    NOT NULL, -- name of the sender profile
    routes       TEXT    NOT NULL CHECK (json_valid(routes)), -- JSON: list of lists of channel names
    not_before   INTEGER, -- time before which it may not be sent; NULL: at once
    expires      INTEGER, -- time after which it may not be sent; NULL: never
    send_window  TEXT    NOT NULL, -- name of a send window; '': the channel's own
    dedupe       TEXT    NOT NULL, -- key under which a second waiting intent is needless; '': none
    status       TEXT    NOT NULL CHECK (status IN ('accepted', 'scheduled', 'sending', 'submitted', 'delivered',
                                                    'failed', 'held', 'cancelled', 'expired', 'discarded')), -- derived from its messages
    discarded_by TEXT    NOT NULL, -- id of the waiting intent that made this one needless; '': none
    created_at   INTEGER NOT NULL, -- time it was accepted
    final_at     INTEGER, -- time its last message ended; NULL while one is under way
    UNIQUE (producer, reference),
    CHECK (final_at IS NULL OR status IN ('delivered', 'failed', 'cancelled', 'expired', 'discarded'))
) WITHOUT ROWID;

-- The intents that a dedupe key may find: those that have not been sent.
CREATE INDEX intents_waiting ON intents (producer, dedupe) WHERE dedupe <> '' AND status IN ('accepted', 'scheduled');

-- To whom an intent is told and what: personal data. Written once with the intent and never changed.
CREATE TABLE intent_contents (
    intent_id TEXT NOT NULL PRIMARY KEY REFERENCES intents (id), -- the intent
    recipient BLOB NOT NULL, -- JSON: CPR or CVR number, name, address, e-mail, mobile
    content   BLOB NOT NULL  -- JSON: texts, actions, reply, subject key and case; documents are in intent_documents
);

-- The files of an intent's letter, in order; n = 0 is the main document. Written once and never changed.
CREATE TABLE intent_documents (
    intent_id    TEXT    NOT NULL REFERENCES intents (id), -- the intent
    n            INTEGER NOT NULL CHECK (n >= 0), -- place in the letter
    filename     TEXT    NOT NULL, -- name the recipient sees
    content_type TEXT    NOT NULL, -- media type, e.g. application/pdf
    size         INTEGER NOT NULL CHECK (size >= 0), -- bytes
    sha256       TEXT    NOT NULL, -- lower-case hex of its SHA-256; its name in the document store
    inline       BLOB, -- the bytes themselves when they are few; NULL: they are in the document store
    PRIMARY KEY (intent_id, n)
) WITHOUT ROWID;

-- One letter on one channel: an intent has one per leg, and one more for each fallback.
CREATE TABLE messages (
    id              TEXT    NOT NULL PRIMARY KEY, -- msg_ + ULID
    intent_id       TEXT    NOT NULL REFERENCES intents (id), -- the intent it tells
    leg             INTEGER NOT NULL CHECK (leg >= 0), -- index of the outer route
    step            INTEGER NOT NULL CHECK (step >= 0), -- index within that route
    channel         TEXT    NOT NULL, -- name of the channel
    state           TEXT    NOT NULL CHECK (state IN ('queued', 'scheduled', 'sending', 'submitted', 'received', 'delivered',
                                                      'returned', 'failed', 'held', 'superseded', 'cancelled', 'expired')), -- where it stands
    message_uuid    TEXT    NOT NULL UNIQUE, -- MeMo messageUUID, the same on every attempt
    afsendelse_id   TEXT    NOT NULL UNIQUE, -- AfsendelseIdentifikator, the same on every attempt
    transaction_id  TEXT    NOT NULL, -- x-TransaktionsId, the same on every attempt
    transmission_id TEXT    NOT NULL, -- what the far end calls it; '' before it answered
    attempts        INTEGER NOT NULL CHECK (attempts >= 0), -- how many were booked
    uncertain       INTEGER NOT NULL CHECK (uncertain IN (0, 1)), -- 1: an attempt may have been accepted without our knowing
    due_at          INTEGER, -- time a worker should next look at it; NULL: nothing is to be done now
    created_at      INTEGER NOT NULL, -- time it was made
    submitted_at    INTEGER, -- time the far end first had it; NULL: not yet, as far as we know
    final_at        INTEGER, -- time it reached its final state; NULL before
    version         INTEGER NOT NULL CHECK (version >= 0), -- grows with every change; a write of an older one is refused
    UNIQUE (intent_id, leg, step),
    CHECK ((state IN ('delivered', 'returned', 'failed', 'superseded', 'cancelled', 'expired')) = (final_at IS NOT NULL))
) WITHOUT ROWID;

-- The messages that a worker should look at, by time.
CREATE INDEX messages_due ON messages (due_at, id) WHERE due_at IS NOT NULL;

-- Finds the message of a receipt by the far end's own name of it.
CREATE INDEX messages_transmission ON messages (transmission_id) WHERE transmission_id <> '';

-- Signed manifests: the evidence of what was about to leave, one for one or more letters.
CREATE TABLE manifests (
    id        TEXT    NOT NULL PRIMARY KEY, -- UUID
    xml       BLOB    NOT NULL, -- ds:Signature over a ds:Manifest that lists attempt ids with digests
    signed_at INTEGER NOT NULL -- time of the signature
);

-- Tries to hand a message over: booked before anything leaves, closed once, never changed after that, never removed.
CREATE TABLE attempts (
    id          TEXT    NOT NULL PRIMARY KEY, -- att_ + ULID; also the letter's opaque name in a manifest
    message_id  TEXT    NOT NULL REFERENCES messages (id), -- the message
    n           INTEGER NOT NULL CHECK (n > 0), -- 1 for the message's first attempt, then 2, ...
    worker      TEXT    NOT NULL, -- the process that booked it
    started_at  INTEGER NOT NULL, -- time it was booked
    ended_at    INTEGER, -- time its outcome was known; NULL: open
    class       TEXT    NOT NULL CHECK (class IN ('', 'accepted', 'retry', 'next', 'failed', 'unknown')), -- outcome; '' while open
    code        TEXT    NOT NULL, -- raw code of the far end, or ours
    text        TEXT    NOT NULL, -- raw text of the far end, or ours
    http_status INTEGER NOT NULL, -- 0: none
    digest      BLOB    CHECK (digest IS NULL OR length(digest) = 32), -- SHA-256 of the bytes to be sent; NULL: nothing was about to leave
    manifest_id TEXT    REFERENCES manifests (id), -- the signed manifest that lists the digest; NULL: none
    UNIQUE (message_id, n),
    CHECK ((ended_at IS NULL) = (class = ''))
) WITHOUT ROWID;

-- The open attempt of a message: there is never more than one.
CREATE UNIQUE INDEX attempts_open ON attempts (message_id) WHERE ended_at IS NULL;

-- Statuses that came back, kept whole, matched or not.
CREATE TABLE receipts (
    id            TEXT    NOT NULL PRIMARY KEY, -- the far end's own id (BeskedId): the idempotency key
    kind          TEXT    NOT NULL CHECK (kind IN ('received', 'delivered', 'rejected', 'returned', 'note')), -- what it says
    class         TEXT    NOT NULL CHECK (class IN ('', 'accepted', 'retry', 'next', 'failed', 'unknown')), -- of a rejected one: what follows
    code          TEXT    NOT NULL, -- raw code of the far end
    text          TEXT    NOT NULL, -- raw text of the far end
    hint          TEXT    NOT NULL, -- what an operator can do about it
    status        TEXT    NOT NULL, -- the far end's name of it, e.g. "Afleveret Digital Post"
    occurred_at   INTEGER, -- time the far end says it happened; NULL: it does not say
    received_at   INTEGER NOT NULL, -- time it came
    message_uuid  TEXT    NOT NULL, -- what it says it is about; '': it does not say
    afsendelse_id TEXT    NOT NULL, -- what it says it is about; '': it does not say
    transmission  TEXT    NOT NULL, -- what it says it is about; '': it does not say
    raw           BLOB    NOT NULL, -- as it came
    message_id    TEXT    REFERENCES messages (id) -- the message it was matched to; NULL: in quarantine
);

-- The receipts in quarantine, by the time they came.
CREATE INDEX receipts_unmatched ON receipts (received_at, id) WHERE message_id IS NULL;

-- The story of every message and intent, and the cursor feed that producers read. Numbers are never used again.
CREATE TABLE events (
    seq           INTEGER PRIMARY KEY AUTOINCREMENT, -- the cursor of the feed
    at            INTEGER NOT NULL, -- time it happened
    producer      TEXT    NOT NULL, -- the intent's producer
    intent_id     TEXT    NOT NULL REFERENCES intents (id), -- the intent
    reference     TEXT    NOT NULL, -- the intent's reference
    message_id    TEXT    NOT NULL, -- the message; '': an event of the intent as a whole
    channel       TEXT    NOT NULL, -- the message's channel; '' for an event of the intent as a whole
    status        TEXT    NOT NULL, -- the message's state after it; for the intent's own event its status
    intent_status TEXT    NOT NULL, -- the intent's status after it
    attempt       INTEGER NOT NULL, -- number of the attempt it belongs to; 0: none
    code          TEXT    NOT NULL, -- raw code of the far end, or ours
    text          TEXT    NOT NULL  -- raw text of the far end, or ours
);

-- The feed of one producer, and the story of one intent; both in the order of seq.
CREATE INDEX events_producer ON events (producer);
CREATE INDEX events_intent ON events (intent_id);

-- Documents handed in ahead of the intent that uses them; their bytes are in the document store.
CREATE TABLE uploads (
    id         TEXT    NOT NULL PRIMARY KEY, -- doc_ + ULID
    producer   TEXT    NOT NULL, -- name of the producer that handed it in
    filename   TEXT    NOT NULL, -- name it was handed in with
    size       INTEGER NOT NULL CHECK (size >= 0), -- bytes
    sha256     TEXT    NOT NULL, -- lower-case hex of its SHA-256; its name in the document store
    created_at INTEGER NOT NULL -- time it was handed in
) WITHOUT ROWID;

-- The processes that work on this journal.
CREATE TABLE workers (
    worker  TEXT    NOT NULL PRIMARY KEY, -- the process among others
    seen_at INTEGER NOT NULL -- time it last said that it lives
) WITHOUT ROWID;

-- A final state stands, except that the far end may know better later: a failed letter that was delivered after all, a
-- delivered one that came back. The same rule as gateway.MessageState.May, for every program that writes here.
-- +goose StatementBegin
CREATE TRIGGER messages_final_state BEFORE UPDATE OF state ON messages
WHEN OLD.final_at IS NOT NULL AND NEW.state <> OLD.state
    AND NOT (OLD.state = 'failed' AND NEW.state = 'delivered')
    AND NOT (OLD.state = 'delivered' AND NEW.state = 'returned')
BEGIN
    SELECT RAISE(ABORT, 'the final state of a message stands');
END;
-- +goose StatementEnd

-- A message keeps its identity for ever: a letter must never leave twice under two names.
-- +goose StatementBegin
CREATE TRIGGER messages_identity BEFORE UPDATE OF id, intent_id, leg, step, message_uuid, afsendelse_id, transaction_id ON messages
BEGIN
    SELECT RAISE(ABORT, 'the identity of a message never changes');
END;
-- +goose StatementEnd

-- What was said to whom does not change after it was accepted.
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

-- A booked attempt is evidence: it stays, it is closed once, and what it was about to send is written once.
-- +goose StatementBegin
CREATE TRIGGER attempts_kept BEFORE DELETE ON attempts
BEGIN
    SELECT RAISE(ABORT, 'an attempt is never removed');
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
CREATE TRIGGER attempts_booked BEFORE UPDATE OF id, message_id, n, worker, started_at ON attempts
BEGIN
    SELECT RAISE(ABORT, 'the booking of an attempt never changes');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER attempts_evidence BEFORE UPDATE OF digest, manifest_id ON attempts
WHEN OLD.digest IS NOT NULL AND (NEW.digest IS NOT OLD.digest OR NEW.manifest_id IS NOT OLD.manifest_id)
BEGIN
    SELECT RAISE(ABORT, 'the evidence of an attempt never changes');
END;
-- +goose StatementEnd

-- What happened, happened.
-- +goose StatementBegin
CREATE TRIGGER events_fixed BEFORE UPDATE ON events
BEGIN
    SELECT RAISE(ABORT, 'an event never changes');
END;
-- +goose StatementEnd

-- +goose Down

DROP TABLE workers;
DROP TABLE uploads;
DROP TABLE events;
DROP TABLE receipts;
DROP TRIGGER attempts_kept;
DROP TABLE attempts;
DROP TABLE manifests;
DROP TABLE messages;
DROP TABLE intent_documents;
DROP TABLE intent_contents;
DROP TABLE intents;
