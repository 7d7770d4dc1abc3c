// Package sim is `brevdue sim`: the far end of SF1601 alone, to try a gateway against.
//
// The job, in the order it happens: [Run] makes or finds the certificates in its folder, writes an example configuration
// for `brevdue serve` beside them, and serves until its context ends.
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
)

// Options are the flags of the command.
type Options struct {
	Listen  string // address of the services
	Admin   string // address of the admin port
	Dir     string // certificates and the example configuration
	PushURL string // where statuses are posted
	AMQP    string // broker into whose queue statuses are put instead; empty: none
	Queue   string // the dueslag there
	Logger  *slog.Logger
}

// ConfigFile is the name of the example configuration in Dir.
const ConfigFile = "brevdue.yaml"

//go:embed brevdue.yaml
var exampleConfig string

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
	server, err := sf1601test.Start(sf1601test.Config{
		Listen: o.Listen, Admin: o.Admin, Dir: o.Dir, PushURL: o.PushURL, PushWorkers: pushWorkers, Logger: o.Logger,
		Dueslag: sf1601test.Dueslag{URL: o.AMQP, Queue: o.Queue},
	})
	if err != nil {
		return fmt.Errorf("start the far end: %w", err)
	}
	defer server.Close()
	wrote, err := writeExample(o.Dir, server.URL())
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "services   %s\nadmin      %s/stats\nstatuses   to %s\n", server.URL(), server.AdminURL(), statuses)
	file := func(name string) string { return filepath.Join(o.Dir, name) }
	fmt.Fprintf(out, "trust      %s\nclient     %s, %s\n",
		file(sf1601test.FileCA), file(sf1601test.FileClient), file(sf1601test.FileClientKey))
	fmt.Fprintf(out, "gateway    brevdue serve --config %s   (%s; token %q)\n", file(ConfigFile), wrote, Token)
	<-ctx.Done()
	return nil
}

// writeExample puts a configuration for this far end into dir, unless there is one, which somebody may have changed.
func writeExample(dir, far string) (string, error) {
	path := filepath.Join(dir, ConfigFile)
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("example configuration: %w", err)
	}
	text := strings.NewReplacer("{{dir}}", abs, "{{far}}", far).Replace(exampleConfig)
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
