package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/brevdue/brevdue/gateway/routing"
	"github.com/brevdue/brevdue/sf1601/memo"
)

func routesCommand(t terminal) *cobra.Command {
	group := &cobra.Command{
		Use: "routes", Short: "Try the distribution rules of received post before they are used", Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	group.AddCommand(routesTestCommand(t), routesCheckCommand(t))
	return group
}

// routesTest is one call of `routes test`.
type routesTest struct {
	terminal
	asJSON bool
	routes string
	ours   string // the producer that sent what the files answer
}

func routesTestCommand(t terminal) *cobra.Command {
	c := routesTest{terminal: t}
	cmd := &cobra.Command{
		Use: "test FILE...", Short: "Tell which rule takes a MeMo file, and why the rules before it do not (- is standard input)",
		Long: "Tell which rule of routes.yaml takes a received message, where it is brought, what takes over when that target\n" +
			"refuses, and for every rule before it which conditions failed. Nothing is sent, and nothing that identifies a person\n" +
			"is printed.\n" +
			"Whether a reply answers a message of ours is known to the journal only: say it with --reply-to-ours.",
		Example: "  brevdue routes test letter.xml --routes routes.yaml\n" +
			"  brevdue routes test reply.xml --routes routes.yaml --reply-to-ours fagsystem\n" +
			"  brevdue routes test --json *.xml",
		Args: arguments(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), args) },
	}
	cmd.Flags().BoolVar(&c.asJSON, "json", false, "answer in JSON")
	cmd.Flags().StringVar(&c.routes, "routes", "routes.yaml", "the rules `file`")
	cmd.Flags().StringVar(&c.ours, "reply-to-ours", "", "the files answer messages that this `producer` sent")
	return cmd
}

// testedFile is the answer about one file.
type testedFile struct {
	File   string       `json:"file"`
	Rule   string       `json:"rule"` // "" is the default
	Place  string       `json:"place"`
	Target string       `json:"target"`
	Next   []string     `json:"next"`
	Reply  string       `json:"reply"` // none, other, ours
	Steps  []testedStep `json:"steps"`
}

type testedStep struct {
	Rule  string         `json:"rule"`
	Place string         `json:"place"`
	Taken bool           `json:"taken"`
	Why   []testedReason `json:"why,omitzero"`
}

type testedReason struct {
	Key  string `json:"key"`
	Text string `json:"text"`
}

func (c *routesTest) run(ctx context.Context, names []string) error {
	rules, err := loadRoutes(c.routes)
	if problems, ok := errors.AsType[routing.Problems](err); ok {
		return &usageError{fmt.Errorf("%s cannot be used:\n%s", c.routes, strings.Join(problemLines(c.routes, problems), "\n"))}
	}
	if err != nil {
		return err
	}
	files := make([]testedFile, 0, len(names))
	for _, name := range names {
		facts, err := c.facts(ctx, name)
		if err != nil {
			return err
		}
		f := explained(name, rules, facts)
		if files = append(files, f); !c.asJSON {
			c.print(f, rules)
		}
	}
	if !c.asJSON {
		return nil
	}
	return writeJSON(c.out, map[string]any{"files": files})
}

// facts reads one file.
func (c *routesTest) facts(ctx context.Context, name string) (routing.Facts, error) {
	in, err := openInput(c.in, name)
	if err != nil {
		return routing.Facts{}, err
	}
	defer func() { _ = in.Close() }()
	k, err := memo.ReadKombi(ctx, in, memo.ReadOptions{})
	switch {
	case err != nil:
		return routing.Facts{}, fmt.Errorf("%s: %w", name, err)
	case k.Message == nil:
		return routing.Facts{}, fmt.Errorf("%s: there is no memo:Message in it", name)
	case c.ours != "" && len(k.Message.Header.ReplyData) == 0:
		return routing.Facts{}, &usageError{fmt.Errorf("--reply-to-ours: %s answers nothing, it has no ReplyData", name)}
	}
	return routing.FactsOf(k.Message, routing.Correlation{Ours: c.ours != "", Producer: c.ours}), nil
}

