// Package sf1606 receives Digital Post: as the business system that Fælleskommunal Postkomponent calls (PostModtag), and
// by pulling from Digital Post itself (NgDP) for authorities without the Postkomponent.
//
// The job, in the order it happens:
//
//  1. [NewServer] and [TLS] let in those whom the configured roots vouch for and, when pins are given, whom a [Pin] names.
//  2. [Handler] takes the POST of one MeMo, or [NgDP] fetches one. Both go through the same [Intake].
//  3. The XML is read once, in constant memory. When its header has been read, the recipient must be one of the
//     authorities, and a messageUUID that the [Sink] knows gets the [Receipt] it got before: nothing is delivered twice.
//  4. Each document goes to the sink's [Delivery] while it is read. What ends badly is aborted, and nothing of it stays.
//  5. [Delivery.Commit] makes message, documents and receipt durable, all or nothing. Only then is the receipt answered.
//
// A refusal is a receipt too, with a code of the table [Codes] and a text without anything of the message. What passes
// by itself (a full disk, too many uploads at a time) is told as temporary, so that the sender tries again.
//
// Of PostModtag's call only this much is published: synchronous, accept or reject, one system per message. Path, format
// and statuses are therefore settings with defaults of our own (docs/divergences.md). [src: SF1606]
package sf1606
