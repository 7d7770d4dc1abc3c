package routing

// Severity says how bad a [Finding] is.
type Severity string

// The severities.
const (
	Error   Severity = "error"   // the file does not do what it says
	Warning Severity = "warning" // probably not what is meant
	Note    Severity = "note"    // allowed, and good to know
)

// FindingCode says what a [Finding] is about. The values are stable.
type FindingCode string

// What [Rules.Check] finds.
const (
	Unreachable     FindingCode = "unreachable"      // error: earlier rules take every message that the rule could take
	TakesAll        FindingCode = "takes_all"        // error: a rule without conditions is not the last one
	Never           FindingCode = "never"            // error: no message meets all conditions of the rule
	Loop            FindingCode = "loop"             // error: targets hand over to each other in a circle
	NoProducer      FindingCode = "no_producer"      // error: the target producer where the message may be no reply to ours
	EmptyMatch      FindingCode = "empty_match"      // warning: a regular expression that matches every subject
	UnusedTarget    FindingCode = "unused_target"    // warning: nothing leads to the target
	DefaultUnneeded FindingCode = "default_unneeded" // note: the rules take every message
	Overlap         FindingCode = "overlap"          // note: some message meets the rule and an earlier one, which takes it
)

// Finding is one thing that [Rules.Check] found. It holds words of the rules file, no personal data.
type Finding struct {
	Code     FindingCode
	Severity Severity
	Place    Place
	Rule     string   // the rule it is about; "" for the default and for targets
	Others   []string // Unreachable, Overlap: the earlier rules
	Target   string   // Loop, UnusedTarget, NoProducer
	Text     string   // a sentence
	Hint     string   // what to do; may be ""
	Example  string   // Overlap: a message that meets the rule and the first of Others, in words
}
