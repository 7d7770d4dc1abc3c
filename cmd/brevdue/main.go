// Command brevdue is a channel gateway for Danish public authorities: what a citizen or company must be told goes in as an
// intent, and leaves as a signed Digital Post letter whose status comes back.
//
// It is one binary. `brevdue demo` shows the whole way on one machine without any configuration, `brevdue serve` is the
// gateway, `brevdue sim` the far end to try it against; send, status and cancel are the HTTP API from the command line.
// No rules live here: configuration, wiring, signals and words for people.
//
// Exit status: 0 it worked, 1 it failed, 2 it was used wrongly (an unknown flag, a configuration error).
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/brevdue/brevdue/cmd/brevdue/config"
)

// version is set by the build (-ldflags "-X main.version=...").
var version = "dev"

// The exit codes.
const (
	exitOK = iota
	exitFailed
	exitUsage
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], terminal{in: os.Stdin, out: os.Stdout, err: os.Stderr, environ: os.Environ()})
	stop()
	os.Exit(code)
}

// terminal is what a command talks to.
type terminal struct {
	in      io.Reader
	out     io.Writer
	err     io.Writer
	environ []string
}

// run executes one command line and returns the exit code.
func run(ctx context.Context, args []string, t terminal) int {
	root := newRoot(t)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	fmt.Fprintln(t.err, "brevdue:", err)
	var usage *usageError
	var wrong config.Errors
	if errors.As(err, &usage) || errors.As(err, &wrong) {
		return exitUsage
	}
	return exitFailed
}

// usageError marks a wrong command line.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// newRoot builds the command tree.
func newRoot(t terminal) *cobra.Command {
	root := &cobra.Command{
		Use: "brevdue", Short: "Channel gateway for Danish public authorities",
		Long:         "brevdue turns what a citizen or company must be told into a signed Digital Post letter and brings its status back.",
		Example:      "  brevdue demo\n  brevdue serve --config brevdue.yaml\n  brevdue send intent.json",
		SilenceUsage: true, SilenceErrors: true, Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(t.in)
	root.SetOut(t.out)
	root.SetErr(t.err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &usageError{fmt.Errorf("%w (see %s --help)", err, cmd.CommandPath())}
	})
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(
		demoCommand(t), serveCommand(t), simCommand(t), sendCommand(t), statusCommand(t), cancelCommand(t), lookupCommand(t),
		evidenceCommand(t), verifyCommand(t), migrateCommand(t), backupCommand(t), restoreCommand(t), configCommand(t), keysCommand(t),
		memoCommand(t), routesCommand(t), tokenCommand(t), auditCommand(t), retentionCommand(t), versionCommand(t),
	)
	return root
}

// arguments makes a usage error of a wrong number of arguments.
func arguments(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return &usageError{fmt.Errorf("%w (see %s --help)", err, cmd.CommandPath())}
		}
		return nil
	}
}
