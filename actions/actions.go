// Package actions is the domain of the eight NgDP actions: the buttons and calendar entries that a Digital Post letter
// offers its reader.
//
// The job in the order it happens: a producer's intent is turned into Action values (the constructors show what each
// code needs), Validate lists everything that is wrong with one, each problem with a pointer into the producer's JSON,
// and UTC gives the form that is stored and sent.
//
// The codes are those of the official guide as public clients quote it; the schema leaves actionCode as free text. That
// AFTALE carries a reservation and every other code a link is the practice of those clients; the schema lets both be
// absent (docs/divergences.md). [src: MEMO-ACTIONS-GUIDE; SP-CLIENTS SF1601.php; MEMO-1.1-XSD Action]
package actions

import (
	"slices"
	"time"
)

// Code is the actionCode of a MeMo action.
type Code string

// The eight codes.
const (
	Aftale        Code = "AFTALE"        // an appointment that can be put in a calendar
	Bekraeft      Code = "BEKRAEFT"      // confirm something
	Betaling      Code = "BETALING"      // pay in the sender's own payment solution
	Forberedelse  Code = "FORBEREDELSE"  // prepare for something
	Information   Code = "INFORMATION"   // read more
	Selvbetjening Code = "SELVBETJENING" // go to a self-service solution
	Tilmelding    Code = "TILMELDING"    // sign up, before a deadline
	Underskriv    Code = "UNDERSKRIV"    // sign a document
)

// Codes returns the eight codes in alphabetical order.
func Codes() []Code {
	return []Code{Aftale, Bekraeft, Betaling, Forberedelse, Information, Selvbetjening, Tilmelding, Underskriv}
}

// Known tells whether c is one of the eight codes. Case matters.
func (c Code) Known() bool { return slices.Contains(Codes(), c) }

// Action is one action of a document. An AFTALE carries a Reservation and no URL; every other code carries a URL and no
// Reservation. A zero Start or End is absent.
type Action struct {
	Code        Code
	Label       string       // what the button says, at most 256 characters
	Start, End  time.Time    // when the action may be used; End is the deadline of a TILMELDING
	Reservation *Reservation // AFTALE only
	URL         string       // every other code: absolute https URL, at most 256 characters
}

// Reservation is the appointment of an AFTALE. All fields but Organizer are mandatory. [src: MEMO-1.1-XSD Reservation]
type Reservation struct {
	Description string // at most 256 characters, as all texts here
	UUID        string // version 4; the same appointment keeps its UUID, so that calendars can update it
	Abstract    string // headline in the calendar
	Location    string
	Start, End  time.Time
	Organizer   Organizer
}

// Organizer is who invites; both fields are optional.
type Organizer struct {
	Name string
	Mail string
}

// NewAftale returns an appointment. Its times are the reservation's; the action itself has none.
func NewAftale(label string, r Reservation) Action {
	return Action{Code: Aftale, Label: label, Reservation: &r}
}

// NewTilmelding returns a sign-up link that closes at deadline.
func NewTilmelding(label, url string, deadline time.Time) Action {
	return Action{Code: Tilmelding, Label: label, URL: url, End: deadline}
}

// NewBekraeft returns a link where the reader confirms something.
func NewBekraeft(label, url string) Action { return link(Bekraeft, label, url) }

// NewBetaling returns a link to the sender's payment solution.
func NewBetaling(label, url string) Action { return link(Betaling, label, url) }

// NewForberedelse returns a link to what the reader should prepare.
func NewForberedelse(label, url string) Action { return link(Forberedelse, label, url) }

// NewInformation returns a link to more information.
func NewInformation(label, url string) Action { return link(Information, label, url) }

// NewSelvbetjening returns a link to a self-service solution.
func NewSelvbetjening(label, url string) Action { return link(Selvbetjening, label, url) }

// NewUnderskriv returns a link where the reader signs.
func NewUnderskriv(label, url string) Action { return link(Underskriv, label, url) }

func link(code Code, label, url string) Action { return Action{Code: code, Label: label, URL: url} }

// Between returns a copy that may be used from start to end; a zero time leaves that side open.
func (a Action) Between(start, end time.Time) Action {
	a.Start, a.End = start, end
	return a
}

// Deadline returns the deadline that the action sets its reader: the end of a TILMELDING. It is false for every other
// code and for a TILMELDING without an end.
func (a Action) Deadline() (time.Time, bool) {
	if a.Code != Tilmelding || a.End.IsZero() {
		return time.Time{}, false
	}
	return a.End, true
}

// UTC returns a deep copy with all times in UTC and cut to whole seconds, the only form MeMo knows. Absent times stay
// absent.
func (a Action) UTC() Action {
	a.Start, a.End = wholeSeconds(a.Start), wholeSeconds(a.End)
	if a.Reservation != nil {
		r := *a.Reservation
		r.Start, r.End = wholeSeconds(r.Start), wholeSeconds(r.End)
		a.Reservation = &r
	}
	return a
}

func wholeSeconds(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Second)
}
