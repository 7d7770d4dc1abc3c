package harness

import (
	"context"
	"fmt"
	"os"

	"github.com/brevdue/brevdue/sf1601/beskedfordeler/rabbittest"
	"github.com/brevdue/brevdue/sf1601/sf1601test"
)

// Dueslag is the queue of statuses of a world that pulls.
const Dueslag = "5b1d5f0a-52b8-4f0f-9a3e-0f3a6f8f7c11"

// startBroker starts a RabbitMQ that trusts the certificates in the folder of the simulator, which are made first: Erlang's
// TLS calls the signature of the simulator's own invalid.
func startBroker(ctx context.Context, dir, sim string) (*rabbittest.Node, error) {
	if err := os.MkdirAll(sim, 0o700); err != nil {
		return nil, fmt.Errorf("folder of the simulator: %w", err)
	}
	authority, err := sf1601test.LoadOrCreate(sim, sf1601test.AuthorityOptions{PKCS1: true})
	if err != nil {
		return nil, fmt.Errorf("certificates: %w", err)
	}
	node, err := rabbittest.Start(ctx, rabbittest.Config{Dir: dir, Authority: authority})
	if err != nil {
		return nil, err
	}
	if err := node.Declare(Dueslag); err != nil {
		node.Close()
		return nil, err
	}
	return node, nil
}
