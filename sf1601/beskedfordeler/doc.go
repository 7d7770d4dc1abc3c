// Package beskedfordeler reads and writes what Fælleskommunal Beskedfordeler
// (SF1461) carries about letters handed to SF1601: the delivery statuses of
// type PKO_PostStatus.
//
// In the order it happens:
//
//  1. KombiPostAfsend accepts a letter and answers at once (package sf1601).
//  2. Postkomponenten publishes one Haendelsesbesked for every step the letter
//     takes. Its Beskedkuvert says what happened to which object
//     (ObjektHandling); its Beskeddata holds a PKO_PostStatus in Base64.
//  3. Beskedfordeler hands it over, either by HTTPS push, wrapped in a
//     ModtagBeskedInput ([PushHandler]), or by AMQP pull out of the queue
//     named by the dueslag UUID, where the Haendelsesbesked is the root
//     ([Puller]).
//  4. [Decode] reads both forms and [Besked.Kind] says what it means.
//  5. The receiver answers StatusKode 20, or acknowledges, after it has stored
//     the message. Any other answer, or none, makes Beskedfordeler give it
//     again, so a message may arrive more than once: deduplicate on
//     [Besked.ID].
//
// Reading is tolerant about namespaces (elements are matched by local name,
// because the published samples disagree on prefixes and on the namespace of
// Base64) and about upper-case UUIDs, and strict about structure: elements
// have one place, a single element comes once, text and elements do not mix,
// there is no DTD and no entity beyond the five of XML, and size and depth are
// capped.
//
// Besked never carries KildesystemAkkreditiver, the credential of the
// publishing system: the decoder skips it. The raw bytes given to Deliver
// still hold it; see [MaskCredentials].
//
// Not covered here: message types other than PKO_PostStatus, which are decoded
// as far as their envelope and have a nil Status.
package beskedfordeler
