-- The journal of brevdue on PostgreSQL: every intent, message, attempt, receipt and event.
--
-- The tables and columns are those that the migrations of SQLite up to this number make; from here on every number stands in
-- both folders. Ids are a prefix and a ULID, so they sort by the time they were made; what is sorted or looked up by is in
-- byte order (COLLATE "C"). Personal data lives in intent_contents, intent_documents, post_contents, post_documents and
-- exhibits and nowhere else, so that it can be sealed or removed in one place; what the far end wrote (attempts.text,
-- receipts, events.text) is kept as it came.

-- +goose Up

-- What a producer wants told: the part of an intent that is read often and changes (its status).
CREATE TABLE intents (
    id text COLLATE "C" NOT NULL PRIMARY KEY, -- int_ + ULID
    producer text COLLATE "C" NOT NULL, -- name of the producer that posted it
    reference text COLLATE "C" NOT NULL, -- the producer's own key: the idempotency key
    fingerprint bytea NOT NULL CHECK (octet_length(fingerprint) = 32), -- SHA-256 of the request, tells the same reference with another body
    sender text NOT NULL, -- name of the sender profile
    routes jsonb NOT NULL, -- JSON: list of lists of channel names
    not_before timestamptz, -- time before which it may not be sent; NULL: at once
    expires timestamptz, -- time after which it may not be sent; NULL: never
    send_window text NOT NULL, -- name of a send window; '': the channel's own
    dedupe text COLLATE "C" NOT NULL, -- key under which a second waiting intent is needless; '': none
    status text COLLATE "C" NOT NULL CHECK (status IN ('accepted', 'scheduled', 'sending', 'submitted', 'delivered',
                                                    'failed', 'held', 'cancelled', 'expired', 'discarded')), -- derived from its messages
    discarded_by text NOT NULL, -- id of the waiting intent that made this one needless; '': none
    created_at timestamptz NOT NULL, -- time it was accepted
    final_at timestamptz, -- time its last message ended; NULL while one is under way
    batch_id text COLLATE "C" NOT NULL DEFAULT '', -- the batch that brought it; '': it was posted alone
    priority text NOT NULL DEFAULT 'normal' CHECK (priority IN ('urgent', 'normal', 'bulk')), -- who goes first when a channel is busy; a message has that of its intent
    UNIQUE (producer, reference),
    CHECK (final_at IS NULL OR status IN ('delivered', 'failed', 'cancelled', 'expired', 'discarded'))
) WITH (fillfactor = 80);

-- To whom an intent is told and what: personal data. Written once with the intent and never changed.
CREATE TABLE intent_contents (
    intent_id text COLLATE "C" NOT NULL PRIMARY KEY REFERENCES intents (id), -- the intent
    recipient bytea NOT NULL, -- JSON: CPR or CVR number, name, address, e-mail, mobile
    content bytea NOT NULL -- JSON: texts, actions, reply, subject key and case; documents are in intent_documents
);

-- The files of an intent's letter, in order; n = 0 is the main document. Written once and never changed.
CREATE TABLE intent_documents (
    intent_id text COLLATE "C" NOT NULL REFERENCES intents (id), -- the intent
    n integer NOT NULL CHECK (n >= 0), -- place in the letter
    filename text NOT NULL, -- name the recipient sees
    content_type text NOT NULL, -- media type, e.g. application/pdf
    size bigint NOT NULL CHECK (size >= 0), -- bytes
    sha256 text COLLATE "C" NOT NULL, -- lower-case hex of its SHA-256; its name in the document store
    inline bytea, -- the bytes themselves when they are few; NULL: they are in the document store
    PRIMARY KEY (intent_id, n)
);

