package sf1601test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
)

// Config is how a Server behaves. The zero value is a usable strict far end on
// a free port of 127.0.0.1 that pushes nothing.
type Config struct {
	// Listen is the address of the services; empty means 127.0.0.1:0.
	Listen string
	// Admin is the address of the plain-HTTP admin listener; empty means none.
	// It has no authentication: keep it on the loopback interface.
	Admin string
	// Authority signs the certificates. Nil means LoadOrCreate(Dir), or one in
	// memory when Dir is empty too.
	Authority *Authority
	// Dir keeps the certificates over restarts; see LoadOrCreate.
	Dir string
	// KeyBits and CVR are those of AuthorityOptions when an authority is made.
	KeyBits int
	CVR     string

	// PushURL is where PKO_PostStatus is posted (the gateway's
	// PostStatusBeskedModtag); empty means statuses are dropped and counted as
	// unrouted. SetPushURL changes it.
	PushURL string
	// Dueslag is the queue that PKO_PostStatus is put into instead, for a
	// gateway that pulls. Set, there is no PushURL, and an authority that is
	// made signs with PKCS #1 (see AuthorityOptions).
	Dueslag Dueslag
	// PushWorkers is how many pushes run at once; zero means 8.
	PushWorkers int
	// PushTimeout bounds one push; zero means 30 s.
	PushTimeout time.Duration
	// PushBackoffMin and PushBackoffMax bound the doubling pause between
	// attempts of one push; zero means 0.2 s and 5 s.
	PushBackoffMin, PushBackoffMax time.Duration
	// MaxPending is how many letters may wait for a status or a push; zero
	// means 100,000. At the limit kombi answers 503: bounded memory, nothing
	// lost.
	MaxPending int

	// MaxBytes is the largest kombi request; zero means 99,500,000.
	MaxBytes int64
	// MaxMessages is how many letters are remembered, for the admin port, for
	// finding duplicates and for two identities; zero means 100,000. The
	// oldest is forgotten first.
	MaxMessages int
	// RefuseDuplicates answers Result=false to a messageUUID that was accepted
	// before. Off, it is accepted again with the same TransmissionID and no
	// new status. What SF1601 does is not published.
	RefuseDuplicates bool
	// FejlKode and FejlTekst are the status of recipients ending in 9993;
	// empty means file.extension.not.allowed and a text of two lines.
	FejlKode, FejlTekst string
	// KanalFysiskPost is the KanalKode in the status of a printed letter; empty
	// means "Fysisk Post", the value of KanalKode in ForsendelseI. What real
	// statuses say is not published.
	KanalFysiskPost string
	// PrintActor is the BeskedAnsvarligAktoer of a printed letter's statuses,
	// the print supplier; empty means beskedfordeler.ActorStraalfors.
	PrintActor string
	// PrintFejlKode and PrintFejlTekst are the status of printed letters to
	// recipients ending in 9993; empty means CodeNotPortrait and its text.
	PrintFejlKode, PrintFejlTekst string
	// Returpost is the body of "Opdatering fra Post Danmark" for recipients
	// ending in 9986. What a real one says is not published.
	Returpost Returpost
	// MaxPrintBytes is the largest printed letter, raw bytes of its PDF; zero
	// means 7 MiB, a public client's limit.
	MaxPrintBytes int64
	// KanalNemSMS is the KanalKode in the status of a NemSMS; empty means
	// "NemSMS". The real value is not published.
	KanalNemSMS string
	// FileExtensions, without dot and in lower case, are what a document's
	// filename may end in; nil checks none, since the official list was not
	// to be had. Others get the status file.extension.not.allowed.
	FileExtensions []string

	// Answers lets recipients ending in 9984 answer what they get in Digital
	// Post: it is given the MeMo of a letter, only borrowed, and returns what
	// sends the answer, which is called once the last status was acknowledged
	// and should end when ctx does; nil for a letter that cannot be answered.
	// Nil answers nothing.
	Answers func(letter []byte) func(ctx context.Context)
	// Inbound serves /inbound on the admin port, where post is sent to the
	// gateway's PostModtag (package sf1606test has it). Nil answers 501.
	Inbound http.Handler

	// Faults are the faults at start; zero fields are as in DefaultFaults.
	// SetFaults changes them.
	Faults Faults
	// Seed of the dice behind fault rates; zero takes a random one. It is
	// logged and shown in Stats.
	Seed uint64
	// Now is the clock; nil means time.Now. Delays are measured by timers.
	Now func() time.Time
	// Random is where UUIDs and tokens come from; nil means crypto/rand.
	Random io.Reader
	// Logger gets start, stop and refused calls, without personal data; nil
	// discards.
	Logger *slog.Logger
}

