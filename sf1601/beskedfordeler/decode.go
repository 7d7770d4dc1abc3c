package beskedfordeler

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"
)

// Reasons a receiver answers differently to (see [PushHandler]).
var (
	// ErrEmpty is wrapped when the document has no content.
	ErrEmpty = errors.New("beskedfordeler: empty message")
	// ErrNoBeskedID is wrapped when BeskedId is absent or blank.
	ErrNoBeskedID = errors.New("beskedfordeler: no BeskedId")
)

// DecodeError says why a message could not be read. Its text names the field
// and never quotes the content, which may be personal data; Err, the private
// cause, may.
type DecodeError struct {
	Field  string // the element, e.g. "Haendelsesbesked/BeskedId"
	Reason string // a fixed phrase
	Err    error  // private cause or sentinel; may be nil
}

// Error is the field and the fixed reason.
func (e *DecodeError) Error() string { return "beskedfordeler: " + e.Field + " " + e.Reason }

// Unwrap gives the cause.
func (e *DecodeError) Unwrap() error { return e.Err }

func refuse(field, reason string, err error) *DecodeError {
	return &DecodeError{Field: field, Reason: reason, Err: err}
}

// Decode reads one message: root ModtagBeskedInput (push) or Haendelsesbesked
// (pull). Every error is a *DecodeError; it wraps ErrEmpty or ErrNoBeskedID
// where a push receiver answers HTTP 400.
//
// A Beskedtype other than TypePKOPostStatus is decoded as far as its envelope
// and has a nil Status.
func Decode(b []byte) (*Besked, error) {
	root, err := parse("message", b)
	if err != nil {
		return nil, err
	}
	r := &reader{}
	event := root
	switch root.name {
	case "ModtagBeskedInput":
		event = r.required(root, "Haendelsesbesked")
	case "Haendelsesbesked":
	default:
		return nil, refuse("message", "has a root that is neither ModtagBeskedInput nor Haendelsesbesked", nil)
	}
	if r.err != nil {
		return nil, r.err
	}
	out := &Besked{ID: r.id(event, "BeskedId"), Version: r.text(event, "BeskedVersion")}
	if r.err == nil && out.ID == "" {
		return nil, refuse("Haendelsesbesked/BeskedId", "is missing", ErrNoBeskedID)
	}
	envelope := r.required(event, "Beskedkuvert")
	r.filter(out, r.required(envelope, "Filtreringsdata"))
	r.delivery(out, r.child(envelope, "Leveranceinformation"))
	if r.err == nil && out.Type == TypePKOPostStatus {
		out.Status = r.status(event)
	}
	if r.err != nil {
		return nil, r.err
	}
	return out, nil
}

// filter reads Filtreringsdata.
func (r *reader) filter(out *Besked, n *node) {
	if n == nil {
		return
	}
	if out.Type = r.id(n, "Beskedtype"); out.Type == "" {
		r.fail("Filtreringsdata/Beskedtype", "is missing")
	}
	out.Actor = r.id(n, "BeskedAnsvarligAktoer")
	registered := false
	for _, c := range n.children {
		switch c.name {
		case "TilladtModtager":
			out.Recipients = append(out.Recipients, cvr(r.idOf(c)))
		case "RelateretObjekt":
			out.Related = append(out.Related, RelatedObject{
				ID: r.id(c, "ObjektId"), Type: r.id(c, "ObjektType"), Role: r.id(c, "ObjektRolle"),
			})
		case "ObjektRegistrering":
			if !registered {
				r.registration(out, c)
			}
			registered = true
		}
	}
}

// registration reads one ObjektRegistrering.
func (r *reader) registration(out *Besked, n *node) {
	out.RegistrationID = r.id(n, "ObjektRegistreringId")
	out.RegistrationActor = r.id(n, "RegistreringsAktoer")
	out.Registered = r.stamp(n, "Registreringstidspunkt")
	out.Authority = cvr(r.id(n, "ObjektAnsvarligMyndighed"))
	out.ObjectID = r.id(n, "ObjektId")
	out.ObjectType = r.id(n, "ObjektType")
	out.Handling = r.id(n, "ObjektHandling")
}

// delivery reads Leveranceinformation, except KildesystemAkkreditiver.
func (r *reader) delivery(out *Besked, n *node) {
	if n == nil {
		return
	}
	out.Created = r.stamp(n, "Dannelsestidspunkt")
	out.TransactionID = r.id(n, "TransaktionsId")
	out.Source = r.id(n, "Kildesystem")
	out.Classification = r.id(n, "Sikkerhedsklassificering")
	routes := r.child(n, "Leveranceruter")
	if routes == nil {
		return
	}
	for _, c := range routes.children {
		if c.name != "Leverancerute" {
			continue
		}
		out.Route = Route{
			Distributor:  r.id(c, "Fordelingssystem"),
			Received:     r.stamp(c, "ModtagelsesTidspunkt"),
			Delivered:    r.stamp(c, "LeveranceTidspunkt"),
			From:         r.id(c, "ModtagetFraSystem"),
			Subscription: r.id(c, "ErLeveretIHenholdTil"),
			Attempts:     r.attempts(c),
		}
	}
}

