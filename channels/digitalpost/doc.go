// Package digitalpost adapts SF1601's Digital Post to gateway.Channel.
//
// The job, in the order it happens:
//
//  1. [Channel.Check] turns an intent into the MeMo it would become and tells everything Digital Post would refuse, as
//     problems that point into the producer's request.
//  2. [Channel.Send] asks first whether the recipient is registered, when there is another channel to take over from
//     this one ([AskFirst], [Reachable]). Then it builds the same MeMo with the identity that was minted when the intent
//     was accepted, and calls KombiPostAfsend. The MeMo's createdDateTime is the time of acceptance, so every attempt
//     sends the same bytes.
//  3. The answer's class becomes an outcome in one switch, [Outcome].
//  4. A status from Beskedfordeler becomes a gateway.Receipt in [Receipt].
//
// How an intent's fields land in MeMo: title is MessageHeader/label, notification its own, the first document is
// MainDocument and carries the actions, the rest are AdditionalDocument; an intent without documents sends its text as a
// text/plain main document. The message's own id travels as messageID.
package digitalpost
