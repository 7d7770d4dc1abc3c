package serve

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"os"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/oklog/ulid/v2"

	"github.com/brevdue/brevdue/channels/digitalpost"
	"github.com/brevdue/brevdue/channels/nemsms"
	"github.com/brevdue/brevdue/channels/smtp"
	"github.com/brevdue/brevdue/cmd/brevdue/config"
	"github.com/brevdue/brevdue/cmd/brevdue/serve/certs"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/journal"
	"github.com/brevdue/brevdue/gateway/queue"
	"github.com/brevdue/brevdue/sf1601"
	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1601/signature"
	"github.com/brevdue/brevdue/sf1601/sts"
	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

// open makes everything that Close will have to close again.
func (a *App) open(ctx context.Context) error {
	var err error
	if a.keys, err = OpenKeys(a.cfg, a.opts.NewKeys); err != nil {
		return err
	}
	a.journal, err = OpenJournal(ctx, a.cfg, a.keys, journal.Options{Create: true, Migrate: a.opts.Migrate, Logger: a.log})
	if errors.Is(err, journal.ErrPendingMigration) {
		return config.Errors{{Key: "journal.url", Text: err.Error(), Hint: "run: brevdue migrate --config FILE"}}
	}
	if err != nil {
		return err
	}
	if a.documents, err = OpenDocuments(ctx, a.cfg, a.keys, a.log); err != nil {
		return err
	}
	if err := a.openTrail(ctx); err != nil {
		return err
	}
	a.queue, err = queue.Open(ctx, queue.Config{
		URL: a.cfg.Queue.URL, TLS: certs.Modern(nil), Secret: rand.Text(), Now: time.Now, Logger: a.log.With("part", "queue"),
	})
	if err != nil {
		return config.Errors{{Key: "queue.url", Text: err.Error(), Hint: "is Redis running, and does it take this user and password?"}}
	}
	if err := a.openClient(); err != nil {
		return err
	}
	if err := a.openDownloads(); err != nil {
		return err
	}
	if err := a.openChannels(); err != nil {
		return err
	}
	if a.gateway, err = a.newGateway(); err != nil {
		return err
	}
	if err := a.openCourier(); err != nil {
		return err
	}
	return a.openInbound()
}

// openClient makes the SF1601 client and its signer, which keeps every signature in the journal before it is used.
func (a *App) openClient() error {
	s := a.cfg.Serviceplatformen
	cert, key, err := a.cfg.Certificate()
	if err != nil {
		return config.Errors{{Key: key, Text: err.Error()}}
	}
	if a.codes, err = a.cfg.Codes(); err != nil {
		return config.Errors{{Key: "codes_file", Text: err.Error()}}
	}
	if err := a.watchSystemCertificate(cert); err != nil {
		return config.Errors{{Key: key, Text: err.Error()}}
	}
	endpoints := sf1601.Endpoints{STS: s.STSURL, Base: s.BaseURL}
	if s.Environment != "custom" {
		if endpoints, err = sf1601.Environment(s.Environment); err != nil {
			return err
		}
	}
	a.signer, err = signature.NewBatcher(signature.BatcherConfig{
		Certificate: cert, NewUUID: uuid.NewString, Now: time.Now, Keep: a.keep,
	})
	if err != nil {
		return err
	}
	cfg := sf1601.Config{
		Endpoints: endpoints, Certificate: cert, CVR: s.CVR, Signature: signature.Mode(s.Signature),
		Signer: a.signer, MemoVersion: memo.Version(s.MemoVersion), Now: time.Now, NewUUID: uuid.NewString,
		Codes: a.codes, STSMode: sts.Mode(s.STS),
		Skeleton: func(ctx context.Context, request *xmlstream.Document) ([]byte, error) {
			return digitalpost.Skeleton(ctx, a.gateway, request)
		},
		MaxConns: max(sf1601.DefaultMaxConns, a.concurrency(digitalpost.Name)+a.concurrency(nemsms.Name)),
	}
	if s.CAFile != "" {
		if cfg.RootCAs, err = config.Pool(s.CAFile, true); err != nil {
			return err
		}
	}
	if s.STSCertificateFile != "" {
		if cfg.STSCertificates, err = config.CertificatesOf(s.STSCertificateFile); err != nil {
			return config.Errors{{Key: "serviceplatformen.sts_certificate_file", Text: err.Error()}}
		}
	}
	a.client, err = sf1601.New(cfg)
	return err
}

// keep stores a signed manifest in the journal.
func (a *App) keep(ctx context.Context, m signature.Manifest) error {
	e := gateway.Evidence{ID: m.ID, XML: m.XML, SignedAt: m.SignedAt, Letters: make([]gateway.EvidenceLetter, len(m.Entries))}
	for n, entry := range m.Entries {
		e.Letters[n] = gateway.EvidenceLetter{AttemptID: entry.Reference, Digest: entry.Digest, Skeleton: entry.Skeleton}
	}
	return a.gateway.KeepEvidence(ctx, e)
}

// keepMail stores a mail that is about to leave in the journal.
func (a *App) keepMail(ctx context.Context, attemptID string, digest [32]byte, parts []gateway.Part) error {
	skeleton, err := a.gateway.Skeleton(ctx, smtp.RequestName, smtp.RequestContentType, parts)
	if err != nil {
		return err
	}
	return a.gateway.KeepRequest(ctx, gateway.Kept{AttemptID: attemptID, Digest: digest, Skeleton: skeleton})
}

func senders(profiles map[string]config.Sender) map[string]gateway.Sender {
	out := make(map[string]gateway.Sender, len(profiles))
	for name, p := range profiles {
		cvr, _ := gateway.ParseCVR(p.CVR) // checked with the configuration
		out[name] = gateway.Sender{
			Name: name, CVR: cvr, Label: p.Label, Forsendelsestype: p.Forsendelsestype, From: p.From,
			ContactPoint: gateway.ContactPoint{ID: p.ContactPoint.ID, Group: p.ContactPoint.Group, Label: p.ContactPoint.Label},
			Window:       p.Window,
		}
	}
	return out
}

// newID makes a sortable, unguessable id: prefix, underscore, ULID.
func newID(prefix string) string { return prefix + "_" + ulid.Make().String() }

// worker names this process among the others, over restarts too.
func worker() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return host + "." + strconv.Itoa(os.Getpid()) + "." + rand.Text()[:8]
}

// discard is the logger of a process that was given none.
func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }
