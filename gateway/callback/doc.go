// Package callback tells producers what happened to their letters, as signed webhooks in the way of Standard Webhooks.
//
// The job, in the order it happens:
//
//  1. The gateway stores with each event of a producer that has a callback, in the same transaction, that it is to be told
//     (gateway.Callback), and hands the event's lane, its message, to the queue.
//  2. [Courier.Deliver] is what the queue calls for a lane. It takes one of the producer's seats; where all are taken it
//     leaves, because those who sit there find the lane by themselves. So a slow receiver costs its own seats only.
//  3. Whoever has a seat claims the event that has been due for the longest time, in the journal and for a limited time:
//     two processes never tell the same lane at once, and what a dead process had claimed comes back.
//  4. The event goes out as one POST: the JSON of the events feed in an envelope, signed with every secret of the receiver.
//     An answer of 2xx is recorded, and the next event of the lane is due. Between the answer and its record lies the one
//     moment in which a crash makes the receiver hear an event twice; it knows it by the webhook-id, which never changes.
//  5. Anything else is tried again after 5 seconds, with delays that double up to 15 minutes, for 24 hours from the first
//     attempt at that event. The later events of its lane wait; other lanes do not. Then, or at once when the receiver says
//     410 Gone, the event is given up: it is kept, counted, and told again when somebody replays it, and its lane goes on.
//  6. [Courier.Sweep] puts lanes that are due and that nobody has taken back into the queue, which may lose everything.
//
// A receiver may be anywhere, so the address that was resolved is looked at when it is dialled: private networks, this
// machine, link-local addresses and the metadata services of clouds are refused unless a receiver is said to be there.
// Redirects are not followed, no proxy is taken from the environment, and of an answer only its beginning is read.
//
// Times are decided by the clock of the configuration; the queue only wakes. The one exception is the time limit of a call,
// which is real time.
package callback
