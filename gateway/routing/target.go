package routing

import "strconv"

// Kind says what sort of place a [Target] is.
type Kind string

// The kinds, by the key that makes a target one.
const (
	Folder   Kind = "folder"   // one folder per message: memo.xml, receipt.json, documents/
	URL      Kind = "url"      // an HTTP endpoint of a municipal system
	Mail     Kind = "mail"     // a mailbox
	AMQP     Kind = "amqp"     // an exchange or a queue of a message broker
	Producer Kind = "producer" // the callback of the producer whose message is answered; never defined, always there
)

// The formats of a target with a URL or a broker.
const (
	FormatMemo = "memo" // the MeMo as it was received
	FormatJSON = "json" // its data as JSON, with links to the documents
)

// ProducerTarget is the name under which rules speak of the producer that sent what a message answers.
const ProducerTarget = "producer"

// Target is one place that messages are brought to, as the file defines it. Fields that its Kind does not have are empty.
// Files are named as written; [Load] has resolved them against the folder of the rules file.
type Target struct {
	Name string
	Kind Kind
	Else []string // targets that take over, in order, when this one refuses and the rule does not say otherwise

	Folder  string // Folder: the directory
	URL     string // URL: https://..., or http://... on this machine; AMQP: amqps://host[:port][/vhost] without user and password
	Address string // Mail: the mailbox
	Format  string // URL, AMQP: FormatMemo or FormatJSON

	SecretFile      string // URL: the secret of the Standard Webhooks signature; "": not signed
	CertificateFile string // URL, AMQP: the certificate to show (PEM), with KeyFile
	KeyFile         string
	CAFile          string // URL, AMQP: trust these roots instead of the machine's

	Queue        string // AMQP: the queue, or
	Exchange     string // AMQP: the exchange,
	RoutingKey   string // with the routing key
	User         string // AMQP
	PasswordFile string // AMQP

	Place Place // where the file defines it
}

// Place is a place in the rules file, counted from 1. The zero Place is nowhere.
type Place struct {
	Line, Column int
}

// String writes the place as line:column.
func (p Place) String() string { return strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column) }
