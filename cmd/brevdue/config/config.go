// Package config reads the one configuration file of brevdue, lays environment variables over it, and checks every key
// before anything starts.
//
// The job, in the order it happens: [Load] reads the YAML file and the BREVDUE_ variables, refuses keys it does not
// know, fills in defaults, and lists everything that is wrong as [Errors]: each with the key and what to do about it.
// Secrets are never values here; they are names of files, or hashes.
package config

import "time"

// Config is the whole file. Field names are the keys of the file; the zero value of an optional field means its default.
type Config struct {
	HTTP              HTTP               `koanf:"http"`
	Metrics           Metrics            `koanf:"metrics"`
	Journal           Journal            `koanf:"journal"`
	Queue             Queue              `koanf:"queue"`
	Documents         Documents          `koanf:"documents"`
	Keys              Keys               `koanf:"keys"`
	Serviceplatformen Serviceplatformen  `koanf:"serviceplatformen"`
	Beskedfordeler    Beskedfordeler     `koanf:"beskedfordeler"`
	SF1606            SF1606             `koanf:"sf1606"`
	Senders           map[string]Sender  `koanf:"senders"`
	Windows           map[string]Window  `koanf:"windows"`
	Channels          map[string]Channel `koanf:"channels"`
	Producers         []Producer         `koanf:"producers"`
	Operators         []Operator         `koanf:"operators"`
	Access            Access             `koanf:"access"`
	Downloads         Downloads          `koanf:"downloads"`
	Retention         Retention          `koanf:"retention"`
	CodesFile         string             `koanf:"codes_file"` // rows that replace or add to the table of codes; CSV
	Log               Log                `koanf:"log"`

	warnings []string
}

// Warnings are sentences about keys that are understood but do nothing in this version.
func (c *Config) Warnings() []string { return c.warnings }

// HTTP is the listener of the API and the console.
type HTTP struct {
	Listen          string `koanf:"listen"`           // default 127.0.0.1:8080
	CertificateFile string `koanf:"certificate_file"` // PEM; with KeyFile the listener speaks TLS itself
	KeyFile         string `koanf:"key_file"`
	MaxBody         int64  `koanf:"max_body"` // most bytes of a JSON body; default 16 MiB
	// PublicURL is where people reach the console, e.g. https://brevdue.testby.example; access.login needs it.
	PublicURL string `koanf:"public_url"`
}

// Metrics is a listener of its own for /metrics, /healthz and /readyz, in the clear, for a network that only watchers
// reach. A process without the role api has no other.
type Metrics struct {
	Listen string `koanf:"listen"` // default none
}

// Journal is where the truth is kept.
type Journal struct {
	// URL is sqlite:PATH or postgres://USER@HOST:PORT/DATABASE, without a password; default sqlite:brevdue-data/brevdue.db.
	URL string `koanf:"url"`
}

// Queue is the muscle.
type Queue struct {
	URL string `koanf:"url"` // embedded (default), redis://, rediss://, redis-sentinel://, redis-cluster://
}

// Documents is where letters and attachments are kept.
type Documents struct {
	URL string `koanf:"url"` // file:DIR; default file:brevdue-data/documents
}

// Keys is the keyset of encryption at rest. Without a file everything is stored as it is.
type Keys struct {
	File       string `koanf:"file"`        // made by brevdue keys init; whoever loses it has lost the data
	MasterFile string `koanf:"master_file"` // 64 hexadecimal digits that seal the secrets of File
}

// Serviceplatformen is the far end of SF1601.
type Serviceplatformen struct {
	Environment     string `koanf:"environment"` // sim (default), exttest, prod, custom
	STSURL          string `koanf:"sts_url"`     // custom only
	BaseURL         string `koanf:"base_url"`    // custom only
	CAFile          string `koanf:"ca_file"`     // extra trust root, PEM
	CertificateFile string `koanf:"certificate_file"`
	KeyFile         string `koanf:"key_file"`
	PKCS12File      string `koanf:"pkcs12_file"`
	PasswordFile    string `koanf:"password_file"`
	CVR             string `koanf:"cvr"`
	Signature       string `koanf:"signature"`    // detached (default), technical-document, enveloped
	MemoVersion     string `koanf:"memo_version"` // 1.1 (default), 1.2
	KLEVersion      string `koanf:"kle_version"`  // KLEdata/version; default empty
	STS             string `koanf:"sts"`          // how tokens are asked for: rest (default), soap
	// STSCertificateFile holds the certificates, PEM, that may sign SAML tokens; without it their signature is not checked.
	STSCertificateFile string `koanf:"sts_certificate_file"`
}

// Beskedfordeler is the way statuses come back.
type Beskedfordeler struct {
	Mode string `koanf:"mode"` // pull (default), push, off
	// Systems are the ids of your user systems, as RelateretObjekt names them. A status of another system's letter is
	// acknowledged and counted, not kept. Without any, every status that matches no letter is kept in quarantine.
	Systems []string `koanf:"systems"`

	AMQPURL  string `koanf:"amqp_url"`  // pull: amqps://HOST:5671/BF; exttest and prod have theirs by default
	Queue    string `koanf:"queue"`     // pull: the UUID of the dueslag
	EntityID string `koanf:"entity_id"` // pull: whom the SAML token is for; default bfo_modtag/2
	// Consumers is how many connections pull, each one message at a time; default 16. A message waits for its commit, and
	// commits of several cost as much as one.
	Consumers int `koanf:"consumers"`

	Listen          string   `koanf:"listen"` // push: default 127.0.0.1:8445
	CertificateFile string   `koanf:"certificate_file"`
	KeyFile         string   `koanf:"key_file"`
	ClientCAFile    string   `koanf:"client_ca_file"` // who may push
	Subjects        []string `koanf:"subjects"`       // of them: only certificates of these subjects; default all
}

