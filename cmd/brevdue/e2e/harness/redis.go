package harness

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/redis/go-redis/v9"
)

// Redis is a redis-server of our own: append-only file, fsync every second.
type Redis struct {
	*Process

	Dir     string
	Address string
	Client  *redis.Client
}

// StartRedis starts a server whose files are in dir. ErrNoRedis when there is no redis-server.
func StartRedis(ctx context.Context, dir, address string) (*Redis, error) {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, errors.Join(ErrNoRedis, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("folder of redis: %w", err)
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("address of redis: %w", err)
	}
	p, err := start("redis-server", dir, filepath.Join(dir, "redis.log"), path,
		"--bind", host, "--port", port, "--dir", dir, "--save", "", "--appendonly", "yes", "--appendfsync", "everysec")
	if err != nil {
		return nil, err
	}
	r := &Redis{Process: p, Dir: dir, Address: address, Client: redis.NewClient(&redis.Options{Addr: address, MaxRetries: -1})}
	if err := p.waitUp(ctx, func(ctx context.Context) error { return r.Client.Ping(ctx).Err() }); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// URL is what queue.url is set to.
func (r *Redis) URL() string { return "redis://" + r.Address }

// FlushAll empties it.
func (r *Redis) FlushAll(ctx context.Context) error {
	if err := r.Client.FlushAll(ctx).Err(); err != nil {
		return fmt.Errorf("FLUSHALL: %w", err)
	}
	return nil
}

// Close kills it.
func (r *Redis) Close() {
	_ = r.Client.Close()
	r.Kill()
}