-- One letter on one channel: an intent has one per leg, and one more for each fallback.
CREATE TABLE messages (
    id text COLLATE "C" NOT NULL PRIMARY KEY, -- msg_ + ULID
    intent_id text COLLATE "C" NOT NULL REFERENCES intents (id), -- the intent it tells
    leg integer NOT NULL CHECK (leg >= 0), -- index of the outer route
    step integer NOT NULL CHECK (step >= 0), -- index within that route
    channel text COLLATE "C" NOT NULL, -- name of the channel
    state text COLLATE "C" NOT NULL CHECK (state IN ('queued', 'scheduled', 'sending', 'submitted', 'received', 'delivered',
                                                      'returned', 'failed', 'held', 'superseded', 'cancelled', 'expired')), -- where it stands
    message_uuid text COLLATE "C" NOT NULL UNIQUE, -- MeMo messageUUID, the same on every attempt
    afsendelse_id text COLLATE "C" NOT NULL UNIQUE, -- AfsendelseIdentifikator, the same on every attempt
    transaction_id text COLLATE "C" NOT NULL, -- x-TransaktionsId, the same on every attempt
    transmission_id text COLLATE "C" NOT NULL, -- what the far end calls it; '' before it answered
    attempts integer NOT NULL CHECK (attempts >= 0), -- how many were booked
    uncertain boolean NOT NULL, -- an attempt may have been accepted without our knowing
    due_at timestamptz, -- time a worker should next look at it; NULL: nothing is to be done now
    created_at timestamptz NOT NULL, -- time it was made
    submitted_at timestamptz, -- time the far end first had it; NULL: not yet, as far as we know
    final_at timestamptz, -- time it reached its final state; NULL before
    version bigint NOT NULL CHECK (version >= 0), -- grows with every change; a write of an older one is refused
    priority text NOT NULL DEFAULT 'normal' CHECK (priority IN ('urgent', 'normal', 'bulk')), -- that of its intent
    released_at timestamptz, -- time a person last had a held message sent again; NULL: never
    overdue_at timestamptz, -- time it was noted that the expected status had not come; NULL: never
    UNIQUE (intent_id, leg, step),
    CHECK ((state IN ('delivered', 'returned', 'failed', 'superseded', 'cancelled', 'expired')) = (final_at IS NOT NULL))
) WITH (fillfactor = 80);

-- Signed manifests: the evidence of what was about to leave, one for one or more letters.
CREATE TABLE manifests (
    id text COLLATE "C" NOT NULL PRIMARY KEY, -- UUID
    xml bytea NOT NULL, -- ds:Signature over a ds:Manifest that lists attempt ids with digests
    signed_at timestamptz NOT NULL -- time of the signature
);

-- Tries to hand a message over: booked before anything leaves, closed once, never changed after that, never removed.
CREATE TABLE attempts (
    id text COLLATE "C" NOT NULL PRIMARY KEY, -- att_ + ULID; also the letter's opaque name in a manifest
    message_id text COLLATE "C" NOT NULL REFERENCES messages (id), -- the message
    n integer NOT NULL CHECK (n > 0), -- 1 for the message's first attempt, then 2, ...
    worker text COLLATE "C" NOT NULL, -- the process that booked it
    started_at timestamptz NOT NULL, -- time it was booked
    ended_at timestamptz, -- time its outcome was known; NULL: open
    class text NOT NULL CHECK (class IN ('', 'accepted', 'retry', 'next', 'failed', 'unknown')), -- outcome; '' while open
    code text NOT NULL, -- raw code of the far end, or ours
    text text NOT NULL, -- raw text of the far end, or ours
    http_status integer NOT NULL, -- 0: none
    digest bytea CHECK (digest IS NULL OR octet_length(digest) = 32), -- SHA-256 of the bytes to be sent; NULL: nothing was about to leave
    manifest_id text COLLATE "C" REFERENCES manifests (id), -- the signed manifest that lists the digest; NULL: none
    exhibit_id bigint, -- the request whose SHA-256 is digest; NULL: it was not kept
    answer bytea, -- what the far end answered, as it came and at most 64 KiB of it; NULL: nothing
    subject text NOT NULL DEFAULT '', -- who the far end knew us as: the subject of the SAML token that was used; '': none
    UNIQUE (message_id, n),
    CHECK ((ended_at IS NULL) = (class = ''))
) WITH (fillfactor = 80);