// Sender is a sender profile.
type Sender struct {
	CVR              string       `koanf:"cvr"`
	Label            string       `koanf:"label"`
	Forsendelsestype int          `koanf:"forsendelsestype"`
	From             string       `koanf:"from"`
	ContactPoint     ContactPoint `koanf:"contact_point"`
	Window           string       `koanf:"window"` // of its letters, where the intent names none; default the channel's
}

// ContactPoint is where replies land.
type ContactPoint struct {
	ID    string `koanf:"id"`
	Group string `koanf:"group"`
	Label string `koanf:"label"`
}

// Window is a send window.
type Window struct {
	From     string   `koanf:"from"`     // open at it
	To       string   `koanf:"to"`       // closed at it
	Days     []string `koanf:"days"`     // default every day
	Zone     string   `koanf:"zone"`     // default Europe/Copenhagen
	Holidays string   `koanf:"holidays"` // send (default), skip, next_day: what a holiday takes away opens on the date after it
}

// DefaultRamp is Channel.Ramp where nothing is said: long enough that a night's 30,000 letters leave at 50 a second, short
// enough that a citizen asked to call at nine is not asked at ten. Without any the far end would meet all of them in the
// first second, from every gateway that opens at the same time.
const DefaultRamp = 10 * time.Minute

// Channel is how a channel is used.
type Channel struct {
	Window      string         `koanf:"window"`
	Ramp        *time.Duration `koanf:"ramp"`         // over which what waited for an opening leaves; default DefaultRamp; 0s: none
	Rate        string         `koanf:"rate"`         // e.g. 50/s, 3000/m; default none
	Concurrency int            `koanf:"concurrency"`  // default 20
	OnUnknown   string         `koanf:"on_unknown"`   // resend (default), hold
	UnknownWait time.Duration  `koanf:"unknown_wait"` // default 2m
	GiveUpAfter time.Duration  `koanf:"give_up_after"`
	RetryFirst  time.Duration  `koanf:"retry_first"`
	RetryMax    time.Duration  `koanf:"retry_max"`
	URL         string         `koanf:"url"`       // smtp: smtp://[user@]host[:port]?starttls=...&password_file=...
	AskFirst    string         `koanf:"ask_first"` // digitalpost: never, fallback (default: when the route goes on), always
	NextAfter   time.Duration  `koanf:"next_after"`
	// OverdueAfter is how long a status may take before the message counts as overdue; 0: the default of the channel.
	OverdueAfter time.Duration `koanf:"overdue_after"`
	Farve        string        `koanf:"farve"`     // print: FarveSHKode, Farve or SH; default the print profile's
	Sider        string        `koanf:"sider"`     // print: SimplexDuplexKode
	Kuvert       string        `koanf:"kuvert"`    // print: KuvertTypeKode, C4, C5 or MA
	Kategori     string        `koanf:"kategori"`  // print: PostKategoriKode
	Hastebrev    bool          `koanf:"hastebrev"` // print: HasteBrevIndikator, a quick letter
	Label        string        `koanf:"label"`     // nemsms: MessageHeader/label; default the sender's label
}

// Producer may post intents.
type Producer struct {
	Name        string   `koanf:"name"`
	TokenSHA256 string   `koanf:"token_sha256"` // hex; several separated by a comma while tokens are exchanged
	Tokens      []Token  `koanf:"tokens"`       // more of them, with the day each ends: brevdue token new
	JWT         JWT      `koanf:"jwt"`          // what it is called at an identity provider of access.issuers
	Scopes      []string `koanf:"scopes"`
	Targets     []string `koanf:"targets"` // of the distribution rules: it owns the post that goes to them
	Callback    Callback `koanf:"callback"`
	Rate        string   `koanf:"rate"` // requests over all processes, e.g. 50/s, 3000/m; default none
}

// Callback is where a producer wants to be told of statuses.
type Callback struct {
	URL          string `koanf:"url"`           // https
	SecretFile   string `koanf:"secret_file"`   // whsec_..., one a line: every one signs, so that a secret can be exchanged
	AllowPrivate bool   `koanf:"allow_private"` // addresses of private networks and this machine may be called
	CAFile       string `koanf:"ca_file"`       // extra trust root, PEM
	Concurrency  int    `koanf:"concurrency"`   // calls at a time; default 8

	CertificateFile string `koanf:"certificate_file"` // shown to a receiver that asks for one, PEM
	KeyFile         string `koanf:"key_file"`
}

// Operator is a person who logs in to the console with a password. Where there are more than a few: access.login.
type Operator struct {
	Name         string   `koanf:"name"`
	PasswordHash string   `koanf:"password_hash"` // of brevdue token password
	TokenSHA256  string   `koanf:"token_sha256"`  // instead: hex of the SHA-256 of a random password
	Roles        []string `koanf:"roles"`         // reader (default), operator, administrator, letters
}

// Downloads is where large documents of an e-mail are fetched. Without it they are refused at the door.
type Downloads struct {
	BaseURL string        `koanf:"base_url"` // as recipients reach it, e.g. https://post.testby.example/hent; served at its path
	KeyFile string        `koanf:"key_file"` // 32 random bytes in hex: openssl rand -hex 32
	Life    time.Duration `koanf:"life"`     // how long a link works; default 30 days
}

// Log is how the process speaks.
type Log struct {
	Level  string `koanf:"level"`  // debug, info (default), warn, error
	Format string `koanf:"format"` // json (default), text
}
