package gateway

// Priority says who goes first when a channel is busy. The queue lets none of them starve another.
type Priority string

// The priorities.
const (
	Urgent Priority = "urgent" // somebody waits for it
	Normal Priority = "normal"
	Bulk   Priority = "bulk" // one of many: all intents of a batch
)

// Priorities lists every priority, the first to go first.
func Priorities() []Priority { return []Priority{Urgent, Normal, Bulk} }