-- Statuses that came back, kept whole, matched or not.
CREATE TABLE receipts (
    id text COLLATE "C" NOT NULL PRIMARY KEY, -- the far end's own id (BeskedId): the idempotency key
    kind text NOT NULL CHECK (kind IN ('received', 'delivered', 'rejected', 'returned', 'note')), -- what it says
    class text NOT NULL CHECK (class IN ('', 'accepted', 'retry', 'next', 'failed', 'unknown')), -- of a rejected one: what follows
    code text NOT NULL, -- raw code of the far end
    text text NOT NULL, -- raw text of the far end
    hint text NOT NULL, -- what an operator can do about it
    status text COLLATE "C" NOT NULL, -- the far end's name of it, e.g. "Afleveret Digital Post"
    occurred_at timestamptz, -- time the far end says it happened; NULL: it does not say
    received_at timestamptz NOT NULL, -- time it came
    message_uuid text COLLATE "C" NOT NULL, -- what it says it is about; '': it does not say
    afsendelse_id text COLLATE "C" NOT NULL, -- what it says it is about; '': it does not say
    transmission text COLLATE "C" NOT NULL, -- what it says it is about; '': it does not say
    raw bytea NOT NULL, -- as it came
    message_id text COLLATE "C" REFERENCES messages (id), -- the message it was matched to; NULL: in quarantine
    conflict boolean NOT NULL DEFAULT false -- the far end's two words for what happened disagree
);

-- The story of every message and intent, and the cursor feed that producers read. Numbers are never used again.
CREATE TABLE events (
    seq bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, -- the cursor of the feed; from journal_numbers alone
    at timestamptz NOT NULL, -- time it happened
    producer text COLLATE "C" NOT NULL, -- the intent's producer
    intent_id text COLLATE "C" NOT NULL REFERENCES intents (id), -- the intent
    reference text COLLATE "C" NOT NULL, -- the intent's reference
    message_id text COLLATE "C" NOT NULL, -- the message; '': an event of the intent as a whole
    channel text COLLATE "C" NOT NULL, -- the message's channel; '' for an event of the intent as a whole
    status text COLLATE "C" NOT NULL, -- the message's state after it; for the intent's own event its status
    intent_status text NOT NULL, -- the intent's status after it
    attempt integer NOT NULL, -- number of the attempt it belongs to; 0: none
    code text NOT NULL, -- raw code of the far end, or ours
    text text NOT NULL, -- raw text of the far end, or ours
    post_id text COLLATE "C" NOT NULL DEFAULT '', -- the answer to a letter, in the feed of the producer that sent it; '': the event tells of none
    case_id text NOT NULL DEFAULT '' -- case of the letter that was answered; '': none
);

-- Documents handed in ahead of the intent that uses them; their bytes are in the document store.
CREATE TABLE uploads (
    id text COLLATE "C" NOT NULL PRIMARY KEY, -- doc_ + ULID
    producer text COLLATE "C" NOT NULL, -- name of the producer that handed it in
    filename text NOT NULL, -- name it was handed in with
    size bigint NOT NULL CHECK (size >= 0), -- bytes
    sha256 text COLLATE "C" NOT NULL, -- lower-case hex of its SHA-256; its name in the document store
    created_at timestamptz NOT NULL -- time it was handed in
);

-- The processes that work on this journal.
CREATE TABLE workers (
    worker text COLLATE "C" NOT NULL PRIMARY KEY, -- the process among others
    seen_at timestamptz NOT NULL -- time it last said that it lives
);

-- Intents that were handed in together, and what became of the lines they came on.
CREATE TABLE batches (
    id text COLLATE "C" NOT NULL PRIMARY KEY, -- batch_ + ULID
    producer text COLLATE "C" NOT NULL, -- name of the producer that posted it
    created_at timestamptz NOT NULL, -- time its first line was awaited
    ended_at timestamptz, -- time its last line was answered; NULL: it is being read, or was cut off
    lines integer NOT NULL CHECK (lines >= 0), -- lines answered; 0 before it ended
    accepted integer NOT NULL CHECK (accepted >= 0), -- of them: new intents
    existing integer NOT NULL CHECK (existing >= 0), -- of them: intents that had been posted before
    refused integer NOT NULL CHECK (refused >= 0), -- of them: everything else
    CHECK (lines = accepted + existing + refused)
);

