package nemsms

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/brevdue/brevdue/actions"
	"github.com/brevdue/brevdue/gateway"
)

// MaxText is the longest text in characters. An older FAQ allowed 160. [src: MEMO-1.1-XSD memoNotificationType]
const MaxText = 150

// The codes of the problems of a text.
const (
	ProblemRequired = "required"      // no text
	ProblemTooLong  = "text.too_long" // more than MaxText characters
	ProblemCPR      = "sms.cpr"       // ten digits that could be a CPR number
	ProblemNoRoom   = "sms.no_room"   // an action's line does not fit behind the text
)

const cprDetail = "The text of the NemSMS would hold ten digits that could be a CPR number, which may not be sent in one."

// Text puts the message together: content.sms, and below it one line per action, each in the longest wording that leaves
// room for the others (actions.Line). An action without a deadline whose link stands in content.sms already gets no
// second one.
//
// The problem, if any, points into POST /v1/intents; the text is then not for sending.
func Text(content gateway.Content) (string, *gateway.Problem) {
	sms := strings.TrimSpace(content.SMS)
	length := utf8.RuneCountInString(sms)
	switch {
	case sms == "":
		return "", &gateway.Problem{Pointer: "/content/sms", Code: ProblemRequired, Detail: "A NemSMS needs a text."}
	case length > MaxText:
		return "", &gateway.Problem{
			Pointer: "/content/sms", Code: ProblemTooLong,
			Detail: fmt.Sprintf("The text has %d characters, a NemSMS has at most %d.", length, MaxText),
		}
	case holdsCPR(sms):
		return "", &gateway.Problem{Pointer: "/content/sms", Code: ProblemCPR, Detail: cprDetail}
	}
	lines, problem := lines(sms, content.Actions)
	if problem != nil {
		return "", problem
	}
	parts := []string{sms}
	for _, l := range lines {
		parts = append(parts, l.text)
		if holdsCPR(strings.Join(parts, "\n")) {
			return "", &gateway.Problem{Pointer: l.pointer(), Code: ProblemCPR, Detail: cprDetail}
		}
	}
	return strings.Join(parts, "\n"), nil
}

// line is an action as text. In the message a line end stands before it.
type line struct {
	n    int // index of the action
	text string
}

func (l line) pointer() string { return "/content/actions/" + strconv.Itoa(l.n) }

func (l line) length() int { return 1 + utf8.RuneCountInString(l.text) }

// lines words the actions so that all of them fit behind sms.
func lines(sms string, list []actions.Action) ([]line, *gateway.Problem) {
	room := MaxText - utf8.RuneCountInString(sms)
	out := make([]line, 0, len(list))
	taken := 0
	for n, a := range list {
		if told(sms, a) {
			continue
		}
		short, possible := shortest(a)
		l := line{n: n, text: short}
		if taken += l.length(); !possible || taken > room {
			return nil, &gateway.Problem{
				Pointer: l.pointer(), Code: ProblemNoRoom,
				Detail: fmt.Sprintf("As a line of text the action does not fit into the %d characters of a NemSMS, "+
					"behind what stands before it.", MaxText),
			}
		}
		out = append(out, l)
	}
	// What is left after the shortest wordings goes to the first actions first.
	for k, l := range out {
		spare := room - taken
		if longer, fits := actions.Line(list[l.n], utf8.RuneCountInString(l.text)+spare); fits {
			out[k].text = longer
			taken += out[k].length() - l.length()
		}
	}
	return out, nil
}

// told reports whether sms has the link of an action already. A deadline is always told in a line of its own.
func told(sms string, a actions.Action) bool {
	if _, deadline := a.Deadline(); deadline || a.URL == "" {
		return false
	}
	return slices.ContainsFunc(strings.Fields(sms), func(word string) bool {
		return strings.Trim(word, `.,;:!?()<>"'`) == strings.Trim(a.URL, `.,;:!?()<>"'`)
	})
}

// shortest is the shortest wording of an action; false when there is none at all.
func shortest(a actions.Action) (text string, possible bool) {
	text, possible = actions.Line(a, 0)
	for utf8.RuneCountInString(text) > 1 {
		shorter, fits := actions.Line(a, utf8.RuneCountInString(text)-1)
		if !fits {
			break
		}
		text = shorter
	}
	return text, possible
}
