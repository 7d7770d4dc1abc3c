package sf1601

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strings"

	"github.com/brevdue/brevdue/sf1601/fjernprint"
	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1601/signature"
	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

// KombiValg is the KombiValgKode: who chooses the channel.
type KombiValg string

// The values of KombiValgKode.
const (
	ValgDigitalPost KombiValg = "Digital Post"
	ValgNemSMS      KombiValg = "NemSMS"
	ValgFysiskPost  KombiValg = "Fysisk Post"
	ValgAutomatisk  KombiValg = "Automatisk Valg" // Postkomponenten picks the channel
)

// Valid says whether v is one of the values.
func (v KombiValg) Valid() bool {
	return v == ValgDigitalPost || v == ValgNemSMS || v == ValgFysiskPost || v == ValgAutomatisk
}

// Kombi is one letter to hand over. The same letter keeps its Message
// (messageUUID included), Forsendelse (AfsendelseIdentifikator included) and
// TransactionID on every attempt.
//
// Valg says which parts there are: Digital Post and NemSMS have a Message only,
// that of a NemSMS without a body; Fysisk Post has a Forsendelse only; and
// Automatisk Valg has both.
type Kombi struct {
	Valg    KombiValg
	Message *memo.Message // checked by the caller (memo.Message.Validate)
	// Forsendelse is the printed letter; checked by the caller
	// (fjernprint.ForsendelseI.Validate).
	Forsendelse *fjernprint.ForsendelseI
	// TransactionID is x-TransaktionsId: a UUID v4, optionally followed by .n.
	TransactionID string
	// Reference is the opaque id of this letter in the signed manifest, unique
	// per attempt and without personal data.
	Reference string
}

// Accepted is what a handed-over letter gets. Accepted is not delivered: a
// status follows over Beskedfordeler.
type Accepted struct {
	TransmissionID string // repeated in every status
	AdvisID        string
	AdvisTekst     string // "received" in practice
	// Unexpected says that AdvisTekst is not "received" (in any case). The
	// letter counts as accepted all the same, because Result=true and no Fejl
	// are what the contract defines; note it for a person to look at.
	Unexpected bool
	Digest     [32]byte // SHA-256 of the request body as it left, the signed one
	Size       int64    // its bytes
	Answer     []byte   // as it came, at most MaxKept bytes
	Subject    string   // of the SAML token behind the access token; "" when it is not known
}

// advisReceived is the AdvisTekst of an accepted letter, seen in practice.
const advisReceived = "received"

// transactionShape is the pattern of x-TransaktionsId (KOMBIT, REST profile of
// KlassifikationListeHent).
var transactionShape = regexp.MustCompile(`^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-4[0-9A-Fa-f]{3}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}(\.[0-9]+)*$`)

// KombiPostAfsend hands a letter over. A nil error means it was accepted; every
// other end is an *Error.
func (c *Client) KombiPostAfsend(ctx context.Context, k Kombi) (*Accepted, error) {
	accepted, err := c.kombiPostAfsend(ctx, k)
	if err != nil {
		var e *Error
		if !errors.As(err, &e) { // cannot happen; an unmapped error must not read as accepted or lost
			e = &Error{Class: Unknown, Op: OpKombi, Err: err}
		}
		e.TransactionID = k.TransactionID
		return nil, e
	}
	return accepted, nil
}

func (c *Client) kombiPostAfsend(ctx context.Context, k Kombi) (*Accepted, error) {
	if err := k.check(); err != nil {
		return nil, &Error{Class: Rejected, Op: OpKombi, Code: CodeInvalid, Err: err}
	}
	doc, err := c.document(ctx, k)
	if err != nil {
		return nil, err
	}
	audience := c.cfg.Endpoints.audience(c.cfg.CVR, EntityKombiPostAfsend)
	access, err := c.token(ctx, audience) // before the signature: a letter that cannot leave is not signed
	if err != nil {
		return nil, err
	}
	b, err := c.signed(ctx, k, doc)
	if err != nil {
		return nil, err
	}
	for repeated := false; ; repeated = true {
		out := &outgoing{body: b}
		answer, err := c.post(ctx, k.TransactionID, access, out)
		if err != nil && b.size > smallBody {
			// A server that refuses a token may close the connection while a large
			// letter is still being sent; its 401 is lost then. A new token is cheap.
			c.tokens.Invalidate(audience, access)
		}
		if err == nil && answer.status == statusUnauthorized {
			c.tokens.Invalidate(audience, access)
			if !repeated {
				if access, err = c.token(ctx, audience); err != nil {
					return nil, err
				}
				continue
			}
		}
		accepted, err := c.conclude(out, answer, err)
		if accepted != nil {
			accepted.Subject = access.Subject
		}
		if e, ok := errors.AsType[*Error](err); ok {
			e.Subject = access.Subject
		}
		return accepted, err
	}
}