// Returpost is what the status of a returned letter says beside its
// TransaktionsStatusKode.
type Returpost struct {
	// FejlKode is empty by default; FejlTekst is "sim: returpost".
	FejlKode, FejlTekst string
	// Haendelser are none by default: the meaning of their type codes is not
	// published.
	Haendelser []beskedfordeler.Haendelse
}

// DefaultMaxPrintBytes is the default of Config.MaxPrintBytes: 7 MiB.
// [src: SP-CLIENTS OpenPostbud]
const DefaultMaxPrintBytes = 7 << 20

// DefaultMaxBytes is the size limit of SF1601: 99.5 MB, read as decimal and as
// the size of the whole request, the strictest reading of the published
// "99,5 MB". [src: SF1601-OVERVIEW]
const DefaultMaxBytes = 99_500_000

func orDefault[T comparable](v *T, fallback T) {
	var zero T
	if *v == zero {
		*v = fallback
	}
}

func (c Config) withDefaults() (Config, error) {
	orDefault(&c.Listen, "127.0.0.1:0")
	orDefault(&c.PushWorkers, 8)
	orDefault(&c.PushTimeout, 30*time.Second)
	orDefault(&c.PushBackoffMin, 200*time.Millisecond)
	orDefault(&c.PushBackoffMax, 5*time.Second)
	orDefault(&c.MaxPending, 100_000)
	orDefault(&c.MaxBytes, DefaultMaxBytes)
	orDefault(&c.MaxMessages, 100_000)
	orDefault(&c.FejlKode, CodeFileExtension)
	orDefault(&c.FejlTekst, "The file extension is not allowed\n<File>bilag.exe</File>")
	orDefault(&c.KanalNemSMS, "NemSMS")
	orDefault(&c.KanalFysiskPost, "Fysisk Post")
	orDefault(&c.PrintActor, beskedfordeler.ActorStraalfors)
	orDefault(&c.PrintFejlKode, CodeNotPortrait)
	orDefault(&c.PrintFejlTekst, "The first page of the main document is not A4 portrait")
	if c.Returpost.FejlKode == "" && len(c.Returpost.Haendelser) == 0 {
		orDefault(&c.Returpost.FejlTekst, "sim: returpost")
	}
	orDefault(&c.MaxPrintBytes, DefaultMaxPrintBytes)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	c.Faults = c.Faults.withDefaults()
	if err := c.Faults.validate(); err != nil {
		return c, err
	}
	if c.PushWorkers < 0 || c.MaxPending < 0 || c.MaxMessages < 0 || c.MaxBytes < 0 || c.MaxPrintBytes < 0 {
		return c, errors.New("sf1601test: a limit is negative")
	}
	if c.PushBackoffMax < c.PushBackoffMin {
		return c, errors.New("sf1601test: PushBackoffMax is below PushBackoffMin")
	}
	if err := c.Dueslag.validate(c.PushURL); err != nil {
		return c, err
	}
	return c, checkPushURL(c.PushURL)
}

func checkPushURL(s string) error {
	if s == "" {
		return nil
	}
	u, err := url.Parse(s)
	if err != nil {
		return fmt.Errorf("sf1601test: push URL: %w", err)
	}
	if u.Scheme != "https" || u.Host == "" {
		return errors.New("sf1601test: the push URL must be an absolute https URL")
	}
	return nil
}
