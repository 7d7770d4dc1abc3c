package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/brevdue/brevdue/sf1601/memo"
)

func memoCommand(t terminal) *cobra.Command {
	group := &cobra.Command{
		Use: "memo", Short: "Check and show MeMo files, no matter who wrote them", Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	group.AddCommand(memoCheckCommand(t), memoShowCommand(t))
	return group
}

// errFindings is the failure of a check whose findings are printed already.
var errFindings = errors.New("there are findings")

// memoCheck is one call of `memo check`.
type memoCheck struct {
	terminal
	asJSON bool
	fix    string
	failOn string
}

func memoCheckCommand(t terminal) *cobra.Command {
	c := memoCheck{terminal: t}
	cmd := &cobra.Command{
		Use: "check FILE...", Short: "Check MeMo files against the schema and the rules for senders (- is standard input)",
		Long: "Check memo:Message and kombi_request files of MeMo 1.1 and 1.2 against the rules of the schema, what Digital Post\n" +
			"rejects, and what receivers stumble over. A finding has its place, a rule, and the source of the rule:\n" +
			"  error    the schema or an official rule forbids it\n" +
			"  warning  the schema takes it, and a sender must not do it\n" +
			"  note     allowed and unusual; receivers must take it\n" +
			"No value of a message is printed. Exit 1 on errors and warnings (--fail-on decides), 0 when there are only notes.\n" +
			"With --fix a corrected copy is written where the correction is certain, and what is left in it is printed.",
		Example: "  brevdue memo check letter.xml\n  brevdue memo check --json *.xml\n" +
			"  brevdue memo check letter.xml --fix corrected.xml\n  unzip -p letters.zip one.xml | brevdue memo check -",
		Args: arguments(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), args) },
	}
	cmd.Flags().BoolVar(&c.asJSON, "json", false, "answer in JSON")
	cmd.Flags().StringVar(&c.fix, "fix", "", "write a corrected copy to this `file`, which must not exist")
	cmd.Flags().StringVar(&c.failOn, "fail-on", string(memo.SeverityWarning), "the least `severity` that fails: error, warning or note")
	return cmd
}

// checkedFile is the answer about one file.
type checkedFile struct {
	File     string        `json:"file"`
	Version  string        `json:"version"`
	Errors   int           `json:"errors"`
	Warnings int           `json:"warnings"`
	Notes    int           `json:"notes"`
	Omitted  int           `json:"omitted,omitzero"`
	Findings []fileFinding `json:"findings"`
	Fixed    string        `json:"fixed,omitzero"` // the copy that the findings are about
	Changes  []fileChange  `json:"changes,omitzero"`
}

type fileFinding struct {
	Severity memo.Severity `json:"severity"`
	Rule     memo.Rule     `json:"rule"`
	Path     string        `json:"path"`
	Line     int           `json:"line"`
	Column   int           `json:"column"`
	Detail   string        `json:"detail"`
	Source   string        `json:"source"`
	Fixable  bool          `json:"fixable,omitzero"`
}

type fileChange struct {
	Rule   memo.Rule `json:"rule"`
	Path   string    `json:"path"`
	Line   int       `json:"line"`
	Column int       `json:"column"`
	Detail string    `json:"detail"`
}

func (c *memoCheck) run(ctx context.Context, names []string) error {
	worst := []memo.Severity{memo.SeverityError, memo.SeverityWarning, memo.SeverityNote}
	level := slices.Index(worst, memo.Severity(c.failOn))
	switch {
	case level < 0:
		return &usageError{errors.New("--fail-on must be error, warning or note")}
	case c.fix != "" && len(names) > 1:
		return &usageError{errors.New("--fix takes one file at a time")}
	}
	failed := false
	files := []checkedFile{}
	for _, name := range names {
		f, err := c.file(ctx, name)
		if err != nil {
			return err
		}
		files = append(files, f)
		failed = failed || slices.Contains([]bool{f.Errors > 0, f.Warnings > 0, f.Notes > 0}[:level+1], true)
		if !c.asJSON {
			c.print(f)
		}
	}
	if c.asJSON {
		if err := json.NewEncoder(c.out).Encode(map[string]any{"files": files}); err != nil {
			return fmt.Errorf("write: %w", err)
		}
	}
	if failed {
		return errFindings
	}
	return nil
}

