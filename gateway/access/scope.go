package access

import "slices"

// Scope is something a producer's token allows.
type Scope string

// The scopes.
const (
	WriteIntents Scope = "intents:write" // post, cancel, upload
	ReadIntents  Scope = "intents:read"  // get, list, events
	// AdminReceipts lets an operator's program see and match statuses that fit nothing, whoever's they are, and read them as
	// they came. It is given by name only.
	AdminReceipts Scope = "receipts:admin"
	// ReadInbound lets a producer list and read the posts that it may see, DecideInbound lets it send them elsewhere or close
	// them. To answer one it needs ReadInbound and WriteIntents. Both are given by name only.
	ReadInbound   Scope = "inbound:read"
	DecideInbound Scope = "inbound:decide"
	// AdminInbound lets an operator's program do both with every post, whoever's it is, and release what is in quarantine. It
	// is given by name only.
	AdminInbound Scope = "inbound:admin"
)

// Scopes lists the scopes of producers: what one has who has no list of its own.
func Scopes() []Scope { return []Scope{WriteIntents, ReadIntents} }

// AllScopes lists every scope, those of operators' programs too.
func AllScopes() []Scope {
	return append(Scopes(), AdminReceipts, ReadInbound, DecideInbound, AdminInbound)
}

// allows reports whether a list has a scope, or one that includes it.
func allows(list []Scope, scope Scope) bool {
	switch scope {
	case ReadInbound, DecideInbound:
		return slices.Contains(list, scope) || slices.Contains(list, AdminInbound)
	case WriteIntents, ReadIntents, AdminReceipts, AdminInbound:
		return slices.Contains(list, scope)
	default:
		return false
	}
}