-- What came on the road of the statuses and could not be read. Kept whole, once, until somebody can read it.
CREATE TABLE unreadable (
    id text COLLATE "C" NOT NULL PRIMARY KEY, -- lower-case hex of the SHA-256 of the body
    reason text NOT NULL, -- why it could not be read; names the field and quotes nothing
    received_at timestamptz NOT NULL, -- time it came first
    read_at timestamptz, -- time a later program could read it; NULL: nobody has
    receipt_id text COLLATE "C" NOT NULL, -- the receipt it turned out to be; '': none yet
    raw bytea NOT NULL -- the body; last, so that the others are read without it
);

-- One row for each event of a producer with a callback, written in the transaction of the event. Rows of one lane are
-- told one after the other.
CREATE TABLE callbacks (
    seq bigint NOT NULL PRIMARY KEY REFERENCES events (seq) ON DELETE CASCADE, -- the event
    producer text COLLATE "C" NOT NULL, -- the event's producer, who is told
    lane text COLLATE "C" NOT NULL, -- the event's message, or its intent when it has none
    state text COLLATE "C" NOT NULL CHECK (state IN ('pending', 'delivered', 'given_up')), -- where it stands
    attempts integer NOT NULL CHECK (attempts >= 0), -- how many were claimed, and one more for every replay: the number of a claim
    first_at timestamptz, -- time of the first attempt since it was last made pending; NULL: none yet
    due_at timestamptz, -- time to tell it, or time the claim on it lapses; NULL: it is done, or another of its lane goes first
    last_at timestamptz, -- time the last attempt ended; NULL: none yet, or one is under way
    http_status integer NOT NULL, -- of the last answer; 0: none
    failure text NOT NULL, -- fixed word for what was wrong at last; '': nothing
    CHECK (due_at IS NULL OR state = 'pending')
);

-- How telling each producer went at last, so that nobody has to count what was delivered. Each connection that writes has a
-- row of its own: they would all wait for a common one.
CREATE TABLE callback_tallies (
    producer text COLLATE "C" NOT NULL, -- who is told
    slot integer NOT NULL, -- tells the connections that write from each other
    delivered bigint NOT NULL, -- confirmed tellings, replays included
    delivered_at timestamptz, -- time of the last one; NULL: none yet
    failed_at timestamptz, -- time of the last failed attempt; NULL: none yet
    http_status integer NOT NULL, -- of that failure; 0: no answer
    failure text NOT NULL, -- fixed word for it; '': none yet
    PRIMARY KEY (producer, slot)
);

-- Requests that were about to leave, each as its own bytes with holes where the documents of the intent go
-- (gateway.Skeleton). Personal data. Attempts that send the same bytes share one.
CREATE TABLE exhibits (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    skeleton bytea -- NULL: erased
);