// attempts reads AntalLeveranceforsoeg from the local extension; the extension
// is called LeveranceruteLokalUdvidelse in messages and LokalUdvidelse in the
// schema.
func (r *reader) attempts(route *node) int {
	ext := r.child(route, "LeveranceruteLokalUdvidelse")
	if ext == nil {
		ext = r.child(route, "LokalUdvidelse")
	}
	text := r.text(ext, "AntalLeveranceforsoeg")
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		r.fail("LeveranceruteLokalUdvidelse/AntalLeveranceforsoeg", "is not a number")
	}
	return n
}

// status reads the PKO_PostStatus out of Beskeddata.
func (r *reader) status(event *node) *PostStatus {
	data := r.required(event, "Beskeddata")
	payload := r.required(data, "Base64")
	if r.err != nil {
		return nil
	}
	if len(payload.children) > 0 {
		r.fail("Beskeddata/Base64", "holds elements where text belongs")
		return nil
	}
	raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(payload.text)), ""))
	if err != nil {
		r.err = refuse("Beskeddata/Base64", "is not Base64", err)
		return nil
	}
	st, err := DecodePostStatus(raw)
	if err != nil {
		r.err = err
		return nil
	}
	return st
}

// DecodePostStatus reads a bare PKO_PostStatus, the content of
// Beskeddata/Base64. Every error is a *DecodeError.
func DecodePostStatus(b []byte) (*PostStatus, error) {
	n, err := parse("PKO_PostStatus", b)
	if err != nil {
		var de *DecodeError
		if errors.As(err, &de) && errors.Is(err, ErrEmpty) {
			return nil, refuse(de.Field, de.Reason, nil) // the message itself was not empty
		}
		return nil, err
	}
	if n.name != "PKO_PostStatus" {
		return nil, refuse("PKO_PostStatus", "has another root element", nil)
	}
	r := &reader{}
	fejl := r.child(n, "FejlDetaljer")
	st := &PostStatus{
		TransmissionID:               r.text(n, "TransmissionId"),
		MessageUUID:                  strings.ToLower(r.text(n, "MessageUUID")),
		MessageID:                    r.text(n, "MessageId"),
		AfsendelseIdentifikator:      r.text(n, "AfsendelseIdentifikator"),
		ForsendelseIdentifikator:     r.text(n, "ForsendelseIdentifikator"),
		KanalKode:                    r.text(n, "KanalKode"),
		TransaktionsDatoTid:          r.time(n, "TransaktionsDatoTid"),
		BrugerNavn:                   r.text(n, "BrugerNavn"),
		EnhedTekst:                   r.text(n, "EnhedTekst"),
		AfsenderSystemIdentifikator:  r.text(n, "AfsenderSystemIdentifikator"),
		TransaktionsStatusKode:       r.text(n, "TransaktionsStatusKode"),
		ForsendelseTypeIdentifikator: r.text(n, "ForsendelseTypeIdentifikator"),
		CorrelationID:                r.text(n, "CorrelationId"),
		FejlKode:                     r.text(fejl, "FejlKode"),
		FejlTekst:                    r.verbatim(fejl, "FejlTekst"),
	}
	if events := r.child(n, "ForsendelseHaendelseSamling"); events != nil {
		for _, c := range events.children {
			if c.name != "ForsendelseHaendelse" {
				continue
			}
			st.Haendelser = append(st.Haendelser, Haendelse{
				TypeKode: r.text(c, "ForsendelseHaendelseTypeKode"),
				DatoTid:  r.time(c, "ForsendelseHaendelseDatoTid"),
				Beloeb:   r.text(c, "ForsendelseHaendelseBeloeb"),
			})
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	return st, nil
}

// id is the UnikIdType child called name: UUIDIdentifikator or URNIdentifikator.
func (r *reader) id(n *node, name string) string { return r.idOf(r.child(n, name)) }

func (r *reader) idOf(n *node) string {
	if n == nil {
		return ""
	}
	uuid, urn := r.text(n, "UUIDIdentifikator"), r.text(n, "URNIdentifikator")
	if uuid != "" && urn != "" {
		r.fail(n.name, "holds both a UUID and a URN")
	}
	if uuid != "" {
		return strings.ToLower(uuid)
	}
	return urn
}

// cvr takes the number out of a CVR URN. Messages about post write
// urn:oio:cvr:NNNNNNNN, KOMBIT's samples urn:oio:cvr-nr:NNNNNNNN.
// [src: PKO-POSTSTATUS-EXAMPLE TilladtModtager; SF1461-SAMPLES]
func cvr(id string) string {
	for _, prefix := range []string{"urn:oio:cvr:", "urn:oio:cvr-nr:"} {
		if len(id) > len(prefix) && strings.EqualFold(id[:len(prefix)], prefix) {
			return id[len(prefix):]
		}
	}
	return id
}

// stamp is the TidsstempelDatoTid of a TidspunktType child.
func (r *reader) stamp(n *node, name string) time.Time {
	return r.time(r.child(n, name), "TidsstempelDatoTid")
}

// time is an xs:dateTime child: with or without fraction; without a zone it is
// read as UTC (no message without one has been seen).
func (r *reader) time(n *node, name string) time.Time {
	text := r.text(n, name)
	if text == "" {
		return time.Time{}
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC()
		}
	}
	r.fail(n.name+"/"+name, "is not an xs:dateTime")
	return time.Time{}
}
