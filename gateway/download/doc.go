// Package download lets a recipient fetch a document that is too large for a mailbox through a link that expires.
//
// The job, in the order it happens:
//
//  1. A channel asks [Signer.Link] for the link of document n of a message. The link is its own proof: it carries the
//     message's id, the document's index and the expiry, signed with a 256-bit key. It holds nothing personal, and without
//     the key no other link can be made from it. Nothing is stored.
//  2. The recipient opens it. [Handler] answers with a page that says what the file is, and only its button leads to the
//     file: whatever program looks at links in mail before people do fetches a small page and no letter.
//  3. The button leads to the file itself, in ranges if the browser wants it so.
//
// A link that expired, was cut short or never existed gets one and the same page. Opening a link changes nothing, so it
// may be opened by a scanner first and by its reader later, as often as they like until it expires.
package download