// file checks one file, or corrects it and checks the copy.
func (c *memoCheck) file(ctx context.Context, name string) (checkedFile, error) {
	f := checkedFile{File: name}
	checked := name
	if c.fix != "" {
		changes, err := c.correct(ctx, name)
		var broken *memo.ReadError
		switch {
		case errors.As(err, &broken) && name != "-":
			// There is no copy of what is no XML: the check says where it breaks.
		case err != nil:
			return f, err
		default:
			f.Fixed, checked = c.fix, c.fix
			for _, x := range changes {
				f.Changes = append(f.Changes, fileChange{Rule: x.Rule, Path: x.Path, Line: x.Line, Column: x.Column, Detail: x.Detail})
			}
		}
	}
	in, err := openInput(c.in, checked)
	if err != nil {
		return f, err
	}
	defer func() { _ = in.Close() }()
	r, err := memo.Check(ctx, in, memo.CheckOptions{})
	if err != nil {
		return f, fmt.Errorf("%s: %w", checked, err)
	}
	f.Version, f.Errors, f.Warnings, f.Notes, f.Omitted = string(r.Version), r.Errors, r.Warnings, r.Notes, r.Omitted
	f.Findings = []fileFinding{}
	for _, x := range r.Findings {
		f.Findings = append(f.Findings, fileFinding{
			Severity: x.Severity, Rule: x.Rule, Path: x.Path, Line: x.Line, Column: x.Column, Detail: x.Detail, Source: x.Source,
			Fixable: x.Fixable,
		})
	}
	return f, nil
}

// correct writes the corrected copy to a new file, which is gone again when that fails.
func (c *memoCheck) correct(ctx context.Context, name string) ([]memo.Change, error) {
	in, err := openInput(c.in, name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(c.fix, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, &usageError{fmt.Errorf("--fix: %w", err)}
	}
	changes, err := memo.Fix(ctx, in, out)
	if err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	if closed := out.Close(); closed != nil && err == nil {
		err = fmt.Errorf("--fix: %w", closed)
	}
	if err != nil {
		return nil, errors.Join(err, os.Remove(c.fix))
	}
	return changes, nil
}

// print writes the answer about one file for people, in the form that editors can jump by.
func (c *memoCheck) print(f checkedFile) {
	for _, x := range f.Changes {
		fmt.Fprintf(c.out, "%s:%d:%d: fixed: %s [%s]%s\n", f.File, x.Line, x.Column, x.Detail, x.Rule, at(x.Path))
	}
	name := f.File
	if f.Fixed != "" {
		name = f.Fixed
	}
	for _, x := range f.Findings {
		fixable := ""
		if x.Fixable {
			fixable = " (--fix corrects it)"
		}
		fmt.Fprintf(c.out, "%s:%d:%d: %s: %s [%s]%s, by %s%s\n",
			name, x.Line, x.Column, x.Severity, x.Detail, x.Rule, at(x.Path), x.Source, fixable)
	}
	if f.Omitted > 0 {
		fmt.Fprintf(c.out, "%s: %d more findings are not listed\n", name, f.Omitted)
	}
	version := "unknown version"
	if f.Version != "" {
		version = "MeMo " + f.Version
	}
	fmt.Fprintf(c.out, "%s: %s: %d errors, %d warnings, %d notes\n", name, version, f.Errors, f.Warnings, f.Notes)
}

func at(path string) string {
	if path == "" {
		return ""
	}
	return " " + path
}

func memoShowCommand(t terminal) *cobra.Command {
	var open, asJSON bool
	cmd := &cobra.Command{
		Use: "show FILE", Short: "Show what a MeMo file is about (- is standard input)",
		Long: "Show sender, recipient, subject, case, documents and actions of a memo:Message or kombi_request.\n" +
			"CPR numbers and names of persons are masked unless --clear. Times are those of Europe/Copenhagen.",
		Example: "  brevdue memo show letter.xml\n  brevdue memo show --json letter.xml\n  brevdue memo show --clear - < letter.xml",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			zone, err := time.LoadLocation("Europe/Copenhagen")
			if err != nil {
				return fmt.Errorf("zone of the times: %w", err)
			}
			in, err := openInput(t.in, args[0])
			if err != nil {
				return err
			}
			defer func() { _ = in.Close() }()
			k, err := memo.ReadKombi(cmd.Context(), in, memo.ReadOptions{
				Limits: memo.ReadLimits{Size: 1 << 30}, // what is too large to be sent can still be looked at
				Fault: func(e *memo.ReadError) error {
					fmt.Fprintf(t.err, "brevdue: %s: %v (shown without it)\n", args[0], e)
					return nil
				},
			})
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			summary := memo.NewSummary(k, memo.SummaryOptions{Clear: open, Zone: zone})
			if asJSON {
				return json.NewEncoder(t.out).Encode(summary)
			}
			return summary.WriteText(t.out)
		},
	}
	cmd.Flags().BoolVar(&open, "clear", false, "show CPR numbers and names")
	cmd.Flags().BoolVar(&asJSON, "json", false, "answer in JSON")
	return cmd
}

// openInput opens a file, or standard input for -. A file that cannot be opened was named wrongly.
func openInput(in io.Reader, name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(in), nil
	}
	f, err := os.Open(name) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, &usageError{err}
	}
	return f, nil
}
