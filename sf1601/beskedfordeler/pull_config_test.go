package beskedfordeler_test

import (
	"context"
	"crypto/tls"

	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
)

// pullConfig is complete; it leads nowhere.
func pullConfig() beskedfordeler.PullConfig {
	return beskedfordeler.PullConfig{
		URL: "amqps://host", Queue: "q", TLS: &tls.Config{MinVersion: tls.VersionTLS12}, Token: token(1),
		Deliver:    func(context.Context, []byte, *beskedfordeler.Besked) error { return nil },
		Quarantine: func(context.Context, []byte, string) error { return nil },
	}
}
