package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/brevdue/brevdue/gateway/evidence"
)

func evidenceCommand(t terminal) *cobra.Command {
	var c connection
	var output string
	cmd := &cobra.Command{
		Use: "evidence MSG_ID", Short: "Fetch the evidence of a message",
		Long: "Fetch the evidence of one message (msg_..., as `brevdue status` lists them): an ASiC-E container with what was sent,\n" +
			"byte for byte, its signatures, the answers, every receipt and the timeline. It is written to MSG_ID.asice, or where\n" +
			"--output says (- is standard output). A file that exists is left alone.",
		Example: "  brevdue evidence msg_01JDPZ5X9V1N6K8T4Q2W3E7R5Y\n" +
			"  brevdue evidence msg_01JDPZ5X9V1N6K8T4Q2W3E7R5Y -o sag-2026-0417.asice",
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := c.client(t)
			if err != nil {
				return err
			}
			fetch := func(w io.Writer) error { return apiError(client.Evidence(cmd.Context(), args[0], w)) }
			if output == "-" {
				return fetch(t.out)
			}
			if output == "" {
				output = evidence.Filename(args[0])
			}
			size, err := newFile(output, fetch)
			if err != nil {
				return err
			}
			if c.asJSON {
				return json.NewEncoder(t.out).Encode(map[string]any{"file": output, "bytes": size})
			}
			_, err = fmt.Fprintf(t.out, "%s %d bytes\n", output, size)
			return err
		},
	}
	c.flags(cmd)
	cmd.Flags().StringVarP(&output, "output", "o", "", "`file` to write, which must not exist (default MSG_ID.asice)")
	return cmd
}

// newFile writes a file that nobody but its owner may read, and that is gone again when that fails: half of it must not
// look like the whole.
func newFile(name string, write func(w io.Writer) error) (size int64, err error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // the user names the file
	if err != nil {
		return 0, &usageError{fmt.Errorf("--output: %w", err)}
	}
	err = write(f)
	if err == nil {
		size, err = f.Seek(0, io.SeekCurrent)
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return 0, errors.Join(err, os.Remove(name))
	}
	return size, nil
}
