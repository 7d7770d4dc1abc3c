package access

import "slices"

// Role is what an operator is.
type Role string

// The roles. A person may have several.
const (
	// Reader sees the pages of the console: ids, codes, counts and times, and no word of a letter.
	Reader Role = "reader"
	// OperatorRole decides on what waits for a person, and reads the letters that the decision is about.
	OperatorRole Role = "operator"
	// Administrator sees the pages and looks after the gateway. Letters are not theirs to read.
	Administrator Role = "administrator"
	// Letters is a grant beside another role: its holder may read letters.
	Letters Role = "letters"
)

// Roles lists every role.
func Roles() []Role { return []Role{Reader, OperatorRole, Administrator, Letters} }

// Permission is what a page of the console needs.
type Permission string

// The permissions.
const (
	See         Permission = "see"     // pages without any word of a letter
	Decide      Permission = "decide"  // what waits for a person
	ReadLetters Permission = "letters" // letters, evidence, statuses as they came, and post
	Administer  Permission = "administer"
)

// may is the table of what each role allows.
func (r Role) may(p Permission) bool {
	switch p {
	case See:
		return r == Reader || r == OperatorRole || r == Administrator
	case Decide:
		return r == OperatorRole
	case ReadLetters:
		return r == OperatorRole || r == Letters
	case Administer:
		return r == Administrator
	default:
		return false
	}
}

// How is the way somebody proved who they are.
type How string

// The ways.
const (
	ByToken    How = "token"
	ByJWT      How = "jwt"
	ByPassword How = "password"
	ByOIDC     How = "oidc"
	ByLoopback How = "loopback" // nobody was asked: the demo, on this machine
)

// Operator is a person who is logged in.
type Operator struct {
	Name  string // as configured, or as the identity provider calls them; goes into the audit trail
	Roles []Role
	How   How
}

// May reports whether one of the operator's roles allows it.
func (o Operator) May(p Permission) bool {
	return slices.ContainsFunc(o.Roles, func(r Role) bool { return r.may(p) })
}
