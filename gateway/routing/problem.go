package routing

import (
	"fmt"
	"strings"
)

// Problem is one thing that makes a rules file unusable. It holds words of the file, no personal data.
type Problem struct {
	Place Place
	Key   string // such as rules[2].match.kle; "" for the file as a whole
	Text  string // what is wrong
	Hint  string // what to do; may be ""
}

// Error names the place and the key first.
func (p Problem) Error() string {
	var b strings.Builder
	if p.Place != (Place{}) {
		fmt.Fprintf(&b, "line %d, column %d: ", p.Place.Line, p.Place.Column)
	}
	b.WriteString(p.message())
	return b.String()
}

// message is the problem without its place.
func (p Problem) message() string {
	text := p.Text
	if p.Key != "" {
		text = p.Key + ": " + text
	}
	if p.Hint != "" {
		text += " (" + p.Hint + ")"
	}
	return text
}

// Problems is everything that makes a rules file unusable, in the order of the file.
type Problems []Problem

// Error puts one problem on a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for n, p := range ps {
		lines[n] = "routes: " + p.Error()
	}
	return strings.Join(lines, "\n")
}
