package target

import (
	"errors"

	"github.com/brevdue/brevdue/gateway/inbound"
	"github.com/brevdue/brevdue/gateway/routing"
)

func newEndpoint(routing.Target, Options) (inbound.Target, error) { return nil, errors.New("url: not yet") }
func newMailbox(routing.Target, Options) (inbound.Target, error)  { return nil, errors.New("mail: not yet") }
func newBroker(routing.Target, Options) (inbound.Target, error)   { return nil, errors.New("amqp: not yet") }
