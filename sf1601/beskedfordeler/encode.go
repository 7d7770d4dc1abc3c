package beskedfordeler

import (
	"encoding/base64"
	"strconv"
	"time"
	"unicode/utf8"
)

const (
	nsSagdok     = "urn:oio:sagdok:3.0.0"
	nsKuvert     = "urn:oio:besked:kuvert:1.0"
	nsSTS        = "urn:oio:sts:1.0.0"
	nsBase64     = "urn:besked:kuvert:1.0" // without "oio": as in real messages
	nsPostStatus = "http://serviceplatformen.dk/xml/print/PKO_PostStatus/1/types"

	wireTime = "2006-01-02T15:04:05.000Z07:00"
)

// writer appends XML to a buffer.
type writer struct{ b []byte }

func (w *writer) raw(s string) { w.b = append(w.b, s...) }

// text appends s escaped. Characters XML cannot carry become U+FFFD.
func (w *writer) text(s string) {
	if plain(s) {
		w.raw(s)
		return
	}
	for _, c := range s {
		switch {
		case c == '&':
			w.raw("&amp;")
		case c == '<':
			w.raw("&lt;")
		case c == '>':
			w.raw("&gt;")
		case c == '\r':
			w.raw("&#xD;")
		case c < ' ' && c != '\n' && c != '\t', c == 0xFFFE, c == 0xFFFF:
			w.b = utf8.AppendRune(w.b, utf8.RuneError)
		default:
			w.b = utf8.AppendRune(w.b, c)
		}
	}
}

// plain says that s needs no look at its characters, as ids and times.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= utf8.RuneSelf || c == '&' || c == '<' || c == '>' {
			return false
		}
	}
	return true
}

// leaf writes <name>value</name>, nothing when value is empty.
func (w *writer) leaf(name, value string) {
	if value == "" {
		return
	}
	w.raw("<")
	w.raw(name)
	w.raw(">")
	w.text(value)
	w.raw("</")
	w.raw(name)
	w.raw(">")
}

func (w *writer) when(name string, t time.Time) {
	if !t.IsZero() {
		w.leaf(name, t.UTC().Format(wireTime))
	}
}

// id writes a UnikIdType: eight digits as the CVR URN of real messages, a UUID
// or another URN as it stands.
func (w *writer) id(name, value string) {
	if value == "" {
		return
	}
	w.raw("<ns2:" + name + ">")
	switch {
	case len(value) == 8:
		w.leaf("URNIdentifikator", "urn:oio:cvr:"+value)
	case len(value) > 4 && value[:4] == "urn:":
		w.leaf("URNIdentifikator", value)
	default:
		w.leaf("UUIDIdentifikator", value)
	}
	w.raw("</ns2:" + name + ">")
}

func (w *writer) stamp(name string, t time.Time) {
	if t.IsZero() {
		return
	}
	w.raw("<ns2:" + name + ">")
	w.when("TidsstempelDatoTid", t)
	w.raw("</ns2:" + name + ">")
}

// Encode is the PKO_PostStatus document of p, without XML declaration, as it
// travels in Beskeddata/Base64. Empty fields are left out; FejlDetaljer is
// always there, empty on success, as in real messages.
func (p *PostStatus) Encode() []byte {
	w := &writer{b: make([]byte, 0, 1024)}
	w.raw(`<PKO_PostStatus xmlns="` + nsPostStatus + `">`)
	w.leaf("TransmissionId", p.TransmissionID)
	w.leaf("MessageUUID", p.MessageUUID)
	w.leaf("MessageId", p.MessageID)
	w.leaf("AfsendelseIdentifikator", p.AfsendelseIdentifikator)
	w.leaf("ForsendelseIdentifikator", p.ForsendelseIdentifikator)
	w.leaf("KanalKode", p.KanalKode)
	w.when("TransaktionsDatoTid", p.TransaktionsDatoTid)
	w.leaf("BrugerNavn", p.BrugerNavn)
	w.leaf("EnhedTekst", p.EnhedTekst)
	w.leaf("AfsenderSystemIdentifikator", p.AfsenderSystemIdentifikator)
	w.leaf("TransaktionsStatusKode", p.TransaktionsStatusKode)
	w.leaf("ForsendelseTypeIdentifikator", p.ForsendelseTypeIdentifikator)
	w.leaf("CorrelationId", p.CorrelationID)
	if p.FejlKode == "" && p.FejlTekst == "" {
		w.raw("<FejlDetaljer/>")
	} else {
		w.raw("<FejlDetaljer>")
		w.leaf("FejlKode", p.FejlKode)
		w.leaf("FejlTekst", p.FejlTekst)
		w.raw("</FejlDetaljer>")
	}
	if len(p.Haendelser) > 0 {
		w.raw("<ForsendelseHaendelseSamling>")
		for _, h := range p.Haendelser {
			w.raw("<ForsendelseHaendelse>")
			w.leaf("ForsendelseHaendelseTypeKode", h.TypeKode)
			w.when("ForsendelseHaendelseDatoTid", h.DatoTid)
			w.leaf("ForsendelseHaendelseBeloeb", h.Beloeb)
			w.raw("</ForsendelseHaendelse>")
		}
		w.raw("</ForsendelseHaendelseSamling>")
	}
	w.raw("</PKO_PostStatus>")
	return w.b
}

