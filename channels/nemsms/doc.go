// Package nemsms adapts SF1601's NemSMS to gateway.Channel: a text message to the number a citizen has registered, which
// nobody but Digital Post knows.
//
// The job, in the order it happens:
//
//  1. [Channel.Check] puts the text together (content.sms, then one line per action, [Text]) and tells everything that
//     would keep it from being sent: too long, empty, a CPR number in it, a recipient who is no person.
//  2. [Channel.Send] asks first whether the recipient has NemSMS, which is another question than whether they have
//     Digital Post; who has not is for the next channel of the route.
//  3. It builds the MeMo of type NEMSMS with the identity that was minted when the intent was accepted, and calls
//     KombiPostAfsend with KombiValgKode "NemSMS". A NEMSMS has no body and no time in it, so every attempt sends the
//     same bytes.
//  4. Answer and status mean what they mean for Digital Post: digitalpost.Answer and digitalpost.Receipt.
//
// How an intent's fields land in MeMo: the text is notification, the sender profile gives Sender and, unless configured
// otherwise, the label; the message's own id travels as messageID. Documents, the case and the recipient's name stay
// behind: a text message shows none of them.
//
// A status of a NemSMS is matched by its MessageUUID. Which KanalKode it carries is not published, so none is looked at
// (docs/divergences.md).
package nemsms
