package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/brevdue/brevdue/cmd/brevdue/config"
	"github.com/brevdue/brevdue/gateway/evidence"
)

// verification is one call of `verify`.
type verification struct {
	terminal
	ca     string
	asJSON bool
}

func verifyCommand(t terminal) *cobra.Command {
	v := verification{terminal: t}
	cmd := &cobra.Command{
		Use: "verify FILE", Short: "Verify the evidence of a letter",
		Long: "Verify an .asice file: that not a byte of it was changed, who signed it, and that request, signatures, receipts and\n" +
			"timeline tell one story about one letter. Every check is printed; one that fails names the file it is about.\n" +
			"\n" +
			"The file itself says who signed it. Whom to believe is yours to say: --ca names the root certificates, e.g. that of\n" +
			"\"Den Danske Stat OCES rod-CA\". Without it nobody is trusted, and the answer is no.\n" +
			"\n" +
			"Exit 0 when all of it holds, 1 when anything does not, 2 when the file cannot be opened.",
		Example: "  brevdue verify msg_01JDPZ5X9V1N6K8T4Q2W3E7R5Y.asice --ca oces-rod.pem\n" +
			"  brevdue verify --json --ca oces-rod.pem letter.asice",
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error { return v.run(cmd.Context(), args[0]) },
	}
	cmd.Flags().StringVar(&v.ca, "ca", "", "PEM `file` with the root certificates that are trusted")
	cmd.Flags().BoolVar(&v.asJSON, "json", false, "answer in JSON")
	return cmd
}

// errNotVerified is the failure of a verification whose checks are printed already.
var errNotVerified = errors.New("the evidence does not hold")

func (v *verification) run(ctx context.Context, name string) error {
	var trust evidence.Trust
	if v.ca != "" {
		roots, err := config.Pool(v.ca, false)
		if err != nil {
			return &usageError{fmt.Errorf("--ca: %w", err)}
		}
		trust.Roots = roots
	}
	f, err := os.Open(name) //nolint:gosec // the user names the file
	if err != nil {
		return &usageError{err}
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return &usageError{err}
	}
	if !info.Mode().IsRegular() {
		return &usageError{fmt.Errorf("%s is not a file", name)}
	}
	report, err := evidence.Verify(ctx, f, info.Size(), trust)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if v.asJSON {
		err = v.printJSON(name, report)
	} else {
		err = v.print(name, report)
	}
	if err != nil {
		return err
	}
	if !report.OK() {
		if v.ca == "" {
			return fmt.Errorf("%w: nobody is trusted, give --ca", errNotVerified)
		}
		return errNotVerified
	}
	return nil
}

// verified is the answer in JSON.
type verified struct {
	File        string           `json:"file"`
	Verified    bool             `json:"verified"`
	Message     string           `json:"message,omitzero"`
	MessageUUID string           `json:"messageUUID,omitzero"`
	Delivered   time.Time        `json:"delivered,omitzero"` // of evidence that holds only
	Posted      bool             `json:"posted,omitzero"`    // delivered is when the post got a letter on paper
	SignedAt    time.Time        `json:"signedAt,omitzero"`
	Signer      string           `json:"signer,omitzero"`
	Checks      []evidence.Check `json:"checks"`
}

func (v *verification) printJSON(name string, r *evidence.Report) error {
	out := verified{
		File: name, Verified: r.OK(), Message: r.MessageID, MessageUUID: r.MessageUUID, SignedAt: r.SignedAt, Signer: r.Signer,
		Checks: r.Checks,
	}
	if r.OK() {
		out.Delivered, out.Posted = r.Delivered, r.Posted
	}
	if err := json.NewEncoder(v.out).Encode(out); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// print writes the verdict, then what it rests on.
func (v *verification) print(name string, r *evidence.Report) error {
	zone, err := time.LoadLocation("Europe/Copenhagen")
	if err != nil {
		return fmt.Errorf("zone of the times: %w", err)
	}
	danish := func(at time.Time) string { return at.In(zone).Format("2006-01-02 15:04:05 MST") }
	failed := len(r.Failures())
	switch {
	case !r.OK():
		fmt.Fprintf(v.out, "%s: NOT VERIFIED: %d of %d checks failed\n", name, failed, len(r.Checks))
	case r.Delivered.IsZero():
		fmt.Fprintf(v.out, "%s: verified. No receipt of delivery is in it\n", name)
	case r.Posted:
		fmt.Fprintf(v.out, "%s: verified. A letter on paper, handed to the post %s\n", name, danish(r.Delivered))
	default:
		fmt.Fprintf(v.out, "%s: verified. Delivered (Afleveret) %s\n", name, danish(r.Delivered))
	}
	if r.MessageID != "" {
		fmt.Fprintf(v.out, "message %s, messageUUID %s\n", r.MessageID, r.MessageUUID)
	}
	if r.Signer != "" {
		fmt.Fprintf(v.out, "signed %s by %s\n", danish(r.SignedAt), r.Signer)
	}
	table := tabwriter.NewWriter(v.out, 0, 0, 2, ' ', 0)
	for _, c := range r.Checks {
		word := "ok"
		if !c.Passed {
			word = "FAILED"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", word, c.Rule, c.File, c.Text)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}