// EncodeInput is b as Beskedfordeler pushes it: a ModtagBeskedInput with the
// namespaces of real messages. [Decode] of the result gives b again, times
// rounded down to milliseconds. It is what a simulated far end sends.
func EncodeInput(b *Besked) []byte {
	w := newDocument()
	w.raw(`<ns4:ModtagBeskedInput xmlns="` + nsSagdok + `" xmlns:ns2="` + nsKuvert +
		`" xmlns:ns3="http://www.w3.org/2000/09/xmldsig#" xmlns:ns4="` + nsSTS + `"><ns2:Haendelsesbesked>`)
	w.event(b)
	w.raw("</ns2:Haendelsesbesked></ns4:ModtagBeskedInput>")
	return w.b
}

// EncodeEvent is b as it lies in the queue of a dueslag: a Haendelsesbesked
// that is the root. Otherwise it is as EncodeInput.
func EncodeEvent(b *Besked) []byte {
	w := newDocument()
	w.raw(`<ns2:Haendelsesbesked xmlns="` + nsSagdok + `" xmlns:ns2="` + nsKuvert + `">`)
	w.event(b)
	w.raw("</ns2:Haendelsesbesked>")
	return w.b
}

func newDocument() *writer {
	w := &writer{b: make([]byte, 0, 6<<10)}
	w.raw(`<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n")
	return w
}

// event is the content of Haendelsesbesked.
func (w *writer) event(b *Besked) {
	w.id("BeskedId", b.ID)
	w.leaf("ns2:BeskedVersion", b.Version)
	w.raw("<ns2:Beskedkuvert>")
	w.filter(b)
	w.delivery(b)
	w.raw("</ns2:Beskedkuvert>")
	if b.Status != nil {
		status := b.Status.Encode()
		w.raw(`<ns2:Beskeddata><Base64 xmlns="` + nsBase64 + `" xmlns:ns4="` + nsSagdok +
			`" content-type="application/xml" encoding="UTF-8" file-type=".xml">`)
		w.b = base64.StdEncoding.AppendEncode(w.b, status)
		w.raw("</Base64></ns2:Beskeddata>")
	}
}

func (w *writer) filter(b *Besked) {
	w.raw("<ns2:Filtreringsdata>")
	w.id("Beskedtype", b.Type)
	w.id("BeskedAnsvarligAktoer", b.Actor)
	for _, r := range b.Recipients {
		w.id("TilladtModtager", r)
	}
	for _, o := range b.Related {
		w.raw("<ns2:RelateretObjekt>")
		w.id("ObjektId", o.ID)
		w.id("ObjektType", o.Type)
		w.id("ObjektRolle", o.Role)
		w.raw("</ns2:RelateretObjekt>")
	}
	w.raw("<ns2:ObjektRegistrering>")
	w.id("ObjektRegistreringId", b.RegistrationID)
	w.id("RegistreringsAktoer", b.RegistrationActor)
	w.stamp("Registreringstidspunkt", b.Registered)
	w.id("ObjektAnsvarligMyndighed", b.Authority)
	w.id("ObjektId", b.ObjectID)
	w.id("ObjektType", b.ObjectType)
	w.id("ObjektHandling", b.Handling)
	w.raw("</ns2:ObjektRegistrering></ns2:Filtreringsdata>")
}

func (w *writer) delivery(b *Besked) {
	w.raw("<ns2:Leveranceinformation>")
	w.stamp("Dannelsestidspunkt", b.Created)
	w.id("TransaktionsId", b.TransactionID)
	w.id("Kildesystem", b.Source)
	w.id("Sikkerhedsklassificering", b.Classification)
	if b.Route != (Route{}) {
		w.raw("<ns2:Leveranceruter><ns2:Leverancerute>")
		w.id("Fordelingssystem", b.Route.Distributor)
		w.stamp("ModtagelsesTidspunkt", b.Route.Received)
		w.stamp("LeveranceTidspunkt", b.Route.Delivered)
		w.id("ModtagetFraSystem", b.Route.From)
		w.id("ErLeveretIHenholdTil", b.Route.Subscription)
		if b.Route.Attempts > 0 {
			w.raw("<ns2:LeveranceruteLokalUdvidelse>")
			w.leaf("ns2:AntalLeveranceforsoeg", strconv.Itoa(b.Route.Attempts))
			w.raw("</ns2:LeveranceruteLokalUdvidelse>")
		}
		w.raw("</ns2:Leverancerute></ns2:Leveranceruter>")
	}
	w.raw("</ns2:Leveranceinformation>")
}
