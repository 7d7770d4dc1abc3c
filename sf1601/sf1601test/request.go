package sf1601test

import (
	"bytes"
	"context"
	"time"
)

// nsDSig is the namespace of a signature in a kombi_request.
const nsDSig = "http://www.w3.org/2000/09/xmldsig#"

// Values of KombiValgKode.
// [src: SP-CLIENTS KombiValgKode]
const (
	ValgDigitalPost = "Digital Post"
	ValgNemSMS      = "NemSMS"
	ValgFysiskPost  = "Fysisk Post"
	ValgAutomatisk  = "Automatisk Valg"
)

// refusal is why a kombi request is refused in the answer. Its text never
// quotes the letter.
type refusal struct{ text string }

func (r *refusal) Error() string { return r.text }

// request is what a kombi_request says.
type request struct {
	Message
	recipient string    // unmasked; decides the behaviour, never shown
	authority string    // CVR of the token it came with
	shipment  *shipment // nil without ForsendelseI
	memo      []byte    // memo:Message as it stands in the document; only borrowed

	answer func(ctx context.Context) // sends what the recipient answers; nil: nothing
}

// printable says whether the letter may end as paper.
func (r *request) printable() bool {
	return r.KombiValgKode == ValgFysiskPost || r.KombiValgKode == ValgAutomatisk
}

// rules are the settings a letter is read under.
type rules struct {
	now   time.Time
	files []string // allowed file extensions, nil for all
	paper int64    // most raw bytes of a printed letter
}

// readRequest reads one kombi_request. An error is a *refusal or *scanError:
// the envelope is wrong. A letter that breaks a rule of MeMo is no error but
// has a Finding.
func readRequest(doc []byte, rules rules) (*request, error) {
	scan, err := newScanner(doc)
	if err != nil {
		return nil, err
	}
	e := &envelopeReader{scan: scan, letter: &letterReader{
		tableReader: tableReader{scan: scan, req: &request{}, invalid: CodeMemoInvalid},
		under:       value{today: rules.now.UTC().Format(time.DateOnly), files: rules.files},
	}, limit: rules.paper}
	if err := e.read(); err != nil {
		return nil, err
	}
	req := e.letter.req
	req.Size = int64(len(doc))
	return req, e.check()
}

// envelopeReader reads kombi_request around the letter.
type envelopeReader struct {
	scan                       *scanner
	letter                     *letterReader
	limit                      int64 // raw bytes of a printed letter
	valg, message, print, sign bool
}

func (e *envelopeReader) read() error {
	scan := e.scan
	if _, err := scan.next(); err != nil { // the first event is the root or an error
		return err
	}
	if scan.uri != "" || string(scan.local) != "kombi_request" {
		return &refusal{"the root element is not kombi_request without namespace"}
	}
	if len(scan.attrs) > 0 {
		return &refusal{"kombi_request has an attribute"}
	}
	for {
		ev, err := scan.next()
		if err != nil {
			return err
		}
		switch ev {
		case eventText:
			if len(bytes.TrimSpace(scan.text)) > 0 {
				return &refusal{"kombi_request holds text"}
			}
		case eventStart:
			if err := e.part(); err != nil {
				return err
			}
		case eventEnd:
			if _, err := scan.next(); err != nil { // nothing may follow
				return err
			}
			return nil
		case eventEOF:
			return nil
		}
	}
}

// part reads one child of kombi_request.
func (e *envelopeReader) part() error {
	name := string(e.scan.local)
	switch {
	case e.sign:
		return &refusal{"an element follows ds:Signature, which is last in kombi_request"}
	case e.scan.uri == "" && name == "KombiValgKode":
		if e.valg || e.message || e.print {
			return &refusal{"KombiValgKode is not the first and only one"}
		}
		e.valg = true
		text, err := e.leaf()
		e.letter.req.KombiValgKode = text
		return err
	case e.scan.uri == nsMemo && name == "Message":
		if !e.valg || e.message {
			return &refusal{"memo:Message stands before KombiValgKode or comes twice"}
		}
		e.message = true
		from := e.scan.at
		err := e.letter.read()
		e.letter.req.memo = e.scan.in[from:e.scan.pos]
		return err
	case e.scan.uri == nsFjernprint && name == "ForsendelseISamling":
		if !e.valg || e.print {
			return &refusal{"ForsendelseISamling stands before KombiValgKode or comes twice"}
		}
		if len(e.scan.attrs) > 0 {
			return &refusal{"ForsendelseISamling has an attribute"}
		}
		e.print = true
		return newPrintReader(e.scan, e.letter.req, e.limit).samling()
	case e.scan.uri == nsDSig && name == "Signature":
		e.sign = true
		return skip(e.scan)
	}
	return &refusal{"kombi_request holds an element that does not belong there"}
}

// leaf reads the text of a child of kombi_request.
func (e *envelopeReader) leaf() (string, error) {
	var text []byte
	for {
		ev, err := e.scan.next()
		switch {
		case err != nil:
			return "", err
		case ev == eventText:
			text = append(text, e.scan.text...)
		case ev == eventStart:
			return "", &refusal{"KombiValgKode holds an element"}
		default:
			return string(text), nil
		}
	}
}

// skip reads to the end of the element that just began.
func skip(scan *scanner) error {
	for depth := 1; depth > 0; {
		ev, err := scan.next()
		if err != nil {
			return err
		}
		switch ev {
		case eventStart:
			depth++
		case eventEnd:
			depth--
		case eventText, eventEOF:
		}
	}
	return nil
}

// check is what must hold between the parts.
func (e *envelopeReader) check() error {
	req := e.letter.req
	switch req.KombiValgKode {
	case ValgDigitalPost, ValgNemSMS:
	case ValgAutomatisk, ValgFysiskPost:
		switch {
		case !e.print:
			return &refusal{"ForsendelseISamling is missing"}
		case req.shipment.id == "" || len(req.shipment.id) > 4*38:
			return &refusal{"AfsendelseIdentifikator is missing or too long"}
		}
	default:
		return &refusal{"KombiValgKode is missing or not one of its values"}
	}
	if e.print {
		req.AfsendelseIdentifikator = req.shipment.id
	}
	if !e.message && req.KombiValgKode == ValgFysiskPost {
		req.recipient = req.shipment.number()
		req.Recipient = mask(req.recipient)
		return nil
	}
	switch {
	case !e.message:
		return &refusal{"memo:Message is missing"}
	case !uuid4(req.MessageUUID):
		return &refusal{"memo:messageUUID is missing or not a UUID of version 4"}
	case (req.MessageType == "NEMSMS") != (req.KombiValgKode == ValgNemSMS):
		return &refusal{"memo:messageType does not fit KombiValgKode"}
	}
	return nil
}
