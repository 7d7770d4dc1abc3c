// Package sim is `brevdue sim`: the far ends of SF1601 and SF1606 alone, to try a gateway against.
//
// The job, in the order it happens: [Run] makes or finds the certificates in its folder, writes an example configuration
// and distribution rules for `brevdue serve` beside them, and serves until its context ends. What it sends to PostModtag
// is asked for on the admin port, or is the answer of a recipient who answers letters.
package sim

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/brevdue/brevdue/sf1601/sf1601test"
	"github.com/brevdue/brevdue/sf1606"
	"github.com/brevdue/brevdue/sf1606/sf1606test"
)

// Options are the flags of the command.
type Options struct {
	Listen     string // address of the services
	Admin      string // address of the admin port
	Dir        string // certificates and the example configuration
	PushURL    string // where statuses are posted
	PostModtag string // where inbound post is sent
	AMQP       string // broker into whose queue statuses are put instead; empty: none
	Queue      string // the dueslag there
	Logger     *slog.Logger
}

// ConfigFile and RoutesFile are the names of the examples in Dir.
const (
	ConfigFile = "brevdue.yaml"
	RoutesFile = "routes.yaml"
)

//go:embed brevdue.yaml
var exampleConfig string

//go:embed routes.yaml
var exampleRoutes string

// Token is the token of the example configuration's producer, and the password of its operator. It opens nothing but a
// gateway on this machine that somebody started with that example.
const Token = "brevdue-sim" //nolint:gosec // an example, not a secret

// Queue is the dueslag of --amqp when none is named.
const Queue = "c3a1f6de-94d0-4b7e-8a8d-5e0c7b1a9f22"

// pushWorkers lets statuses keep up with the letters of a gateway at full speed.
const pushWorkers = 32

// Run serves until ctx ends.
func Run(ctx context.Context, out io.Writer, o Options) error {
	statuses := o.PushURL
	if o.AMQP != "" {
		o.PushURL, statuses = "", o.AMQP+", queue "+o.Queue
	}
	authority, err := sf1601test.LoadOrCreate(o.Dir, sf1601test.AuthorityOptions{PKCS1: o.AMQP != ""})
	if err != nil {
		return fmt.Errorf("certificates: %w", err)
	}
	sender, err := sf1606test.NewSender(sf1606test.SenderConfig{
		URL: o.PostModtag, Certificate: authority.ServerCertificate(), RootCAs: authority.RootCAs(), Logger: o.Logger,
	})
	if err != nil {
		return fmt.Errorf("--postmodtag: %w", err)
	}
	defer sender.Close()
	letters := sf1606test.NewLetters(sf1606test.LettersConfig{})
	server, err := sf1601test.Start(sf1601test.Config{
		Listen: o.Listen, Admin: o.Admin, Authority: authority, PushURL: o.PushURL, PushWorkers: pushWorkers, Logger: o.Logger,
		Dueslag: sf1601test.Dueslag{URL: o.AMQP, Queue: o.Queue},
		Answers: sf1606test.NewCitizen(sender, letters).Answer, Inbound: sf1606test.Admin(sender, letters),
	})
	if err != nil {
		return fmt.Errorf("start the far end: %w", err)
	}
	defer server.Close()
	wrote, err := writeExamples(o.Dir, server.URL())
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "services   %s\nadmin      %s/stats\nstatuses   to %s\ninbound    to %s   (POST %s/inbound)\n",
		server.URL(), server.AdminURL(), statuses, o.PostModtag, server.AdminURL())
	file := func(name string) string { return filepath.Join(o.Dir, name) }
	fmt.Fprintf(out, "trust      %s\nclient     %s, %s\n",
		file(sf1601test.FileCA), file(sf1601test.FileClient), file(sf1601test.FileClientKey))
	fmt.Fprintf(out, "gateway    brevdue serve --config %s   (%s; token %q)\n", file(ConfigFile), wrote, Token)
	<-ctx.Done()
	return nil
}

// writeExamples puts a configuration for this far end and distribution rules into dir, and tells what became of the former.
func writeExamples(dir, far string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("example configuration: %w", err)
	}
	for _, name := range []string{"esdh", "desk"} { // the targets of the rules
		if err := os.MkdirAll(filepath.Join(abs, "inbox", name), 0o750); err != nil {
			return "", fmt.Errorf("folders of the example: %w", err)
		}
	}
	words := strings.NewReplacer("{{dir}}", abs, "{{far}}", far, "{{path}}", sf1606.DefaultPath)
	if _, err := writeExample(filepath.Join(abs, RoutesFile), words.Replace(exampleRoutes)); err != nil {
		return "", err
	}
	return writeExample(filepath.Join(abs, ConfigFile), words.Replace(exampleConfig))
}

// writeExample writes a file, unless there is one, which somebody may have changed.
func writeExample(path, text string) (string, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // the user names the folder
	if errors.Is(err, fs.ErrExist) {
		return "kept as it was", nil
	}
	if err != nil {
		return "", fmt.Errorf("example configuration: %w", err)
	}
	_, err = f.WriteString(text)
	return "written", errors.Join(err, f.Close())
}
