package memo

import "time"

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

func (x Action) write(w *writer) {
	w.open("memo:Action")
	w.leaf("label", x.Label)
	w.leaf("actionCode", string(x.ActionCode))
	w.optionalTime("startDateTime", x.StartDateTime)
	w.optionalTime("endDateTime", x.EndDateTime)
	writeOne(w, x.Reservation)
	writeOne(w, x.EntryPoint)
	w.close()
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

func (x Reservation) write(w *writer) {
	w.open("memo:Reservation")
	w.leaf("description", x.Description)
	w.leaf("reservationUUID", x.ReservationUUID)
	w.leaf("abstract", x.Abstract)
	w.leaf("location", x.Location)
	w.dateTime("startDateTime", x.StartDateTime)
	w.dateTime("endDateTime", x.EndDateTime)
	w.optional("organizerMail", x.OrganizerMail)
	w.optional("organizerName", x.OrganizerName)
	w.close()
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

func (x EntryPoint) write(w *writer) {
	w.open("memo:EntryPoint")
	w.leaf("url", x.URL)
	w.close()
}

func readEntryPoint(r *reader, x *EntryPoint) bool {
	return r.token("url", &x.URL)
}
