package memo

import (
	"time"

	"github.com/beevik/etree"
)

// ActionCode is the actionCode of an Action. The XSD leaves it as free text; eight codes are in use.
// [src: MEMO-1.1-XSD Action, actionCode]
type ActionCode string

// The eight codes. [src: MEMO-ACTIONS-GUIDE; SP-CLIENTS SF1601.php, which quotes it]
const (
	ActionAftale        ActionCode = "AFTALE"
	ActionBekraeft      ActionCode = "BEKRAEFT"
	ActionBetaling      ActionCode = "BETALING"
	ActionForberedelse  ActionCode = "FORBEREDELSE"
	ActionInformation   ActionCode = "INFORMATION"
	ActionSelvbetjening ActionCode = "SELVBETJENING"
	ActionTilmelding    ActionCode = "TILMELDING"
	ActionUnderskriv    ActionCode = "UNDERSKRIV"
)

func (c ActionCode) known() bool {
	switch c {
	case ActionAftale, ActionBekraeft, ActionBetaling, ActionForberedelse,
		ActionInformation, ActionSelvbetjening, ActionTilmelding, ActionUnderskriv:
		return true
	}
	return false
}

// Action is the class Action: a button or an appointment that belongs to a document. It has a Reservation or an
// EntryPoint, never both (an xs:choice in the XSD). [src: MEMO-1.1-XSD Action]
type Action struct {
	Label         string
	ActionCode    ActionCode
	StartDateTime time.Time // optional
	EndDateTime   time.Time // optional
	Reservation   *Reservation
	EntryPoint    *EntryPoint
}

func (x Action) element() *etree.Element {
	e := class("memo:Action")
	leaf(e, "label", x.Label)
	leaf(e, "actionCode", string(x.ActionCode))
	optionalTime(e, "startDateTime", x.StartDateTime)
	optionalTime(e, "endDateTime", x.EndDateTime)
	add(e, x.Reservation)
	add(e, x.EntryPoint)
	return e
}

func readAction(r *reader, x *Action) bool {
	return r.text("label", &x.Label) ||
		r.text("actionCode", (*string)(&x.ActionCode)) ||
		r.dateTime("startDateTime", &x.StartDateTime) ||
		r.dateTime("endDateTime", &x.EndDateTime) ||
		one(r, "Reservation", &x.Reservation, readReservation) ||
		one(r, "EntryPoint", &x.EntryPoint, readEntryPoint)
}

// Reservation is the class Reservation: an appointment. [src: MEMO-1.1-XSD Reservation]
type Reservation struct {
	Description     string
	ReservationUUID string // version 4
	Abstract        string
	Location        string
	StartDateTime   time.Time
	EndDateTime     time.Time
	OrganizerMail   string // optional
	OrganizerName   string // optional
}

func (x Reservation) element() *etree.Element {
	e := class("memo:Reservation")
	leaf(e, "description", x.Description)
	leaf(e, "reservationUUID", x.ReservationUUID)
	leaf(e, "abstract", x.Abstract)
	leaf(e, "location", x.Location)
	dateTime(e, "startDateTime", x.StartDateTime)
	dateTime(e, "endDateTime", x.EndDateTime)
	optional(e, "organizerMail", x.OrganizerMail)
	optional(e, "organizerName", x.OrganizerName)
	return e
}

func readReservation(r *reader, x *Reservation) bool {
	return r.text("description", &x.Description) ||
		r.text("reservationUUID", &x.ReservationUUID) ||
		r.text("abstract", &x.Abstract) ||
		r.text("location", &x.Location) ||
		r.dateTime("startDateTime", &x.StartDateTime) ||
		r.dateTime("endDateTime", &x.EndDateTime) ||
		r.text("organizerMail", &x.OrganizerMail) ||
		r.text("organizerName", &x.OrganizerName)
}

// EntryPoint is the class EntryPoint: a link. [src: MEMO-1.1-XSD EntryPoint]
type EntryPoint struct {
	URL string // absolute, https, at most 256 characters
}

func (x EntryPoint) element() *etree.Element {
	e := class("memo:EntryPoint")
	leaf(e, "url", x.URL)
	return e
}

func readEntryPoint(r *reader, x *EntryPoint) bool {
	return r.token("url", &x.URL)
}
