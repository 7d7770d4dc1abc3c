-- Inbound post: what came in, which system it belongs to, and what became of it.

-- +goose Up

-- One message of Digital Post that came in. What identifies people is in post_contents and post_documents alone.
CREATE TABLE posts (
    id              TEXT    NOT NULL PRIMARY KEY, -- inb_ + ULID
    message_uuid    TEXT    NOT NULL UNIQUE, -- of the MeMo: the idempotency key
    message_id      TEXT    NOT NULL, -- of the MeMo, the sender's own id; '': none
    transmission_id TEXT    NOT NULL UNIQUE, -- ours, told in the receipt
    source          TEXT    NOT NULL CHECK (source IN ('sf1606', 'ngdp')), -- the road it took
    received_at     INTEGER NOT NULL, -- time it came
    state           TEXT    NOT NULL CHECK (state IN ('queued', 'delivered', 'quarantined', 'held', 'closed')),
    memo_sha256     TEXT    NOT NULL, -- of the XML as it came; its name in the document store
    memo_size       INTEGER NOT NULL CHECK (memo_size > 0), -- bytes
    receipt         BLOB    NOT NULL, -- what its sender was answered
    producer        TEXT    NOT NULL, -- of the letter that it answers; '': it answers none of ours
    intent_id       TEXT    NOT NULL, -- that letter's
    reference       TEXT    NOT NULL,
    answered_id     TEXT    NOT NULL, -- that letter's message
    case_id         TEXT    NOT NULL, -- that letter's
    rule            TEXT    NOT NULL, -- the rule that took it; '': the default, or a decision by hand
    target          TEXT    NOT NULL, -- where it goes, or went; '': nowhere
    tried           TEXT    NOT NULL CHECK (json_valid(tried)), -- JSON: the targets that refused it
    flags           TEXT    NOT NULL CHECK (json_valid(flags)), -- JSON: codes of what hygiene found
    attempts        INTEGER NOT NULL CHECK (attempts >= 0), -- at delivering it
    first_at        INTEGER, -- time of the first attempt at the present target
    due_at          INTEGER, -- time a worker should next deliver it; NULL: nothing is to be done
    leased_to       TEXT    NOT NULL, -- the worker that delivers it just now; '': none
    lease_ends      INTEGER, -- when it loses it
    final_at        INTEGER, -- time it was delivered or closed
    version         INTEGER NOT NULL CHECK (version >= 0),
    CHECK ((state IN ('delivered', 'closed')) = (final_at IS NOT NULL)),
    CHECK ((state = 'queued') = (due_at IS NOT NULL)),
    CHECK ((producer = '') = (answered_id = ''))
) WITHOUT ROWID;

-- The post that a worker should deliver, by time.
CREATE INDEX posts_due ON posts (due_at, id) WHERE due_at IS NOT NULL;

-- What a person should look at, and what is under way.
CREATE INDEX posts_open ON posts (state) WHERE final_at IS NULL;

-- The answers to one producer's letters.
CREATE INDEX posts_producer ON posts (producer, id) WHERE producer <> '';

-- What the rules looked at: personal data. Written once.
CREATE TABLE post_contents (
    post_id TEXT NOT NULL PRIMARY KEY REFERENCES posts (id),
    facts   BLOB -- JSON; NULL: erased
) WITHOUT ROWID;

-- The files of a post, decoded. Written once.
CREATE TABLE post_documents (
    post_id       TEXT    NOT NULL REFERENCES posts (id),
    n             INTEGER NOT NULL CHECK (n >= 0), -- place in the message
    kind          TEXT    NOT NULL CHECK (kind IN ('main', 'additional', 'technical')),
    filename      TEXT    NOT NULL, -- as the sender wrote it
    safe_name     TEXT    NOT NULL, -- what it may be called on a disk
    declared_type TEXT    NOT NULL, -- as the sender wrote it
    real_type     TEXT    NOT NULL, -- by its bytes
    language      TEXT    NOT NULL,
    flags         TEXT    NOT NULL CHECK (json_valid(flags)), -- JSON: codes of what hygiene found
    sha256        TEXT    NOT NULL, -- its name in the document store
    size          INTEGER NOT NULL CHECK (size >= 0), -- bytes
    PRIMARY KEY (post_id, n),
    UNIQUE (post_id, safe_name)
) WITHOUT ROWID;

-- The story of every post.
CREATE TABLE post_events (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL, -- time it happened
    post_id TEXT    NOT NULL REFERENCES posts (id),
    state   TEXT    NOT NULL, -- of the post after it
    target  TEXT    NOT NULL, -- the target it is about; '': none
    code    TEXT    NOT NULL,
    text    TEXT    NOT NULL,
    decider TEXT    NOT NULL  -- who decided; '': the gateway
);

CREATE INDEX post_events_post ON post_events (post_id);

-- The answer to a letter, in the feed of the producer that sent it; '': the event tells of none.
ALTER TABLE events ADD COLUMN post_id TEXT NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN case_id TEXT NOT NULL DEFAULT '';

-- What came does not change.
-- +goose StatementBegin
CREATE TRIGGER posts_identity BEFORE UPDATE OF id, message_uuid, message_id, transmission_id, source, received_at,
    memo_sha256, memo_size, receipt, producer, intent_id, reference, answered_id, case_id, flags ON posts
BEGIN
    SELECT RAISE(ABORT, 'what came in never changes');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER post_events_fixed BEFORE UPDATE ON post_events
BEGIN
    SELECT RAISE(ABORT, 'an event never changes');
END;
-- +goose StatementEnd

-- +goose Down

ALTER TABLE events DROP COLUMN case_id;
ALTER TABLE events DROP COLUMN post_id;
DROP TABLE post_events;
DROP TABLE post_documents;
DROP TABLE post_contents;
DROP TABLE posts;
