package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/brevdue/brevdue/cmd/brevdue/config"
	"github.com/brevdue/brevdue/cmd/brevdue/serve"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/journal"
	"github.com/brevdue/brevdue/gateway/retention"
)

// retentionCommand is the work of forgetting.
func retentionCommand(t terminal) *cobra.Command {
	group := &cobra.Command{
		Use: "retention", Short: "Erase what is no longer kept, and hold what must be",
		Long: "What is final is erased in stages: documents, then content, then identifiers, after the periods of the configuration\n" +
			"(section retention). Without periods nothing is erased. A process with the role worker does it every night.",
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	group.AddCommand(retentionRunCommand(t), retentionHoldCommand(t), retentionReleaseCommand(t), retentionHoldsCommand(t))
	return group
}

// retentionCall is one call of a command about retention.
type retentionCall struct {
	terminal
	path     string
	dryRun   bool
	asJSON   bool
	all      bool
	reason   string
	producer string
}

// with opens everything and calls do.
func (c *retentionCall) with(ctx context.Context, do func(r *retention.Runner, j *journal.Journal, cfg *config.Config) error) error {
	cfg, err := config.Load(c.path, c.environ)
	if err != nil {
		return err
	}
	k, err := serve.OpenKeys(cfg, false)
	if err != nil {
		return err
	}
	j, err := serve.OpenJournal(ctx, cfg, k, journal.Options{})
	if err != nil {
		return err
	}
	log := newLogger(c.err, cfg.Log)
	return errors.Join(func() error {
		docs, err := serve.OpenDocuments(ctx, cfg, k, log)
		if err != nil {
			return err
		}
		trail, err := serve.NewTrail(j, "cli")
		if err != nil {
			return err
		}
		r, err := serve.NewRetention(cfg, j, docs, trail, log)
		if err != nil {
			return err
		}
		return do(r, j, cfg)
	}(), j.Close())
}

func (c *retentionCall) actor() retention.Actor {
	return retention.Actor{Who: operator(), How: "cli", Reason: c.reason}
}

func retentionRunCommand(t terminal) *cobra.Command {
	c := &retentionCall{terminal: t}
	cmd := &cobra.Command{
		Use: "run", Short: "Erase what is due now",
		Long: "Erase what is due now, beside the processes that serve. It may be stopped at any time; the next run goes on. With\n" +
			"--dry-run it prints what would be erased, by sender and stage, and changes nothing.",
		Example: "  brevdue retention run --config brevdue.yaml --dry-run",
		Args:    arguments(cobra.NoArgs),
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context()) },
	}
	configFlag(cmd, &c.path)
	cmd.Flags().BoolVar(&c.dryRun, "dry-run", false, "print what would be erased")
	cmd.Flags().BoolVar(&c.asJSON, "json", false, "answer in JSON")
	cmd.Flags().StringVar(&c.reason, "reason", "", "`why`, for the audit trail")
	return cmd
}

func (c *retentionCall) run(ctx context.Context) error {
	return c.with(ctx, func(r *retention.Runner, j *journal.Journal, cfg *config.Config) error {
		if policy := cfg.Retention.Policy(); policy.Empty() {
			fmt.Fprintln(c.err, "nothing is ever erased: the configuration has no retention")
		}
		if c.dryRun {
			report, err := r.Plan(ctx)
			if err != nil {
				return err
			}
			return c.print(report, "would be erased")
		}
		report, err := r.Run(ctx, c.actor())
		errPrint := c.print(report, "erased")
		if err == nil {
			if errScrub := j.Scrub(ctx); errScrub != nil {
				fmt.Fprintln(c.err, errScrub)
			}
		}
		if err == nil && report.Failed > 0 {
			err = fmt.Errorf("%d could not be erased", report.Failed)
		}
		return errors.Join(err, errPrint)
	})
}

