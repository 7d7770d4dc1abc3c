// Package smtp adapts mail submission (SMTP) to gateway.Channel.
//
// The job, in the order it happens:
//
//  1. [Channel.Check] composes the mail an intent would become and tells everything that would keep it from being sent,
//     as problems that point into the producer's request. It opens no connection.
//  2. [Channel.Send] composes the same mail with the message's identity. Its Message-ID is made from the message's id, its
//     Date is when the intent was accepted or may first be sent, its boundaries are made from the identity, too: every
//     attempt sends the same bytes, so that a mailbox can tell that two of them are one.
//     Where Config.Keep is set, the mail is read once for its digest and kept before anything leaves.
//  3. A session with the server is taken from the pool ([pool]): one that waits there if it still answers, or a new one
//     with TLS and a login as the server's settings want it ([Server]).
//  4. The mail is handed over, documents straight from their store. The session knows in which [Phase] it is: whatever
//     goes wrong before the final dot left is tried again, and no answer after it is Unknown.
//  5. The answer becomes an outcome in one place, [classify], by the table of [Codes].
//
// How an intent's fields land in the mail: title is the subject, text the body, once plain and once as HTML. Documents
// are attached; when they exceed what mailboxes take, the largest become links to a page that expires. An AFTALE is an
// attached calendar file and a line of text, every other action a link.
//
// The session is github.com/wneessen/go-mail/smtp: released often, and with it come STARTTLS, SCRAM and the rest of
// SASL. The mail itself is written here: go-mail's Msg holds every attachment in memory and gives nested parts one
// boundary or a random one, where this channel needs streams and the same bytes on every attempt.
package smtp
