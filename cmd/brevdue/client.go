package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/spf13/cobra"

	"github.com/brevdue/brevdue/gateway/httpapi"
)

// connection is where the API is and who we are to it.
type connection struct {
	url, tokenFile string
	asJSON         bool
}

func (c *connection) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.url, "url", "", "address of the API (default $BREVDUE_URL, or http://127.0.0.1:8080)")
	cmd.Flags().StringVar(&c.tokenFile, "token-file", "", "`file` with the producer's token (default $BREVDUE_TOKEN)")
	cmd.Flags().BoolVar(&c.asJSON, "json", false, "answer in JSON")
}

// client makes the API client. A token is never taken from the command line, where others could read it.
func (c *connection) client(t terminal) (*httpapi.Client, error) {
	url, token := c.url, lookup(t.environ, "BREVDUE_TOKEN")
	if url == "" {
		url = lookup(t.environ, "BREVDUE_URL")
	}
	if url == "" {
		url = "http://127.0.0.1:8080"
	}
	if c.tokenFile != "" {
		raw, err := os.ReadFile(c.tokenFile)
		if err != nil {
			return nil, &usageError{fmt.Errorf("--token-file: %w", err)}
		}
		token = strings.TrimSpace(string(raw))
	}
	if token == "" {
		return nil, &usageError{errors.New("no token: set BREVDUE_TOKEN or use --token-file")}
	}
	return &httpapi.Client{BaseURL: url, Token: token, HTTP: &http.Client{Timeout: 10 * time.Minute}}, nil
}

func lookup(environ []string, name string) string {
	for _, entry := range environ {
		if value, found := strings.CutPrefix(entry, name+"="); found {
			return value
		}
	}
	return ""
}

func sendCommand(t terminal) *cobra.Command {
	var c connection
	var attach []string
	cmd := &cobra.Command{
		Use: "send FILE", Short: "Post an intent (a JSON file, or - for standard input)",
		Long: "Post an intent. Files given with --document are uploaded first and become the letter's documents, " +
			"in order: the first one is the main document.",
		Example: "  brevdue send intent.json --document Indkaldelse.pdf\n  brevdue send - < intent.json",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := c.client(t)
			if err != nil {
				return err
			}
			intent, err := readIntent(t.in, args[0])
			if err != nil {
				return err
			}
			for _, name := range attach {
				doc, err := upload(cmd, client, name)
				if err != nil {
					return err
				}
				intent.Content.Documents = append(intent.Content.Documents, doc)
			}
			answer, err := client.PostIntent(cmd.Context(), intent)
			if err != nil {
				return apiError(err)
			}
			if c.asJSON {
				return json.NewEncoder(t.out).Encode(answer)
			}
			fmt.Fprintln(t.out, answer.ID, answer.Status)
			for _, m := range answer.Messages {
				fmt.Fprintln(t.out, " ", m.ID, m.Channel, m.Status)
			}
			return nil
		},
	}
	c.flags(cmd)
	cmd.Flags().StringArrayVar(&attach, "document", nil, "`file` to send along; may be repeated")
	return cmd
}

func readIntent(stdin io.Reader, name string) (*httpapi.IntentRequest, error) {
	in := stdin
	if name != "-" {
		f, err := os.Open(name) //nolint:gosec // the user names the file
		if err != nil {
			return nil, &usageError{err}
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	var intent httpapi.IntentRequest
	if err := jsonv2.UnmarshalRead(in, &intent, jsonv2.RejectUnknownMembers(true)); err != nil {
		return nil, &usageError{fmt.Errorf("%s: %w", name, err)}
	}
	return &intent, nil
}

func upload(cmd *cobra.Command, client *httpapi.Client, name string) (httpapi.DocumentRequest, error) {
	f, err := os.Open(name) //nolint:gosec // the user names the file
	if err != nil {
		return httpapi.DocumentRequest{}, &usageError{err}
	}
	defer func() { _ = f.Close() }()
	base := name[strings.LastIndexByte(name, '/')+1:]
	answer, err := client.UploadDocument(cmd.Context(), base, f)
	if err != nil {
		return httpapi.DocumentRequest{}, fmt.Errorf("%s: %w", name, apiError(err))
	}
	return httpapi.DocumentRequest{Document: answer.ID, Filename: base}, nil
}

func statusCommand(t terminal) *cobra.Command {
	var c connection
	cmd := &cobra.Command{
		Use: "status ID", Short: "Show an intent, its messages and their events",
		Example: "  brevdue status int_01JDPZ5X9V1N6K8T4Q2W3E7R5Y",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := c.client(t)
			if err != nil {
				return err
			}
			view, err := client.Intent(cmd.Context(), args[0])
			if err != nil {
				return apiError(err)
			}
			if c.asJSON {
				return json.NewEncoder(t.out).Encode(view)
			}
			return printIntent(t.out, view)
		},
	}
	c.flags(cmd)
	return cmd
}

func printIntent(w io.Writer, view *httpapi.IntentView) error {
	fmt.Fprintf(w, "%s  %s  %s\n", view.ID, view.Reference, view.Status)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, m := range view.Messages {
		fmt.Fprintf(table, "\n%s\t%s\t%s\t%s\n", m.ID, m.Channel, m.Status, m.MessageUUID)
		for _, e := range m.Events {
			at := e.Time.Local().Format(time.DateTime) //nolint:gosmopolitan // for a person at this terminal
			fmt.Fprintf(table, "  %s\t%s\t%s\t%s\n", at, e.Status, e.Code, strings.ReplaceAll(e.Text, "\n", " / "))
		}
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

func cancelCommand(t terminal) *cobra.Command {
	var c connection
	cmd := &cobra.Command{
		Use: "cancel ID", Short: "Withdraw an intent that has not left",
		Example: "  brevdue cancel int_01JDPZ5X9V1N6K8T4Q2W3E7R5Y",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := c.client(t)
			if err != nil {
				return err
			}
			answer, err := client.Cancel(cmd.Context(), args[0])
			if err != nil {
				return apiError(err)
			}
			if c.asJSON {
				return json.NewEncoder(t.out).Encode(answer)
			}
			_, err = fmt.Fprintln(t.out, answer.ID, answer.Status)
			return err
		},
	}
	c.flags(cmd)
	return cmd
}

// apiError prints every finding of a problem on a line of its own.
func apiError(err error) error {
	var p *httpapi.Problem
	if !errors.As(err, &p) || len(p.Errors) == 0 {
		return err
	}
	lines := []string{err.Error()}
	for _, f := range p.Errors {
		lines = append(lines, fmt.Sprintf("  %s: %s (%s)", f.Pointer, f.Detail, f.Code))
	}
	return fmt.Errorf("%s%w", strings.Join(lines, "\n"), silent{err})
}

// silent carries an error for errors.As without printing it again.
type silent struct{ error }

func (silent) Error() string   { return "" }
func (s silent) Unwrap() error { return s.error }
