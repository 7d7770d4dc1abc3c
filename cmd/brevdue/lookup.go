package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/brevdue/brevdue/gateway/httpapi"
)

// errNotAll is returned when some lines could not be looked up.
var errNotAll = errors.New("not every line could be looked up")

func lookupCommand(t terminal) *cobra.Command {
	var c connection
	var service string
	cmd := &cobra.Command{
		Use: "lookup FILE", Short: "Ask who is registered for Digital Post or NemSMS",
		Long: "Ask who is registered: one CPR or CVR number a line, from a file or - for standard input. Numbers are never\n" +
			"taken from the command line, where others could read them, and never printed: the answer names the line.",
		Example: "  brevdue lookup recipients.txt\n  brevdue lookup --service nemsms - < recipients.txt",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if service != "digitalpost" && service != "nemsms" {
				return &usageError{errors.New("--service: use digitalpost or nemsms")}
			}
			client, err := c.client(t)
			if err != nil {
				return err
			}
			in := t.in
			if args[0] != "-" {
				f, err := os.Open(args[0])
				if err != nil {
					return &usageError{err}
				}
				defer func() { _ = f.Close() }()
				in = f
			}
			return wash(cmd, client, questions(in, service), t.out, c.asJSON)
		},
	}
	c.flags(cmd)
	cmd.Flags().StringVar(&service, "service", "digitalpost", "digitalpost or nemsms")
	return cmd
}

// questions turns lines of numbers into the lines of the API while they are read. Ten digits are a CPR number, eight a CVR
// number; anything else is sent as a CPR number, to be answered with what is wrong.
func questions(in io.Reader, service string) io.Reader {
	out, w := io.Pipe()
	go func() {
		lines, enc := bufio.NewScanner(in), json.NewEncoder(w)
		for lines.Scan() {
			q := httpapi.RegistrationRequest{Service: service}
			if number := strings.TrimSpace(lines.Text()); len(number) == 8 {
				q.CVR = number
			} else {
				q.CPR = number
			}
			if err := enc.Encode(q); err != nil {
				return // the reader has gone
			}
		}
		w.CloseWithError(lines.Err())
	}()
	return out
}

// wash prints an answer a line.
func wash(cmd *cobra.Command, client *httpapi.Client, lines io.Reader, out io.Writer, asJSON bool) error {
	failed := false
	err := client.Wash(cmd.Context(), lines, func(a httpapi.WashLine) error {
		failed = failed || a.Problem != nil
		switch {
		case asJSON:
			return json.NewEncoder(out).Encode(a)
		case a.Problem != nil:
			fmt.Fprintf(out, "%d\t%s\n", a.Line, a.Problem.Title)
		case a.Registered != nil && *a.Registered:
			fmt.Fprintf(out, "%d\tregistered\n", a.Line)
		default:
			fmt.Fprintf(out, "%d\tnot registered\n", a.Line)
		}
		return nil
	})
	if err != nil {
		return apiError(err)
	}
	if failed {
		return errNotAll
	}
	return nil
}