func (k Kombi) check() error {
	switch {
	case !k.Valg.Valid():
		return errors.New("unknown KombiValgKode")
	case k.Valg == ValgFysiskPost && k.Message != nil:
		return errors.New("a MeMo in Fysisk Post")
	case k.Valg != ValgFysiskPost && k.Message == nil:
		return errors.New("no MeMo")
	case k.prints() != (k.Forsendelse != nil):
		return errors.New("a ForsendelseI belongs to Fysisk Post and Automatisk Valg, and to nothing else")
	case k.Valg == ValgNemSMS && k.Message.Body != nil:
		return errors.New("a NemSMS with a MessageBody")
	case !transactionShape.MatchString(k.TransactionID):
		return errors.New("x-TransaktionsId is not a UUID v4")
	}
	return signature.CheckReference(k.Reference)
}

// prints says whether the letter may be printed.
func (k Kombi) prints() bool { return k.Valg == ValgFysiskPost || k.Valg == ValgAutomatisk }

// document builds the kombi_request and, in mode enveloped, puts the signature
// into it.
func (c *Client) document(ctx context.Context, k Kombi) (*xmlstream.Document, error) {
	invalid := func(err error) error { return &Error{Class: Rejected, Op: OpKombi, Code: CodeInvalid, Err: err} }
	message, err := c.message(ctx, k)
	if err != nil {
		return nil, &Error{Class: Temporary, Op: OpSign, Err: err}
	}
	doc, err := request(k.Valg, message, k.Forsendelse)
	if err != nil {
		return nil, invalid(err)
	}
	if doc.Size() <= MaxRequestSize && c.cfg.Signature == signature.Enveloped {
		doc, err = signature.SignEnveloped(ctx, c.cfg.Signer.Key(), doc)
		if err != nil {
			return nil, &Error{Class: Temporary, Op: OpSign, Err: ended(ctx, err)}
		}
	}
	if doc.Size() > MaxRequestSize {
		return nil, &Error{
			Class: Rejected, Op: OpKombi, Code: CodeTooLarge,
			Hint: "Files grow by a third as base64: about 74 MB of files fit into one letter; Automatisk Valg carries its PDF twice.",
			Err:  fmt.Errorf("the request has %d bytes, at most %d are allowed", doc.Size(), int64(MaxRequestSize)),
		}
	}
	return doc, nil
}

// message is the MeMo as it is sent, nil when there is none. In mode
// technical-document the signature is put into it; a letter that is only printed
// and a NemSMS have no place for one, so theirs is in the manifest alone.
func (c *Client) message(ctx context.Context, k Kombi) (*memo.Message, error) {
	if k.Message == nil {
		return nil, nil //nolint:nilnil // no MeMo is a valid answer
	}
	message := *k.Message
	if message.Version == "" {
		message.Version = c.cfg.MemoVersion
	}
	if c.cfg.Signature == signature.TechnicalDocument && message.Body != nil {
		signedBody, err := c.signDocuments(ctx, *message.Body)
		if err != nil {
			return nil, err
		}
		message.Body = signedBody
	}
	return &message, nil
}

// request writes the kombi_request: KombiValgKode, the MeMo and the
// ForsendelseISamling with its one ForsendelseI, the latter two as far as there
// are any. kombi_request is in no namespace, its parts declare their own.
// [src: SP-CLIENTS kombi_request]
func request(valg KombiValg, message *memo.Message, forsendelse *fjernprint.ForsendelseI) (*xmlstream.Document, error) {
	var b xmlstream.Builder
	b.Open("", "kombi_request", "")
	b.Open("", "KombiValgKode", "")
	b.Text(string(valg))
	b.Close()
	if message != nil {
		if err := message.Build(&b); err != nil {
			return nil, fmt.Errorf("the MeMo: %w", err)
		}
	}
	if forsendelse != nil {
		b.Open("", "ForsendelseISamling", fjernprint.Namespace)
		if err := forsendelse.Build(&b); err != nil {
			return nil, fmt.Errorf("the ForsendelseI: %w", err)
		}
		b.Close()
	}
	b.Close()
	return b.Document()
}

