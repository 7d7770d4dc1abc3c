package httpapi

import (
	"crypto/sha256"
	"fmt"
	"mime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/brevdue/brevdue/actions"
	"github.com/brevdue/brevdue/gateway"
)

// fingerprint is the SHA-256 of the request written again, so that white space and the order of members do not matter.
// Documents go in by their digest, which spares writing megabytes.
//
// It is stored with the intent and compared for as long as the intent is kept: a member that is added to the request
// later must be left out when it is zero.
func fingerprint(in *IntentRequest) ([32]byte, error) {
	short := *in
	short.Content.Documents = slices.Clone(in.Content.Documents)
	for n := range short.Content.Documents {
		content := &short.Content.Documents[n].Content
		if len(content.Bytes) > 0 {
			sum := sha256.Sum256(content.Bytes)
			content.Bytes = sum[:]
		}
	}
	h := sha256.New()
	if err := json.MarshalWrite(h, &short); err != nil {
		return [32]byte{}, fmt.Errorf("fingerprint: %w", err)
	}
	var sum [32]byte
	h.Sum(sum[:0])
	return sum, nil
}

// draft turns a request into the gateway's nouns. What cannot be turned is told in Draft.Problems; the rules about what
// is there are Gateway.Accept's.
func (in *IntentRequest) draft(producer string) (gateway.Draft, error) {
	sum, err := fingerprint(in)
	if err != nil {
		return gateway.Draft{}, err
	}
	r := &reading{}
	d := in.read(r, producer)
	d.Fingerprint = sum
	d.Recipient.ID = r.identifier("/recipient", in.Recipient.CPR, in.Recipient.CVR)
	d.Problems = r.problems
	return d, nil
}

// read is the draft without its fingerprint, the identifier of its recipient, and what is wrong with it.
func (in *IntentRequest) read(r *reading, producer string) gateway.Draft {
	d := gateway.Draft{
		Producer:  producer,
		Reference: in.Reference,
		Sender:    in.Sender,
		Recipient: recipient(&in.Recipient),
		Routes:    make([]gateway.Route, len(in.Routes)),
		Content:   r.content(&in.Content),
		Documents: r.documents(in.Content.Documents),
		NotBefore: r.time("/send/notBefore", in.Send.NotBefore),
		Expires:   r.time("/send/expires", in.Send.Expires),
		Window:    in.Send.Window,
		Dedupe:    in.Dedupe,
		Priority:  gateway.Priority(in.Send.Priority),
	}
	for n, route := range in.Routes {
		d.Routes[n] = route
	}
	return d
}

// reading collects what is wrong with the values of a request.
type reading struct{ problems []gateway.Problem }

func (r *reading) problem(pointer, code, detail string) {
	r.problems = append(r.problems, gateway.Problem{Pointer: pointer, Code: code, Detail: detail})
}

// time reads an optional moment.
func (r *reading) time(pointer, s string) time.Time {
	if s == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.IsZero() {
		r.problem(pointer, "time.invalid", "A time is written with its zone as in RFC 3339, e.g. 2026-12-01T10:00:00+01:00.")
		return time.Time{}
	}
	return t.UTC()
}

// recipient is what a request says of a recipient, but for the number.
func recipient(in *RecipientRequest) gateway.Recipient {
	return gateway.Recipient{
		Name: gateway.Private(in.Name), Email: gateway.Private(in.Email), Mobile: gateway.Private(in.Mobile),
		Address: gateway.Address{
			Street: gateway.Private(in.Address.Street), House: gateway.Private(in.Address.House),
			Floor: gateway.Private(in.Address.Floor), Door: gateway.Private(in.Address.Door),
			Postcode: gateway.Private(in.Address.Postcode), City: gateway.Private(in.Address.City),
			Country: gateway.Private(in.Address.Country),
		},
	}
}

// identifier reads the one of two numbers that is there.
func (r *reading) identifier(at, cpr, cvr string) (id gateway.Identifier) {
	var err error
	switch {
	case cpr != "" && cvr != "":
		r.problem(at, "recipient.both", "A recipient has a CPR number or a CVR number, not both.")
	case cpr != "":
		if id, err = gateway.ParseCPR(cpr); err != nil {
			r.problem(at+"/cpr", "cpr.invalid", "A CPR number is ten digits.")
		}
	case cvr != "":
		if id, err = gateway.ParseCVR(cvr); err != nil {
			r.problem(at+"/cvr", "cvr.invalid", "A CVR number is eight digits.")
		}
	default:
		r.problem(at, "recipient.missing", "A recipient has a CPR number or a CVR number.")
	}
	return id
}

func (r *reading) content(in *ContentRequest) gateway.Content {
	out := gateway.Content{
		Title: in.Title, Text: in.Text, SMS: in.SMS, Notification: in.Notification,
		Actions:      make([]actions.Action, len(in.Actions)),
		ReplyAllowed: in.Reply.Allowed, ReplyBy: r.time("/content/reply/by", in.Reply.By),
		Mandatory: in.Mandatory, LegalNotification: in.LegalNotification,
		KLE: in.KLE, CaseID: in.Case.ID, CaseSystem: in.Case.System,
	}
	for n := range in.Actions {
		out.Actions[n] = r.action("/content/actions/"+strconv.Itoa(n), &in.Actions[n])
	}
	return out
}

// action turns the flat form into the one of package actions. Its start and end belong to the appointment when it is an
// AFTALE. Appointment data on another action is passed on: Validate says that it does not belong there.
func (r *reading) action(at string, in *ActionRequest) actions.Action {
	start, end := r.time(at+"/start", in.Start), r.time(at+"/end", in.End)
	a := actions.Action{Code: actions.Code(in.Type), Label: in.Label, URL: in.URL}
	reservation := actions.Reservation{
		Description: in.Description, UUID: in.UUID, Abstract: in.Abstract, Location: in.Location,
		Organizer: actions.Organizer{Name: in.Organizer.Name, Mail: in.Organizer.Mail},
	}
	switch {
	case a.Code == actions.Aftale:
		reservation.Start, reservation.End = start, end
		a.Reservation = &reservation
		return a
	case reservation != (actions.Reservation{}):
		a.Reservation = &reservation
	}
	a.Start, a.End = start, end
	return a
}

func (r *reading) documents(in []DocumentRequest) []gateway.DraftDocument {
	out := make([]gateway.DraftDocument, len(in))
	for n := range in {
		d := &in[n]
		at := "/content/documents/" + strconv.Itoa(n)
		if d.Content.Invalid {
			r.problem(at+"/content", "base64.invalid", "The content is not standard base64 with padding (RFC 4648, section 4).")
		}
		if d.ContentType != "" {
			if media, _, err := mime.ParseMediaType(d.ContentType); err != nil || !strings.Contains(media, "/") {
				r.problem(at+"/contentType", "media_type.invalid", "The content type is not a media type such as application/pdf.")
			}
		}
		out[n] = gateway.DraftDocument{
			Filename: d.Filename, ContentType: d.ContentType, Content: d.Content.Bytes, Upload: d.Document,
		}
	}
	return out
}