func explained(name string, rules *routing.Rules, facts routing.Facts) testedFile {
	e := rules.Explain(facts)
	f := testedFile{
		File: name, Rule: e.Rule, Target: e.Target, Next: append([]string{}, e.Next...), Reply: string(facts.Reply),
		Place: rules.Default().Place.String(), Steps: []testedStep{},
	}
	for _, s := range e.Steps {
		step := testedStep{Rule: s.Rule, Place: s.Place.String(), Taken: s.Taken}
		for _, w := range s.Why {
			step.Why = append(step.Why, testedReason{Key: w.Key, Text: w.Text})
		}
		if f.Steps = append(f.Steps, step); s.Taken {
			f.Place = step.Place
		}
	}
	return f
}

// print writes the answer about one file for people, in the form that editors can jump by.
func (c *routesTest) print(f testedFile, rules *routing.Rules) {
	by := "rule " + f.Rule
	if f.Rule == "" {
		by = "the default"
	}
	fmt.Fprintf(c.out, "%s: taken by %s (%s:%s), brought to %s\n", f.File, by, c.routes, f.Place, targetWords(rules, f.Target, c.ours))
	if len(f.Next) > 0 {
		fmt.Fprintf(c.out, "  when refused: %s, then a person decides\n", strings.Join(f.Next, ", "))
	} else {
		fmt.Fprintln(c.out, "  when refused: a person decides")
	}
	if f.Reply == string(routing.ReplyOther) {
		fmt.Fprintln(c.out, "  it is a reply; with --reply-to-ours PRODUCER it is one to a message of ours")
	}
	for _, s := range f.Steps {
		for n, w := range s.Why {
			if n == 0 {
				fmt.Fprintf(c.out, "  not by rule %s (%s:%s)\n", s.Rule, c.routes, s.Place)
			}
			fmt.Fprintf(c.out, "    %s: %s\n", w.Key, w.Text)
		}
	}
}

// targetWords names a target and what sort of place it is.
func targetWords(rules *routing.Rules, name, producer string) string {
	t, _ := rules.Target(name)
	switch t.Kind {
	case routing.Folder:
		return name + " (folder " + t.Folder + ")"
	case routing.URL:
		return name + " (" + t.URL + ", " + t.Format + ")"
	case routing.Mail:
		return name + " (mail to " + t.Address + ")"
	case routing.AMQP:
		return name + " (broker " + t.URL + ", " + t.Format + ")"
	case routing.Producer:
		if producer != "" {
			return "the producer " + producer
		}
		return "the producer that sent what is answered"
	}
	return name
}

// routesCheck is one call of `routes check`.
type routesCheck struct {
	terminal
	asJSON bool
	routes string
}

func routesCheckCommand(t terminal) *cobra.Command {
	c := routesCheck{terminal: t}
	cmd := &cobra.Command{
		Use: "check", Short: "Find what is wrong in a rules file, and rules that no message reaches",
		Long: "Check routes.yaml: unknown keys and targets, rules that no message reaches, rules that both want a message,\n" +
			"targets that nothing leads to or that hand over in a circle.\n" +
			"  error    the file cannot be used, or does not do what it says\n" +
			"  warning  probably not what is meant\n" +
			"  note     allowed and good to know, such as two rules that some message meets\n" +
			"Unreachable is said only where it is proven, and overlapping only with an example. Exit 1 on errors.",
		Example: "  brevdue routes check --routes routes.yaml\n  brevdue routes check --json",
		Args:    arguments(cobra.NoArgs),
		RunE:    func(*cobra.Command, []string) error { return c.run() },
	}
	cmd.Flags().BoolVar(&c.asJSON, "json", false, "answer in JSON")
	cmd.Flags().StringVar(&c.routes, "routes", "routes.yaml", "the rules `file`")
	return cmd
}

// checkedRoutes is the answer about a rules file.
type checkedRoutes struct {
	File     string          `json:"file"`
	Rules    int             `json:"rules"`
	Targets  int             `json:"targets"`
	Errors   int             `json:"errors"`
	Warnings int             `json:"warnings"`
	Notes    int             `json:"notes"`
	Findings []routesFinding `json:"findings"`
}

