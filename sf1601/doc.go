// Package sf1601 is a client of Serviceplatformen's SF1601 (Postkomponenten):
// it hands letters over to Digital Post and asks who is registered.
//
// The order of things for one letter (Client.KombiPostAfsend):
//
//  1. The kombi_request is built around the MeMo (memo.Message.Build), the
//     printed letter (fjernprint.ForsendelseI.Build) or both; its length is
//     known, its files are not read yet. Above MaxRequestSize it is refused here.
//  2. An access token for the service is taken or renewed (package sts).
//  3. The bytes are read once for their digest, which is signed and kept before
//     anything leaves (signature.Batcher.Sign), together with what the request
//     can be put together from again (Config.Skeleton).
//  4. The bytes are read again and sent: HTTP/1.1, mutual TLS, POST
//     /service/KombiPostAfsend_1/kombi, Content-Length known. They are digested
//     on the way; when they are not the signed ones the end never leaves.
//  5. The answer is read by local names (readReaction) and becomes Accepted, or
//     an *Error whose Class says what it means (see Class for the policy).
//
// Client.PostForespoerg asks whether a person or company is registered.
//
// The protocol as known from: KOMBIT's SF1601 pages on digitaliseringskataloget.dk,
// the REST profile of the same family (HovedOplysningerSvarType.xsd), and what
// public clients do. What is not known is listed in docs/divergences.md.
//
// Not covered: more than one ForsendelseI in a request, and receipts (package
// beskedfordeler).
package sf1601
