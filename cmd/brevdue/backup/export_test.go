package backup

import "io"

// Names are the files that the lines of Sums name, nil when one is refused.
func Names(r io.Reader) []string {
	entries, err := parse(r)
	if err != nil {
		return nil
	}
	names := make([]string, len(entries))
	for n, e := range entries {
		names[n] = e.name
	}
	return names
}