-- One message of Digital Post that came in. What identifies people is in post_contents and post_documents alone.
CREATE TABLE posts (
    id text COLLATE "C" NOT NULL PRIMARY KEY, -- inb_ + ULID
    message_uuid text COLLATE "C" NOT NULL UNIQUE, -- of the MeMo: the idempotency key
    message_id text COLLATE "C" NOT NULL, -- of the MeMo, the sender's own id; '': none
    transmission_id text COLLATE "C" NOT NULL UNIQUE, -- ours, told in the receipt
    source text NOT NULL CHECK (source IN ('sf1606', 'ngdp')), -- the road it took
    received_at timestamptz NOT NULL, -- time it came
    state text COLLATE "C" NOT NULL CHECK (state IN ('queued', 'delivered', 'quarantined', 'held', 'closed')),
    memo_sha256 text COLLATE "C" NOT NULL, -- of the XML as it came; its name in the document store
    memo_size bigint NOT NULL CHECK (memo_size > 0), -- bytes
    receipt bytea NOT NULL, -- what its sender was answered
    producer text COLLATE "C" NOT NULL, -- of the letter that it answers; '': it answers none of ours
    intent_id text COLLATE "C" NOT NULL, -- that letter's
    reference text COLLATE "C" NOT NULL,
    answered_id text COLLATE "C" NOT NULL, -- that letter's message
    case_id text NOT NULL, -- that letter's
    rule text NOT NULL, -- the rule that took it; '': the default, or a decision by hand
    target text COLLATE "C" NOT NULL, -- where it goes, or went; '': nowhere
    tried jsonb NOT NULL, -- JSON: the targets that refused it
    flags jsonb NOT NULL, -- JSON: codes of what hygiene found
    attempts integer NOT NULL CHECK (attempts >= 0), -- at delivering it
    first_at timestamptz, -- time of the first attempt at the present target
    due_at timestamptz, -- time a worker should next deliver it; NULL: nothing is to be done
    leased_to text NOT NULL, -- the worker that delivers it just now; '': none
    lease_ends timestamptz, -- when it loses it
    final_at timestamptz, -- time it was delivered or closed
    version bigint NOT NULL CHECK (version >= 0),
    CHECK ((state IN ('delivered', 'closed')) = (final_at IS NOT NULL)),
    CHECK ((state = 'queued') = (due_at IS NOT NULL)),
    CHECK ((producer = '') = (answered_id = ''))
);

-- What the rules looked at: personal data. Written once.
CREATE TABLE post_contents (
    post_id text COLLATE "C" NOT NULL PRIMARY KEY REFERENCES posts (id),
    facts bytea -- JSON; NULL: erased
);

-- The files of a post, decoded. Written once.
CREATE TABLE post_documents (
    post_id text COLLATE "C" NOT NULL REFERENCES posts (id),
    n integer NOT NULL CHECK (n >= 0), -- place in the message
    kind text NOT NULL CHECK (kind IN ('main', 'additional', 'technical')),
    filename text NOT NULL, -- as the sender wrote it
    safe_name text COLLATE "C" NOT NULL, -- what it may be called on a disk
    declared_type text NOT NULL, -- as the sender wrote it
    real_type text NOT NULL, -- by its bytes
    language text NOT NULL,
    flags jsonb NOT NULL, -- JSON: codes of what hygiene found
    sha256 text COLLATE "C" NOT NULL, -- its name in the document store
    size bigint NOT NULL CHECK (size >= 0), -- bytes
    PRIMARY KEY (post_id, n),
    UNIQUE (post_id, safe_name)
);

-- The story of every post.
CREATE TABLE post_events (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL, -- time it happened
    post_id text COLLATE "C" NOT NULL REFERENCES posts (id),
    state text COLLATE "C" NOT NULL, -- of the post after it
    target text COLLATE "C" NOT NULL, -- the target it is about; '': none
    code text NOT NULL,
    text text NOT NULL,
    decider text NOT NULL -- who decided; '': the gateway
);

-- The intents that a dedupe key may find: those that have not been sent.
CREATE INDEX intents_waiting ON intents (producer, dedupe, id) WHERE dedupe <> '' AND status IN ('accepted', 'scheduled');

-- Counts the intents of a batch by status without reading them.
CREATE INDEX intents_batch ON intents (batch_id, status) WHERE batch_id <> '';

-- The messages that a worker should look at, by time.
CREATE INDEX messages_due ON messages (due_at, id) WHERE due_at IS NOT NULL;

-- Finds the message of a receipt by the far end's own name of it; the newest first.
CREATE INDEX messages_transmission ON messages (transmission_id, id) WHERE transmission_id <> '';

-- The messages whose final status is awaited, and those of them that were noted as overdue, by channel.
CREATE INDEX messages_awaiting ON messages (channel, submitted_at)
    WHERE state IN ('submitted', 'received') AND overdue_at IS NULL;
CREATE INDEX messages_overdue ON messages (channel, submitted_at)
    WHERE state IN ('submitted', 'received') AND overdue_at IS NOT NULL;

