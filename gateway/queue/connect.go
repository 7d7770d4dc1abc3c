package queue

import (
	"crypto/tls"
	"fmt"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/hibiken/asynq"
)

// Embedded is the URL of a queue that lives and dies with this process.
const Embedded = "embedded"

// connection is how to reach Redis, and what to stop when it is no longer needed.
type connection struct {
	opt  asynq.RedisConnOpt
	stop func()
}

// connect understands [Embedded] and what address describes. base is how TLS is spoken with a rediss URL.
func connect(raw, secret string, base *tls.Config) (connection, error) {
	if raw == Embedded {
		return startEmbedded(secret)
	}
	a, err := parse(raw)
	if err != nil {
		return connection{}, err
	}
	secure, err := a.secure(base)
	if err != nil {
		return connection{}, err
	}
	password, err := a.secret("password_file", a.password)
	if err != nil {
		return connection{}, err
	}
	c := connection{stop: func() {}}
	switch a.kind {
	case sentinel:
		login, err := a.secret("sentinel_password_file", "")
		if err != nil {
			return connection{}, err
		}
		c.opt = asynq.RedisFailoverClientOpt{
			MasterName: a.query.Get("master"), SentinelAddrs: a.hosts, DB: a.db, Username: a.user, Password: password,
			SentinelUsername: a.query.Get("sentinel_user"), SentinelPassword: login, TLSConfig: secure,
		}
	case cluster:
		c.opt = asynq.RedisClusterClientOpt{Addrs: a.hosts, Username: a.user, Password: password, TLSConfig: secure}
	default:
		c.opt = asynq.RedisClientOpt{Addr: a.hosts[0], DB: a.db, Username: a.user, Password: password, TLSConfig: secure}
	}
	return c, nil
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
