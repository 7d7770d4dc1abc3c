// Package demo is `brevdue demo`: the whole way of an intent on one machine, without configuration or servers.
//
// The job, in the order it happens: [Run] starts the simulator of Serviceplatformen and a gateway with embedded queue and
// SQLite in one folder, posts the samples through the HTTP API like any producer, follows the event feed and prints each
// step, compares every final status with the one its recipient stands for, and then serves on, or exits with --once. One
// recipient answers: the answer comes in through SF1606 and home to the producer by the distribution rules.
package demo

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/brevdue/brevdue/cmd/brevdue/config"
	"github.com/brevdue/brevdue/cmd/brevdue/serve"
	"github.com/brevdue/brevdue/gateway/httpapi"
	"github.com/brevdue/brevdue/sf1601/sf1601test"
	"github.com/brevdue/brevdue/sf1606"
)

// Options are the flags of the command.
type Options struct {
	Once     bool
	Dir      string
	Listen   string        // wanted address of API and console
	Patience time.Duration // how long the samples may take
	Verbose  bool
	Version  string
}

// ErrUnexpected is returned when a sample did not end as its recipient stands for.
var ErrUnexpected = errors.New("not every sample ended as expected")

const (
	producer = "demo"
	operator = "operator"
)

// stage is everything the demo runs.
type stage struct {
	out      io.Writer
	token    string // of the producer, and the operator's password
	far      *sf1601test.Server
	inbound  post
	mail     *mailbox
	app      *serve.App
	client   *httpapi.Client
	samples  []sample
	patience time.Duration
}

// Run shows the demo. It ends when ctx ends, or after the samples with Once.
func Run(ctx context.Context, out io.Writer, o Options) error {
	s := &stage{out: out, token: rand.Text(), patience: o.Patience}
	if err := s.open(ctx, o); err != nil {
		return err
	}
	defer s.close()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.app.Run(ctx) })
	group.Go(func() error {
		err := s.play(ctx)
		if o.Once || err != nil {
			stop()
			return err
		}
		s.showDoors()
		return nil
	})
	return group.Wait() //nolint:wrapcheck // both goroutines return errors of this program
}

// open starts the far end and opens the gateway.
func (s *stage) open(ctx context.Context, o Options) error {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return fmt.Errorf("--dir: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("--dir: %w", err)
	}
	fmt.Fprintln(s.out, "State in", dir)
	if s.mail, err = openMailbox(ctx); err != nil {
		return err
	}
	far := filepath.Join(dir, "sim")
	if s.far, err = sf1601test.Start(sf1601test.Config{
		Admin: "127.0.0.1:0", Dir: far, Answers: s.inbound.answer, Inbound: http.HandlerFunc(s.inbound.order),
	}); err != nil {
		s.close()
		return fmt.Errorf("start the simulator: %w", err)
	}
	if err := writeRoutes(dir); err != nil {
		s.close()
		return err
	}
	cfg, err := config.Parse(s.configuration(ctx, dir, far, o))
	if err != nil {
		s.close()
		return err
	}
	opts := serve.Options{Version: o.Version, Migrate: true, NewKeys: true, LoginLess: cfg.HTTP.Loopback()}
	opts.Roles, _ = serve.ParseRoles("")
	if o.Verbose {
		opts.Logger = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	if s.app, err = serve.New(ctx, cfg, opts); err != nil {
		s.close()
		return err
	}
	if err := s.far.SetPushURL("https://" + s.app.PushAddress() + serve.PushPath); err != nil {
		s.app.Close()
		s.close()
		return fmt.Errorf("route statuses: %w", err)
	}
	if err := s.inbound.open("https://"+s.app.PostAddress()+sf1606.DefaultPath, s.far); err != nil {
		s.app.Close()
		s.close()
		return err
	}
	s.client = &httpapi.Client{BaseURL: "http://" + s.app.APIAddress(), Token: s.token, HTTP: http.DefaultClient}
	fmt.Fprintf(s.out, "Serviceplatformen (simulated) at %s, gateway at http://%s\n\n", s.far.URL(), s.app.APIAddress())
	return nil
}

// close ends the far ends.
func (s *stage) close() {
	if s.far != nil {
		s.far.Close()
	}
	s.inbound.close()
	s.mail.Close()
}

// configuration is what a file would say.
func (s *stage) configuration(ctx context.Context, dir, far string, o Options) *config.Config {
	hash := sha256.Sum256([]byte(s.token))
	hexHash := hex.EncodeToString(hash[:])
	cert, key, ca := filepath.Join(far, "client.pem"), filepath.Join(far, "client-key.pem"), filepath.Join(far, "ca.pem")
	origin := s.far.URL()
	listen := o.Listen
	if o.Once || !free(ctx, listen) {
		listen = "127.0.0.1:0"
	}
	return &config.Config{
		HTTP:      config.HTTP{Listen: listen},
		Journal:   config.Journal{URL: "sqlite:" + filepath.Join(dir, "brevdue.db")},
		Documents: config.Documents{URL: "file:" + filepath.Join(dir, "documents")},
		Keys:      config.Keys{File: filepath.Join(dir, "keyset.json")},
		Serviceplatformen: config.Serviceplatformen{
			Environment: "custom", STSURL: origin, BaseURL: origin, CAFile: ca, CertificateFile: cert, KeyFile: key, CVR: "55133018",
		},
		Beskedfordeler: config.Beskedfordeler{Mode: "push", Listen: "127.0.0.1:0", CertificateFile: cert, KeyFile: key, ClientCAFile: ca},
		SF1606: config.SF1606{
			Listen: "127.0.0.1:0", CertificateFile: cert, KeyFile: key, ClientCAFile: ca, RoutesFile: filepath.Join(dir, routesFile),
		},
		Senders: map[string]config.Sender{"jobcenter": {
			CVR: "55133018", Label: "Testby Kommune, Jobcenter", From: "jobcenter@testby.example", Forsendelsestype: 4711,
			ContactPoint: config.ContactPoint{ID: "241d39f6-998e-4929-b198-ccacbbf4b330", Group: "22.33.44.55", Label: "Jobcenter"},
		}},
		// A demo should not make anybody wait: quick retries, and a short wait for the status of a lost answer.
		Channels: map[string]config.Channel{
			"digitalpost": {RetryFirst: time.Second, UnknownWait: 10 * time.Second},
			"smtp":        {URL: "smtp://" + s.mail.address},
		},
		Producers: []config.Producer{{
			Name: producer, TokenSHA256: hexHash, Scopes: []string{"intents:write", "intents:read", "inbound:read", "inbound:decide"},
		}},
		Operators: []config.Operator{{Name: operator, TokenSHA256: hexHash, Roles: []string{"operator"}}},
	}
}

// free reports whether nobody listens there.
func free(ctx context.Context, address string) bool {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return false
	}
	_ = l.Close()
	return true
}

func (s *stage) showDoors() {
	base := "http://" + s.app.APIAddress()
	fmt.Fprintf(s.out, `
Still serving; stop with Ctrl-C.
  API      %s/docs        token    %s
  console  %s/console/    without a login on this machine; elsewhere %s, password as the token
  far end  %s/stats and /messages; POST /inbound sends post
Try:  curl -s -H "Authorization: Bearer %s" %s/v1/events
      curl -s -d '{"kind": "new", "count": 10}' %s/inbound
`, base, s.token, base, operator, s.far.AdminURL(), s.token, base, s.far.AdminURL())
}