-- The messages that wait for a person, by age.
CREATE INDEX messages_held ON messages (created_at) WHERE state = 'held';

-- The open attempt of a message: there is never more than one.
CREATE UNIQUE INDEX attempts_open ON attempts (message_id) WHERE ended_at IS NULL;

-- The receipts in quarantine, by the time they came, and those of a message.
CREATE INDEX receipts_unmatched ON receipts (received_at, id) WHERE message_id IS NULL;
CREATE INDEX receipts_message ON receipts (message_id, received_at) WHERE message_id IS NOT NULL;

-- The bodies that still nobody could read, by the time they came.
CREATE INDEX unreadable_waiting ON unreadable (received_at, id) WHERE read_at IS NULL;

-- The feed of one producer, and the story of one intent.
CREATE INDEX events_producer ON events (producer, seq);
CREATE INDEX events_intent ON events (intent_id, seq);

-- Finds the oldest pending event of a lane: its head, the only one with a due_at.
CREATE INDEX callbacks_lane ON callbacks (lane, seq) WHERE state = 'pending';

-- The heads of a producer's lanes, by time.
CREATE INDEX callbacks_due ON callbacks (producer, due_at, seq) WHERE due_at IS NOT NULL;

-- Counts what is not delivered.
CREATE INDEX callbacks_open ON callbacks (producer, state, seq) WHERE state <> 'delivered';

-- The post that a worker should deliver, by time; what a person should look at, and what is under way; the answers to one
-- producer's letters; the story of a post.
CREATE INDEX posts_due ON posts (due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX posts_open ON posts (state) WHERE final_at IS NULL;
CREATE INDEX posts_producer ON posts (producer, id) WHERE producer <> '';
CREATE INDEX post_events_post ON post_events (post_id, seq);

-- The order of the events. Transactions run side by side, so one may commit an event while another, with a smaller number,
-- is still open. Before a transaction takes numbers it marks, by a shared lock that nobody waits for, the last number that was
-- given out: its own will be greater. Its end takes the mark away, after its events are visible.
-- +goose StatementBegin
CREATE FUNCTION journal_numbers(wanted integer) RETURNS bigint[] LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared((16982::bigint << 48) | (last_value - CASE WHEN is_called THEN 0 ELSE 1 END))
    FROM events_seq_seq;
    RETURN ARRAY(SELECT nextval('events_seq_seq') FROM generate_series(1, wanted));
END
$$;
-- +goose StatementEnd

-- Up to this number every event is visible to a statement that begins after this one, or will never be: no mark is below
-- it. What is marked later than the first of these two looks gets a greater number.
-- +goose StatementBegin
CREATE FUNCTION journal_horizon() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    given bigint;
    marked bigint;
BEGIN
    SELECT last_value - CASE WHEN is_called THEN 0 ELSE 1 END INTO given FROM events_seq_seq;
    SELECT min(((classid::bigint & 65535) << 32) | objid::bigint) INTO marked FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1 AND classid::bigint >> 16 = 16982
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database());
    RETURN least(given, marked);
END
$$;
-- +goose StatementEnd

-- Every refusal below has the code BD001, by which the program knows it.
-- +goose StatementBegin
CREATE FUNCTION journal_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'BD001', MESSAGE = TG_ARGV[0];
END
$$;
-- +goose StatementEnd

-- A final state stands, except that the far end may know better later: a failed letter that was delivered after all or
-- came back, a delivered one that came back. The same rule as gateway.MessageState.May, for every program that writes here.
CREATE TRIGGER messages_final_state BEFORE UPDATE OF state ON messages FOR EACH ROW
WHEN (OLD.final_at IS NOT NULL AND NEW.state <> OLD.state
    AND NOT (OLD.state = 'failed' AND NEW.state IN ('delivered', 'returned'))
    AND NOT (OLD.state = 'delivered' AND NEW.state = 'returned'))
EXECUTE FUNCTION journal_refuse('the final state of a message stands');

