package main

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// columns of docs/sources.txt, parted by a vertical bar.
const (
	columnID = iota
	columnTitle
	columnVersion
	columnDate
	columnTrust
	columnSupport
	columnURL
	columnCount
)

var (
	sourceID   = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*(?:[-.][A-Za-z0-9]+)*$`)
	sourceDate = regexp.MustCompile(`^(?:-|\d{4}(?:-\d{2}(?:-\d{2})?)?)$`)

	// trusts says how far a source may be trusted; docs/sources.txt explains each word at its head.
	trusts = []string{"official", "schema", "example", "practice", "old"}
	// supports says what of a source brevdue follows; docs/sources.txt explains each word at its head.
	supports = []string{"followed", "partly", "planned", "background", "unread"}
)

// readSources reads the list of sources and returns the ids in it. Empty lines and lines that start with # are skipped.
// An error names the line that breaks a rule of the list.
func readSources(r io.Reader) (map[string]bool, error) {
	known := map[string]bool{}
	lines := bufio.NewScanner(r)

	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}

		id, err := parseSource(line)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", sourcesFile, n, err)
		}

		if known[id] {
			return nil, fmt.Errorf("%s:%d: id %s stands twice", sourcesFile, n, id)
		}

		known[id] = true
	}

	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", sourcesFile, err)
	}

	return known, nil
}

// parseSource checks one line of the list and returns its id.
func parseSource(line string) (string, error) {
	fields := strings.Split(line, "|")
	if len(fields) != columnCount {
		return "", fmt.Errorf("%d columns, want %d: id | title | version | date | trust | support | url", len(fields), columnCount)
	}

	for i := range fields {
		fields[i] = strings.TrimSpace(fields[i])
	}

	id := fields[columnID]

	switch {
	case !sourceID.MatchString(id):
		return "", fmt.Errorf("id %q: want a capital, then letters, digits and single - or . between", id)
	case fields[columnTitle] == "":
		return "", fmt.Errorf("%s: no title", id)
	case fields[columnVersion] == "":
		return "", fmt.Errorf("%s: no version (write - for none)", id)
	case !sourceDate.MatchString(fields[columnDate]):
		return "", fmt.Errorf("%s: date %q: want YYYY, YYYY-MM, YYYY-MM-DD or -", id, fields[columnDate])
	case !slices.Contains(trusts, fields[columnTrust]):
		return "", fmt.Errorf("%s: trust %q: want one of %s", id, fields[columnTrust], strings.Join(trusts, ", "))
	case !slices.Contains(supports, fields[columnSupport]):
		return "", fmt.Errorf("%s: support %q: want one of %s", id, fields[columnSupport], strings.Join(supports, ", "))
	case fields[columnURL] == "":
		return "", fmt.Errorf("%s: no url (write - for none)", id)
	}

	return id, nil
}
