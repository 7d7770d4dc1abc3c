// Package gateway is the life of an intent: what a producer says a citizen or a company must be told, until it is known
// to have been delivered, or a person has been told that it was not.
//
// The job, in the order it happens:
//
//  1. [Gateway.Accept] checks a [Draft] against everything that could be wrong later, mints the identity of each
//     letter (messageUUID, AfsendelseIdentifikator, transaction id), and writes intent, messages and events in one
//     transaction. Only then is the caller told "accepted".
//  2. A queue task that carries nothing but a message id reaches [Gateway.Dispatch]. It looks whether the message may
//     leave now (cancelled, expired, window, rate), books an [Attempt] in the journal, hands the letter to its
//     [Channel], and records the [Outcome].
//  3. A channel that signs its letters calls [Gateway.KeepEvidence] before the first byte leaves, any other
//     [Gateway.KeepRequest]. What is kept is a [Gateway.Skeleton]: the request's own bytes, with holes where the documents go.
//     [Gateway.Dossier] puts the request together again, byte for byte, for evidence.
//  4. A status that comes back, in any order and any number of times, reaches [Gateway.Settle], which matches it to its
//     message and moves the message forward, never backward; a rejected letter may start the next channel of its route.
//  5. What nobody can know but a person, a person decides: [Gateway.Release] and [Gateway.Close] end the state held.
//  6. [Gateway.Sweep] repairs what crashes and lost queues leave behind: attempts of dead workers, due messages that no
//     queue holds, statuses that came before their message was known.
//
// Every step writes an [Event]. Those of a producer that wants to be told ([CallbackConfig]) are put out for telling in the
// same transaction, whoever writes them; package callback does the telling, and [Gateway.Replay] has it done again.
//
// The policy of failure, in one place:
//
//   - accepted: the far end has it; wait for its status.
//   - retry: nothing was accepted; the same channel later, with growing delays and the far end's Retry-After.
//   - next: this channel cannot reach this recipient; the next channel of the route takes over.
//   - failed: a person must act.
//   - unknown: the far end may have accepted it. Nothing is sent again before a status had its time to arrive; then
//     the channel's setting decides: the same letter again with the same identity, or held for a person.
//
// Silence, too, may end a letter: where Policy.NextAfter is set, the next channel takes over from one that was accepted and
// got no final status in that time.
//
// An attempt that a crash left open is "retry" when the journal proves that nothing left (no evidence was kept), and
// "unknown" otherwise.
//
// The package knows nouns and rules only. SQL, Redis, HTTP and XML live in the packages around it, which implement the
// small interfaces declared here ([Journal], [Tx], [Queue], [Documents], [Channel]). It imports the standard library and
// package actions, nothing else.
package gateway
