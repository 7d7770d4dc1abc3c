// Package evidence makes the proof that a letter was handed over and delivered, and checks it.
//
// [Write] turns a gateway.Dossier into an ASiC-E container (package asice), whose files are:
//
//	kvittering.html                 for a reader without tools: when it was available to the recipient, and all steps
//	tidslinje.json                  the same for programs: identity, attempts, receipts, events
//	anmodning/kombi_request.xml     what was handed over, byte for byte (or mail.eml, ...)
//	anmodning/manifest-1.xml ...    the signatures that were made over it before it left
//	svar/forsoeg-1.json ...         each attempt: when, with what answer, as whom
//	svar/forsoeg-1-svar.xml ...     the far end's answer as it came
//	kvitteringer/01-<BeskedId>.xml  each receipt as it was received
//	certifikater/*.pem              the certificates of the container and of the manifests
//
// The legal fact stands first everywhere: the time at which the letter was available to the recipient ("Afleveret"), from
// the receipt that says so, and where there is none, what is known instead.
//
// [Verify] checks the container and then its story: that each manifest holds and lists its attempt, that the request is
// the one they list and carries the message's identity, that each receipt belongs to the message, and that the timeline
// says of them what they say.
//
// What it proves and what it does not is in docs/evidence.md.
package evidence