type routesFinding struct {
	Severity routing.Severity    `json:"severity"`
	Code     routing.FindingCode `json:"code"` // "problem": the file cannot be used
	Line     int                 `json:"line"`
	Column   int                 `json:"column"`
	Key      string              `json:"key,omitzero"`
	Rule     string              `json:"rule,omitzero"`
	Others   []string            `json:"others,omitzero"`
	Target   string              `json:"target,omitzero"`
	Text     string              `json:"text"`
	Hint     string              `json:"hint,omitzero"`
	Example  string              `json:"example,omitzero"`
}

func (c *routesCheck) run() error {
	rules, err := loadRoutes(c.routes)
	problems, broken := errors.AsType[routing.Problems](err)
	if err != nil && !broken {
		return err
	}
	answer := checkedRoutes{File: c.routes, Errors: len(problems), Findings: []routesFinding{}}
	for _, p := range problems {
		answer.Findings = append(answer.Findings, routesFinding{
			Severity: routing.Error, Code: "problem", Line: p.Place.Line, Column: p.Place.Column, Key: p.Key, Text: p.Text, Hint: p.Hint,
		})
	}
	if rules != nil {
		answer.take(rules)
	}
	if c.asJSON {
		err = writeJSON(c.out, answer)
	} else {
		c.print(answer, problems)
		err = nil
	}
	if err == nil && answer.Errors > 0 {
		err = errFindings
	}
	return err
}

// take checks rules that can be used.
func (a *checkedRoutes) take(rules *routing.Rules) {
	a.Rules, a.Targets = len(rules.Rules()), len(rules.Targets())
	for _, f := range rules.Check() {
		switch f.Severity {
		case routing.Error:
			a.Errors++
		case routing.Warning:
			a.Warnings++
		case routing.Note:
			a.Notes++
		}
		a.Findings = append(a.Findings, routesFinding{
			Severity: f.Severity, Code: f.Code, Line: f.Place.Line, Column: f.Place.Column, Rule: f.Rule, Others: slices.Clone(f.Others),
			Target: f.Target, Text: f.Text, Hint: f.Hint, Example: f.Example,
		})
	}
}

// print writes the answer for people, in the form that editors can jump by.
func (c *routesCheck) print(a checkedRoutes, problems routing.Problems) {
	for _, line := range problemLines(c.routes, problems) {
		fmt.Fprintln(c.out, line)
	}
	for _, f := range a.Findings[len(problems):] {
		about := ""
		if f.Rule != "" {
			about = "rule " + f.Rule + ": "
		}
		hint := ""
		if f.Hint != "" {
			hint = " (" + f.Hint + ")"
		}
		fmt.Fprintf(c.out, "%s:%d:%d: %s: %s%s%s [%s]\n", c.routes, f.Line, f.Column, f.Severity, about, f.Text, hint, f.Code)
		if f.Example != "" {
			fmt.Fprintf(c.out, "    e.g. %s\n", f.Example)
		}
	}
	if len(problems) > 0 {
		fmt.Fprintf(c.out, "%s: cannot be used: %d errors; the rules themselves were not looked at\n", c.routes, a.Errors)
		return
	}
	fmt.Fprintf(c.out, "%s: %d rules, %d targets: %d errors, %d warnings, %d notes\n",
		c.routes, a.Rules, a.Targets, a.Errors, a.Warnings, a.Notes)
}

// loadRoutes reads the rules. A file that cannot be opened was named wrongly.
func loadRoutes(name string) (*routing.Rules, error) {
	rules, err := routing.Load(name)
	if _, broken := errors.AsType[routing.Problems](err); err != nil && !broken {
		return nil, &usageError{fmt.Errorf("--routes: %w", err)}
	}
	return rules, err
}

// problemLines writes the problems of a rules file in the form that editors can jump by.
func problemLines(file string, problems routing.Problems) []string {
	lines := make([]string, len(problems))
	for n, p := range problems {
		at := p.Place
		p.Place = routing.Place{}
		lines[n] = fmt.Sprintf("%s:%s: error: %s", file, at, p.Error())
	}
	return lines
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}
