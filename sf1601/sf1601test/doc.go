// Package sf1601test is the far end of SF1601, like net/http/httptest for a
// client of Serviceplatformen: token services, KombiPostAfsend, PostForespoerg
// and the push of delivery statuses. Unit tests start it, and `brevdue sim`
// and `brevdue demo` are this package with an address. It shares no code with
// the client or the MeMo writer, so that what one side gets wrong the other
// does not forgive; only the form of a pushed status is package
// beskedfordeler's. It is never linked into `brevdue serve`.
//
// In the order a letter meets it:
//
//  1. [Start] listens with TLS 1.2 or later and HTTP/1.1 only, and lets in
//     client certificates of its own [Authority], which it makes on first
//     start and keeps in Config.Dir.
//  2. PathIssue checks every field of the STS's REST issue call, UseKey
//     against the certificate of the connection, and answers an assertion
//     signed with [Authority.STSCertificate]. PathIssueSOAP is the same in
//     SOAP: it verifies each of the seven signed parts and names in its fault
//     the one that does not hold.
//     PathToken exchanges an assertion that was issued here to the same
//     certificate for an access token of one service.
//  3. PathKombi, and PathMemos with the same body, check the token, the
//     headers and the envelope; then the letter, against a table of MeMo 1.1
//     and 1.2 and Digital Post's own rules, and a table of ForsendelseI.
//  4. The recipient's last four digits say what happens next (see below), and
//     so do the [Faults] in force.
//  5. The letter is booked under its messageUUID, one for Fysisk Post under
//     its AfsendelseIdentifikator, and answered with Advis "Received".
//     Automatisk Valg goes to Digital Post, and to print when the recipient is
//     not registered there; Fysisk Post does not ask.
//  6. Its statuses are pushed as PKO_PostStatus to Config.PushURL, each again
//     and again until it is answered with StatusKode 20, in order.
//
// # Refused at once, or accepted and told later
//
// What belongs to SF1601 is refused in the answer: the token (401), headers
// (400, 406, 411, 413, 415), XML that is not well-formed, the elements of
// kombi_request, KombiValgKode, a MeMo element without the literal prefix
// memo, a messageType that does not fit, and a message without a messageUUID or
// a ForsendelseI without an AfsendelseIdentifikator, since no status could ever
// name it (400). The body is Result=false with a
// Fejl whose FejlId is sim.refused: the FejlId values of SF1601 are not
// published and none is imitated.
//
// What belongs to the letter is accepted, and then told by a status "Fejlet"
// without a "Modtaget" before it, as Digital Post has been seen to do for a
// wrong order of elements: FejlKode memo.invalid for the MeMo 1.1 schema (for
// 1.2 its published changes), and of Digital Post's other codes those in the
// Code constants; and sim.forsendelse-invalid for the schema of ForsendelseI,
// since no code of a print supplier for that is published. FejlTekst names the
// element, line and column, never its content.
//
// Stricter than the published rules: an action must have a Reservation or an
// EntryPoint and one of the eight codes, an AFTALE a Reservation; a
// ContactPoint's contactPointID must be a UUID; idTypeLabel is refused in MeMo 1.2.
// A printed letter is a PDF that is not empty and at most Config.MaxPrintBytes,
// and a CPR number in it is the filler 0000000000.
//
// Tolerated because real clients differ: an XML declaration that says utf8, a
// BOM, prefixes declared on an ancestor, upper-case UUIDs, fractional seconds,
// ForsendelseISamling before or after the message and beside any
// KombiValgKode, a message beside Fysisk Post, an action that ends before it
// starts, ds:Signature as the last child; in ForsendelseI any prefixes, an empty
// TransaktionsParametreI, no ForsendelseModtager, a Bilag without content, and
// DigitalPostParametre.
//
// # Recipients
//
// By the last four digits of the CPR or CVR number of the MeMo's recipient. A
// letter that is only printed has ten zeros for a CPR number: there the CVR
// number decides, or four digits that end the name of the recipient ("Nancy
// Berggren 9986"), or else the post code. 9995 is not registered for
// Digital Post and 9994 not for NemSMS (a letter sent all the same ends as
// Fejlet, sim.not-registered); 9993 is accepted, then Fejlet with
// Config.FejlKode; 9992 is refused in the answer (Faults.FejlKode and
// Faults.FejlID say with what code); 9991 is accepted and the
// connection cut before the answer; 9990 is 503 twice per letter, then
// accepted; 9989 gets its status Faults.LateDelay late; 9988 gets its statuses
// twice and in the wrong order; 9987 gets none; 9985 has the access token
// refused once per letter, until another token comes; 9984 gets its statuses
// and then answers the letter through Config.Answers, if it may be answered.
// Everybody else, 9996 among them, gets "Modtaget" and then "Afleveret"; a printed letter gets "Afsendt",
// "Modtaget Fjern-print", "Klar", "Afleveret til print og kuvertering" and
// "Modtaget Post Danmark", and to 9986 after that "Opdatering fra Post Danmark"
// with Config.Returpost. Statuses of print name the AfsendelseIdentifikator and
// no messageUUID.
//
// # Not covered
//
// More than one ForsendelseI in a request (refused); TilbagekaldForsendelse and
// the status "Tilbagekaldt"; ds:Signature is not verified; SF1606, which package sf1606test
// plays (Config.Inbound, Config.Answers).
// State is in memory: a restart forgets letters, tokens and pending statuses,
// and keeps the certificates.
package sf1601test