func (c *retentionCall) print(report *retention.Report, what string) error {
	if c.asJSON {
		lines := make([]map[string]any, len(report.Lines))
		for n, l := range report.Lines {
			lines[n] = map[string]any{
				"sender": l.Sender, "stage": l.Stage.String(), "count": l.Erased, "held": l.Held, "oldest": l.Oldest.Format(time.RFC3339),
			}
		}
		return json.NewEncoder(c.out).Encode(map[string]any{ //nolint:wrapcheck // of the terminal
			"dryRun": c.dryRun, "lines": lines, "uploads": report.Uploads, "documents": report.Removed, "failed": report.Failed,
		})
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	if len(report.Lines) > 0 {
		fmt.Fprintf(w, "sender\tstage\t%s\theld\toldest final status\n", what)
	}
	for _, l := range report.Lines {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\n", l.Sender, l.Stage, l.Erased, l.Held, l.Oldest.Format(time.DateOnly))
	}
	fmt.Fprintf(w, "uploads %s: %d\ndocuments of the store that nothing names any more: %d\n", what, report.Uploads, report.Removed)
	return w.Flush() //nolint:wrapcheck // of the terminal
}

func retentionHoldCommand(t terminal) *cobra.Command {
	c := &retentionCall{terminal: t}
	cmd := &cobra.Command{
		Use: "hold KIND OBJECT", Short: "Keep something from being erased, until it is released",
		Long: "Keep something from being erased, whatever its age. KIND and OBJECT are: intent ID; post ID; reference REFERENCE (with\n" +
			"--producer of that producer alone); recipient NUMBER, a CPR or CVR number, - to read it from standard input and keep\n" +
			"it out of the list of processes. It prints the id of the hold. Reason and number are kept sealed.",
		Example: "  brevdue retention hold intent int_01J... --reason \"klagesag 2026-17\" --config brevdue.yaml\n" +
			"  brevdue retention hold recipient - --reason \"retssag\" --config brevdue.yaml < number",
		Args: arguments(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) error { return c.hold(cmd.Context(), args[0], args[1]) },
	}
	configFlag(cmd, &c.path)
	cmd.Flags().StringVar(&c.reason, "reason", "", "`why`; required")
	cmd.Flags().StringVar(&c.producer, "producer", "", "the producer of a reference")
	return cmd
}

func (c *retentionCall) hold(ctx context.Context, kind, object string) error {
	h := gateway.LegalHold{Kind: gateway.HoldKind(kind), Object: object, Producer: c.producer}
	if h.Kind == gateway.HoldRecipient {
		number := object
		if number == "-" {
			if _, err := fmt.Fscan(c.in, &number); err != nil {
				return &usageError{errors.New("no number on standard input")}
			}
		}
		var err error
		if h.Recipient, err = recipient(number); err != nil {
			return &usageError{err}
		}
		h.Object = ""
	}
	return c.with(ctx, func(r *retention.Runner, _ *journal.Journal, _ *config.Config) error {
		id, err := r.Hold(ctx, c.actor(), h)
		switch {
		case errors.Is(err, retention.ErrReason), errors.Is(err, retention.ErrObject):
			return &usageError{err}
		case err != nil:
			return err
		}
		fmt.Fprintln(c.out, id)
		return nil
	})
}

// errNumber shows nothing of what was given.
var errNumber = errors.New("neither a CPR nor a CVR number")

func recipient(number string) (gateway.Identifier, error) {
	number = strings.ReplaceAll(number, "-", "")
	if id, err := gateway.ParseCPR(number); err == nil {
		return id, nil
	}
	if id, err := gateway.ParseCVR(number); err == nil {
		return id, nil
	}
	return gateway.Identifier{}, errNumber
}

func retentionReleaseCommand(t terminal) *cobra.Command {
	c := &retentionCall{terminal: t}
	cmd := &cobra.Command{
		Use: "release HOLD", Short: "End a hold",
		Example: "  brevdue retention release hold_01J... --reason \"afgjort\" --config brevdue.yaml",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			return c.with(ctx, func(r *retention.Runner, _ *journal.Journal, _ *config.Config) error {
				err := r.Release(ctx, c.actor(), args[0])
				switch {
				case errors.Is(err, retention.ErrReason):
					return &usageError{err}
				case errors.Is(err, gateway.ErrNotFound):
					return errors.New("there is no such hold, or it was released before")
				}
				return err
			})
		},
	}
	configFlag(cmd, &c.path)
	cmd.Flags().StringVar(&c.reason, "reason", "", "`why`; required")
	return cmd
}

func retentionHoldsCommand(t terminal) *cobra.Command {
	c := &retentionCall{terminal: t}
	cmd := &cobra.Command{
		Use: "holds", Short: "List what is held, without the numbers of recipients",
		Example: "  brevdue retention holds --config brevdue.yaml",
		Args:    arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			return c.with(ctx, func(_ *retention.Runner, j *journal.Journal, _ *config.Config) error {
				holds, err := j.Holds(ctx, c.all)
				if err != nil {
					return err
				}
				w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
				for _, h := range holds {
					released := ""
					if !h.ReleasedAt.IsZero() {
						released = "released " + h.ReleasedAt.Format(time.DateOnly) + " by " + h.ReleasedBy
					}
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", h.ID, h.Kind, h.Object, h.At.Format(time.DateOnly),
						h.By, h.Reason, released)
				}
				return w.Flush()
			})
		},
	}
	configFlag(cmd, &c.path)
	cmd.Flags().BoolVar(&c.all, "all", false, "released ones too")
	return cmd
}
