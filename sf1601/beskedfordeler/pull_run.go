package beskedfordeler

import "context"

func (p *Puller) run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}
