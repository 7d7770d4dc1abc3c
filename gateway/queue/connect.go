package queue

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/hibiken/asynq"
)

// Embedded is the URL of a queue that lives and dies with this process.
const Embedded = "embedded"

// ErrURL is the family of errors for a queue URL that cannot be used. Their texts never hold a password.
var ErrURL = errors.New("queue url")

// connection is how to reach Redis, and what to stop when it is no longer needed.
type connection struct {
	opt  asynq.RedisConnOpt
	stop func()
}

// connect understands embedded, redis://, rediss://, redis-sentinel:// (asynq's own forms) and
// redis-cluster://host:port,host:port.
func connect(raw, secret string) (connection, error) {
	if raw == Embedded {
		return startEmbedded(secret)
	}
	u, err := url.Parse(raw)
	if err != nil {
		return connection{}, fmt.Errorf("%w: it cannot be parsed", ErrURL)
	}
	nothing := func() {}
	switch u.Scheme {
	case "redis", "rediss", "redis-sentinel":
		opt, err := asynq.ParseRedisURI(raw)
		if err != nil {
			return connection{}, fmt.Errorf("%w: %s is not understood", ErrURL, u.Redacted())
		}
		if c, ok := opt.(asynq.RedisClientOpt); ok {
			c.Username = u.User.Username()
			if u.Scheme == "rediss" {
				c.TLSConfig = &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12}
			}
			opt = c
		}
		return connection{opt: opt, stop: nothing}, nil
	case "redis-cluster":
		password, _ := u.User.Password()
		opt := asynq.RedisClusterClientOpt{Addrs: strings.Split(u.Host, ","), Username: u.User.Username(), Password: password}
		return connection{opt: opt, stop: nothing}, nil
	default:
		return connection{}, fmt.Errorf("%w: scheme %q is none of embedded, redis, rediss, redis-sentinel, redis-cluster", ErrURL, u.Scheme)
	}
}

// startEmbedded runs a Redis look-alike on a loopback port of its own. Keys with a time to live do not expire there by
// themselves, so a ticker moves its clock along.
func startEmbedded(secret string) (connection, error) {
	server := miniredis.NewMiniRedis()
	server.RequireAuth(secret)
	if err := server.Start(); err != nil {
		return connection{}, fmt.Errorf("start embedded queue: %w", err)
	}
	const tick = 100 * time.Millisecond
	ticker, done, stopped := time.NewTicker(tick), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-ticker.C:
				server.FastForward(tick)
			case <-done:
				return
			}
		}
	}()
	stop := func() {
		ticker.Stop()
		close(done)
		<-stopped
		server.Close()
	}
	return connection{opt: asynq.RedisClientOpt{Addr: server.Addr(), Password: secret}, stop: stop}, nil
}
