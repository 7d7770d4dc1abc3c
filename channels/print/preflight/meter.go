package preflight

import "context"

// meter counts what reading one file has cost, against its limits.
type meter struct {
	ctx     context.Context //nolint:containedctx // a meter lives for one call of Check
	limits  Limits
	steps   int // objects looked at
	scanned int // bytes looked at, each time they were
}

// spend counts a step, and now and then looks whether anybody still waits for the answer.
func (m *meter) spend() error {
	m.steps++
	if m.steps > m.limits.Steps || int64(m.scanned) > m.limits.Scanned {
		return errLimit
	}
	if m.steps%1024 == 1 {
		return m.ctx.Err()
	}
	return nil
}