// signDocuments gives a copy of the body with the signature over its files as
// one more TechnicalDocument.
func (c *Client) signDocuments(ctx context.Context, b memo.MessageBody) (*memo.MessageBody, error) {
	files := slices.Clone(b.MainDocument.Files)
	for _, d := range b.AdditionalDocuments {
		files = append(files, d.Files...)
	}
	for _, d := range b.TechnicalDocuments {
		files = append(files, d.Files...)
	}
	digests := make([]signature.NamedDigest, len(files))
	for i, f := range files {
		digest, err := contentDigest(ctx, f.Content)
		if err != nil {
			return nil, fmt.Errorf("digest of document %d: %w", i, ended(ctx, err))
		}
		digests[i] = signature.NamedDigest{Filename: f.Filename, Digest: digest}
	}
	xml, err := signature.SignDocuments(ctx, c.cfg.Signer.Key(), digests)
	if err != nil {
		return nil, err
	}
	b.TechnicalDocuments = append(slices.Clone(b.TechnicalDocuments), memo.TechnicalDocument{
		Label: "Signatur",
		Files: []memo.File{{
			EncodingFormat: signature.DocumentsFormat, Filename: signature.DocumentsFilename,
			Language: "da", Content: xmlstream.Bytes(xml),
		}},
	})
	return &b, nil
}

func contentDigest(ctx context.Context, content xmlstream.Content) ([32]byte, error) {
	var sum [32]byte
	r, err := content.Open(ctx)
	if err != nil {
		return sum, err
	}
	defer func() { _ = r.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return sum, err
	}
	h.Sum(sum[:0])
	return sum, nil
}

// signed reads the document once and has its digest signed and kept.
func (c *Client) signed(ctx context.Context, k Kombi, doc *xmlstream.Document) (*body, error) {
	b, err := newBody(ctx, doc)
	if err != nil {
		return nil, &Error{Class: Temporary, Op: OpSign, Err: fmt.Errorf("reading the letter: %w", ended(ctx, err))}
	}
	entry := signature.Entry{Reference: k.Reference, Digest: b.digest}
	if c.cfg.Skeleton != nil {
		if entry.Skeleton, err = c.cfg.Skeleton(ctx, doc); err != nil {
			return nil, &Error{Class: Temporary, Op: OpSign, Err: fmt.Errorf("keeping the letter: %w", ended(ctx, err))}
		}
	}
	if _, err := c.cfg.Signer.Sign(ctx, entry); err != nil {
		return nil, &Error{Class: Temporary, Op: OpSign, Err: err}
	}
	return b, nil
}

// conclude decides what became of the letter. See Class for the policy.
func (c *Client) conclude(out *outgoing, a *answer, err error) (*Accepted, error) {
	if err != nil {
		return nil, unanswered(out, err)
	}
	r, unreadable := readReaction(a.body)
	if a.cut != nil {
		unreadable = a.cut
	}
	if a.status/100 == 2 && unreadable == nil && r.accepted() {
		if !out.left() {
			early := errors.New("accepted before the whole letter had left")
			return nil, &Error{
				Class: Unknown, Op: OpKombi, Code: CodeEarlyAnswer, HTTPStatus: a.status, Answer: a.kept(), Err: early,
			}
		}
		got := &Accepted{
			TransmissionID: r.transmissionID, Digest: out.body.digest, Size: out.body.size, Answer: a.kept(), Unexpected: true,
		}
		for _, advis := range r.advis {
			got.AdvisID, got.AdvisTekst = advis.id, advis.text
			if strings.EqualFold(advis.text, advisReceived) {
				got.Unexpected = false
				break
			}
		}
		return got, nil
	}
	e := c.refused(OpKombi, a, r, unreadable)
	if e.Class == Unknown && !out.left() {
		e.Class = Temporary // whatever it means, it does not mean that the letter arrived
	}
	return nil, e
}

// writeFailed says whether the connection did not take what was written to it.
func writeFailed(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "write"
}

// unanswered classifies a call without an answer.
func unanswered(out *outgoing, err error) *Error {
	e := &Error{Class: Temporary, Op: OpKombi, Err: err}
	switch failure := out.failure(); {
	case errors.Is(failure, errDigest):
		e.Code, e.Err = CodeDigestMismatch, failure
		e.Hint = "A file changed between signing and sending: check the document store."
	case failure != nil:
		e.Err = failure
	case writeFailed(err):
		// What was not written did not leave: the last bytes are missing.
	case out.left():
		e.Class, e.Code = Unknown, CodeNoAnswer
	}
	return e
}
