// Package signature signs the letters of SF1601 with the system certificate, so
// that it can be proved later which bytes were handed over, and checks such
// signatures.
//
// The order of things for one letter:
//
//  1. In mode enveloped SignEnveloped adds a ds:Signature to the kombi_request;
//     in mode technical-document SignDocuments makes a signature over the
//     letter's files, which travels in the MeMo. In mode detached nothing is
//     added.
//  2. The caller digests the exact bytes it is going to send, and gives the
//     digest under an opaque reference to Batcher.Sign.
//  3. The Batcher gathers letters of the same few milliseconds into one
//     ds:Manifest, signs it once (an RSA-3072 signature costs milliseconds of a
//     core) and has it kept (Keep) before any of the letters may leave.
//  4. VerifyManifest checks a kept manifest against the letters, years later.
//
// Signatures are XML-DSig (W3C XML Signature Syntax and Processing 1.1):
// exclusive C14N 1.0, RSA-SHA256, SHA-256, the certificate in X509Data. The
// references of a ds:Manifest are relative URIs, so xmlsec1 checks them against
// files of those names (--id-attr:Id Manifest; the line "Manifests References
// (ok/all)" counts them: a wrong one does not fail the signature itself, which
// is what XML-DSig says of manifests).
//
// Not covered: time stamps, XAdES and evidence containers.
package signature
