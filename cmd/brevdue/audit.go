package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/user"

	"github.com/spf13/cobra"

	"github.com/brevdue/brevdue/cmd/brevdue/config"
	"github.com/brevdue/brevdue/cmd/brevdue/serve"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/audit"
	"github.com/brevdue/brevdue/gateway/journal"
)

// operator is the login of whoever runs this command.
func operator() string {
	u, err := user.Current()
	if err != nil || u.Username == "" {
		return fmt.Sprintf("uid %d", os.Getuid())
	}
	return u.Username
}

// openJournal opens the journal of a configuration file.
func openJournal(ctx context.Context, path string, environ []string) (*config.Config, *journal.Journal, error) {
	cfg, err := config.Load(path, environ)
	if err != nil {
		return nil, nil, err
	}
	k, err := serve.OpenKeys(cfg, false)
	if err != nil {
		return nil, nil, err
	}
	j, err := serve.OpenJournal(ctx, cfg, k, journal.Options{})
	return cfg, j, err
}

// auditCommand is the work with the audit trail.
func auditCommand(t terminal) *cobra.Command {
	group := &cobra.Command{
		Use: "audit", Short: "Verify and export the audit trail",
		Long: "Every entry of the audit trail holds the hash of the one before it, so that no entry can be changed, removed or put in\n" +
			"unseen. Only the end could be cut off: keep what `brevdue audit head` prints elsewhere, and verify against it.",
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	group.AddCommand(auditVerifyCommand(t), auditExportCommand(t), auditHeadCommand(t))
	return group
}

// auditCall is one call of a command about the audit trail.
type auditCall struct {
	terminal
	path    string
	file    string
	asJSON  bool
	reasons bool
	heads   []string
}

// chain opens the journal and calls do.
func (c *auditCall) chain(ctx context.Context, do func(j *journal.Journal) error) error {
	_, j, err := openJournal(ctx, c.path, c.environ)
	if err != nil {
		return err
	}
	return errors.Join(do(j), j.Close())
}

func auditVerifyCommand(t terminal) *cobra.Command {
	c := &auditCall{terminal: t}
	cmd := &cobra.Command{
		Use: "verify", Short: "Walk the audit trail and name the first entry that is broken",
		Long: "Walk the audit trail from its first entry. Exit status 1, and the number of the entry, when one was changed, removed\n" +
			"or put in; with --head also when the end was cut off.",
		Example: "  brevdue audit verify --config brevdue.yaml --head \"$(cat yesterday.head)\"\n" +
			"  brevdue audit verify --file audit.ndjson",
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return c.verify(cmd.Context()) },
	}
	configFlag(cmd, &c.path)
	cmd.Flags().StringVar(&c.file, "file", "", "verify an export instead, - for standard input")
	cmd.Flags().StringArrayVar(&c.heads, "head", nil, "a head that was kept, `NUMBER:HASH`; may be repeated")
	cmd.Flags().BoolVar(&c.asJSON, "json", false, "answer in JSON")
	return cmd
}

func (c *auditCall) verify(ctx context.Context) error {
	kept := make([]gateway.AuditHead, len(c.heads))
	for n, h := range c.heads {
		var err error
		if kept[n], err = audit.ParseHead(h); err != nil {
			return &usageError{err}
		}
	}
	var head gateway.AuditHead
	walk := func(j *journal.Journal) error {
		var err error
		head, err = audit.Verify(ctx, j, kept...)
		return err
	}
	var err error
	if c.file != "" {
		head, err = c.verifyFile(kept)
	} else {
		err = c.chain(ctx, walk)
	}
	if broken, is := errors.AsType[*gateway.AuditBreak](err); is {
		if c.asJSON {
			if err := json.NewEncoder(c.out).Encode(map[string]any{"ok": false, "entry": broken.Seq, "why": broken.Why}); err != nil {
				return err //nolint:wrapcheck // of the terminal
			}
		}
		return fmt.Errorf("entry %d: %s", broken.Seq, broken.Why)
	}
	if err != nil {
		return err
	}
	if c.asJSON {
		good := map[string]any{"ok": true, "entries": head.Seq, "head": audit.FormatHead(head)}
		return json.NewEncoder(c.out).Encode(good) //nolint:wrapcheck // of the terminal
	}
	fmt.Fprintf(c.out, "ok, %d entries\nhead %s\n", head.Seq, audit.FormatHead(head))
	return nil
}

func (c *auditCall) verifyFile(kept []gateway.AuditHead) (gateway.AuditHead, error) {
	in := c.in
	if c.file != "-" {
		f, err := os.Open(c.file)
		if err != nil {
			return gateway.AuditHead{}, err
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	return audit.ReadExport(bufio.NewReader(in), kept...)
}

func auditExportCommand(t terminal) *cobra.Command {
	c := &auditCall{terminal: t}
	cmd := &cobra.Command{
		Use: "export", Short: "Write the audit trail as NDJSON; the last line is its head",
		Long: "Write the audit trail to standard output, one entry a line, and its head as the last line. It is verified meanwhile.\n" +
			"The reasons that people gave are left out unless --reasons is set. That it was exported is written into the trail first.",
		Example: "  brevdue audit export --config brevdue.yaml > audit.ndjson",
		Args:    arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			return c.chain(ctx, func(j *journal.Journal) error {
				if err := noteCommand(ctx, j, "audit.export", "", ""); err != nil {
					return err
				}
				_, err := audit.Export(ctx, j, t.out, c.reasons)
				return err
			})
		},
	}
	configFlag(cmd, &c.path)
	cmd.Flags().BoolVar(&c.reasons, "reasons", false, "with the reasons that people gave, and their salts")
	return cmd
}

// noteCommand writes down what a command does, before it does it.
func noteCommand(ctx context.Context, j *journal.Journal, action, object, reason string) error {
	trail, err := serve.NewTrail(j, "cli")
	if err != nil {
		return err
	}
	return trail.Write(ctx, &gateway.AuditEntry{Who: operator(), How: "cli", Action: action, Object: object, Reason: reason})
}

func auditHeadCommand(t terminal) *cobra.Command {
	c := &auditCall{terminal: t}
	cmd := &cobra.Command{
		Use: "head", Short: "Print the end of the audit trail, to be kept elsewhere",
		Long: "Print number and hash of the last entry. A chain whose end was cut off is a whole chain; only who kept a head, where the\n" +
			"journal's administrator cannot write, can tell. Keep one every day: by mail, in another system, on paper.",
		Example: "  brevdue audit head --config brevdue.yaml | mail -s \"brevdue audit head\" revision@testby.example",
		Args:    arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.chain(cmd.Context(), func(j *journal.Journal) error {
				head, err := j.AuditHead(cmd.Context())
				if err == nil {
					fmt.Fprintln(t.out, audit.FormatHead(head))
				}
				return err
			})
		},
	}
	configFlag(cmd, &c.path)
	return cmd
}
