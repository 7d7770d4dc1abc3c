package beskedfordeler

import "time"

// Besked is one Haendelsesbesked: the envelope fields a receiver of statuses
// needs and, for type PKO_PostStatus, the status itself.
//
// UUIDs are folded to lower case. Of several ObjektRegistrering the first
// counts; every real message has one. KildesystemAkkreditiver is never read.
// [src: SF1461-ENVELOPE-XSD Haendelsesbesked]
type Besked struct {
	ID      string // BeskedId: the key for deduplication; required
	Version string // BeskedVersion, "1.0"
	Type    string // Beskedtype; TypePKOPostStatus for a delivery status; required
	Actor   string // BeskedAnsvarligAktoer, e.g. ActorDigitalPost
	// Recipients are the TilladtModtager: the eight digits of a CVR URN (either
	// form), else the id as it stands.
	Recipients []string
	Related    []RelatedObject // RelateretObjekt; the first names the sending user system

	RegistrationID    string    // ObjektRegistreringId; the TransmissionId in real messages
	RegistrationActor string    // RegistreringsAktoer
	Registered        time.Time // Registreringstidspunkt; zero when absent
	Authority         string    // ObjektAnsvarligMyndighed, as Recipients
	ObjectID          string    // ObjektRegistrering/ObjektId; the MessageUUID in real messages
	ObjectType        string    // ObjektRegistrering/ObjektType
	Handling          string    // ObjektHandling; see the Handling constants

	Created        time.Time // Dannelsestidspunkt; zero when absent
	TransactionID  string    // Leveranceinformation/TransaktionsId
	Source         string    // Kildesystem
	Classification string    // Sikkerhedsklassificering
	Route          Route     // the last Leverancerute

	Status *PostStatus // the PKO_PostStatus; nil for any other Beskedtype
}

// RelatedObject is one RelateretObjekt.
type RelatedObject struct {
	ID   string // ObjektId
	Type string // ObjektType
	Role string // ObjektRolle
}

// Route is how the message came here: one Leverancerute.
type Route struct {
	Distributor  string    // Fordelingssystem
	Received     time.Time // ModtagelsesTidspunkt
	Delivered    time.Time // LeveranceTidspunkt
	From         string    // ModtagetFraSystem
	Subscription string    // ErLeveretIHenholdTil: your subscription
	Attempts     int       // AntalLeveranceforsoeg, 1 on the first delivery; 0 when not told
}

// PostStatus is a PKO_PostStatus: what happened to one letter, in the words of
// Postkomponenten.
//
// Every field is optional here because no schema is published; match a status
// on MessageUUID, then AfsendelseIdentifikator, then TransmissionID. FejlTekst
// may quote the letter: treat it as personal data.
// [src: PKO-POSTSTATUS-EXAMPLE; PKO-POSTSTATUS-CLIENTS PKO_PostStatus; SF1461-PACKAGE]
type PostStatus struct {
	TransmissionID               string    // TransmissionId, from the answer of KombiPostAfsend
	MessageUUID                  string    // folded to lower case
	MessageID                    string    // MessageId: the sender's own id, as sent
	AfsendelseIdentifikator      string    // print: the key of the shipment
	ForsendelseIdentifikator     string    // print
	KanalKode                    string    // "Digital Post"; the value for NemSMS is not known
	TransaktionsDatoTid          time.Time // when it happened; zero when absent
	BrugerNavn                   string
	EnhedTekst                   string
	AfsenderSystemIdentifikator  string
	TransaktionsStatusKode       string // text, e.g. "Afleveret Digital Post"
	ForsendelseTypeIdentifikator string
	CorrelationID                string // CorrelationId; equals TransmissionID in real messages
	FejlKode                     string // text such as "memo.invalid", or digits from print suppliers
	FejlTekst                    string // may span lines and hold markup as text
	Haendelser                   []Haendelse
}

// Haendelse is one ForsendelseHaendelse of a printed letter. The meaning of
// the type codes is not published.
type Haendelse struct {
	TypeKode string    // ForsendelseHaendelseTypeKode, a number
	DatoTid  time.Time // ForsendelseHaendelseDatoTid
	Beloeb   string    // ForsendelseHaendelseBeloeb, as written
}