-- A message keeps its identity for ever: a letter must never leave twice under two names.
CREATE TRIGGER messages_identity BEFORE UPDATE OF id, intent_id, leg, step, message_uuid, afsendelse_id, transaction_id ON messages
FOR EACH ROW EXECUTE FUNCTION journal_refuse('the identity of a message never changes');

-- What was said to whom does not change after it was accepted.
CREATE TRIGGER intent_contents_fixed BEFORE UPDATE ON intent_contents
FOR EACH ROW EXECUTE FUNCTION journal_refuse('the content of an intent never changes');
CREATE TRIGGER intent_documents_fixed BEFORE UPDATE ON intent_documents
FOR EACH ROW EXECUTE FUNCTION journal_refuse('the documents of an intent never change');

-- A booked attempt is evidence: it stays, it is closed once, and what it was about to send is written once.
CREATE TRIGGER attempts_kept BEFORE DELETE ON attempts
FOR EACH ROW EXECUTE FUNCTION journal_refuse('an attempt is never removed');
CREATE TRIGGER attempts_closed BEFORE UPDATE ON attempts FOR EACH ROW
WHEN (OLD.ended_at IS NOT NULL)
EXECUTE FUNCTION journal_refuse('a closed attempt never changes');
CREATE TRIGGER attempts_booked BEFORE UPDATE OF id, message_id, n, worker, started_at ON attempts
FOR EACH ROW EXECUTE FUNCTION journal_refuse('the booking of an attempt never changes');
CREATE TRIGGER attempts_evidence BEFORE UPDATE OF digest, manifest_id ON attempts FOR EACH ROW
WHEN (OLD.digest IS NOT NULL
    AND (NEW.digest IS DISTINCT FROM OLD.digest OR NEW.manifest_id IS DISTINCT FROM OLD.manifest_id))
EXECUTE FUNCTION journal_refuse('the evidence of an attempt never changes');
CREATE TRIGGER attempts_exhibit BEFORE UPDATE OF exhibit_id ON attempts FOR EACH ROW
WHEN (OLD.exhibit_id IS NOT NULL AND NEW.exhibit_id IS DISTINCT FROM OLD.exhibit_id)
EXECUTE FUNCTION journal_refuse('the request of an attempt never changes');

-- A kept request may be erased, and never changed.
CREATE TRIGGER exhibits_fixed BEFORE UPDATE ON exhibits FOR EACH ROW
WHEN (NEW.id <> OLD.id OR NEW.skeleton IS NOT NULL)
EXECUTE FUNCTION journal_refuse('a kept request never changes');
CREATE TRIGGER exhibits_kept BEFORE DELETE ON exhibits
FOR EACH ROW EXECUTE FUNCTION journal_refuse('a kept request is erased by making it NULL');

-- What happened, happened.
CREATE TRIGGER events_fixed BEFORE UPDATE ON events
FOR EACH ROW EXECUTE FUNCTION journal_refuse('an event never changes');
CREATE TRIGGER post_events_fixed BEFORE UPDATE ON post_events
FOR EACH ROW EXECUTE FUNCTION journal_refuse('an event never changes');

-- What came does not change.
CREATE TRIGGER posts_identity BEFORE UPDATE OF id, message_uuid, message_id, transmission_id, source, received_at,
    memo_sha256, memo_size, receipt, producer, intent_id, reference, answered_id, case_id, flags ON posts
FOR EACH ROW EXECUTE FUNCTION journal_refuse('what came in never changes');

-- +goose Down

DROP TABLE post_events;
DROP TABLE post_documents;
DROP TABLE post_contents;
DROP TABLE posts;
DROP TABLE callback_tallies;
DROP TABLE callbacks;
DROP TABLE events;
DROP TABLE workers;
DROP TABLE uploads;
DROP TABLE batches;
DROP TABLE unreadable;
DROP TABLE receipts;
DROP TABLE attempts;
DROP TABLE exhibits;
DROP TABLE manifests;
DROP TABLE messages;
DROP TABLE intent_documents;
DROP TABLE intent_contents;
DROP TABLE intents;
DROP FUNCTION journal_numbers;
DROP FUNCTION journal_horizon;
DROP FUNCTION journal_refuse;
