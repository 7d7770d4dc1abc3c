package redistest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Master is the name under which the sentinels know the primary.
const Master = "brevdue"

// Sentinel is a primary with a replica, watched by three sentinels that agree by two.
type Sentinel struct {
	Primary, Replica *Server // as they were started; a failover swaps their parts
	Sentinels        []*Server

	password string
}

// StartSentinel starts the five processes and waits until the sentinels know each other and the replica. With a password,
// Redis and the sentinels ask for it. A primary is given up after a second of silence.
func StartSentinel(ctx context.Context, dir, password string) (*Sentinel, error) {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, errors.Join(ErrNoRedis, err)
	}
	ports, err := freePorts(ctx, 5)
	if err != nil {
		return nil, err
	}
	w := &Sentinel{password: password}
	if err := w.start(ctx, path, dir, ports); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

func (w *Sentinel) start(ctx context.Context, path, dir string, ports []int) error {
	login := Login{Password: w.password}
	var err error
	if w.Primary, err = start(ctx, filepath.Join(dir, "primary"), ports[0], login); err != nil {
		return err
	}
	w.Replica, err = start(ctx, filepath.Join(dir, "replica"), ports[1], login, "--replicaof", "127.0.0.1 "+strconv.Itoa(ports[0]))
	if err != nil {
		return err
	}
	for n, port := range ports[2:] {
		s, err := w.watch(ctx, path, filepath.Join(dir, fmt.Sprintf("sentinel%d", n+1)), port, ports[0])
		if s != nil {
			w.Sentinels = append(w.Sentinels, s)
		}
		if err != nil {
			return err
		}
	}
	return await(ctx, func() error { return w.agreed(ctx) })
}

// watch starts one sentinel, which needs a configuration file that it can write.
func (w *Sentinel) watch(ctx context.Context, path, dir string, port, primary int) (*Server, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("redistest: %w", err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "port %d\nbind 127.0.0.1\ndir %q\nlogfile %q\n", port, dir, filepath.Join(dir, "log"))
	if w.password != "" {
		fmt.Fprintf(&b, "requirepass %s\nsentinel sentinel-pass %s\n", w.password, w.password)
	}
	fmt.Fprintf(&b, "sentinel monitor %s 127.0.0.1 %d 2\nsentinel down-after-milliseconds %[1]s 1000\n", Master, primary)
	fmt.Fprintf(&b, "sentinel failover-timeout %s 5000\n", Master)
	if w.password != "" {
		fmt.Fprintf(&b, "sentinel auth-pass %s %s\n", Master, w.password)
	}
	file := filepath.Join(dir, "sentinel.conf")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		return nil, fmt.Errorf("redistest: %w", err)
	}
	s := &Server{Address: "127.0.0.1:" + strconv.Itoa(port), Dir: dir}
	s.Client = redis.NewClient(&redis.Options{Addr: s.Address, Password: w.password, MaxRetries: -1})
	return s, s.run(ctx, path, file, "--sentinel")
}

// agreed is nil when every sentinel knows two others and one replica, which follows.
func (w *Sentinel) agreed(ctx context.Context) error {
	for _, s := range w.Sentinels {
		info, err := s.Client.Info(ctx, "sentinel").Result()
		if err != nil {
			return fmt.Errorf("redistest: %w", err)
		}
		if !strings.Contains(info, "slaves=1,sentinels=3") {
			return errors.New("redistest: the sentinels do not know each other yet")
		}
	}
	return up(ctx, w.Replica)
}

// up is nil when a replica follows its primary.
func up(ctx context.Context, replica *Server) error {
	info, err := replica.Client.Info(ctx, "replication").Result()
	if err != nil {
		return fmt.Errorf("redistest: %w", err)
	}
	if !strings.Contains(info, "master_link_status:up") {
		return errors.New("redistest: the replica does not follow yet")
	}
	return nil
}

// URL is what queue.url is set to. file holds the password where there is one.
func (w *Sentinel) URL(file string) string {
	addresses := make([]string, len(w.Sentinels))
	for n, s := range w.Sentinels {
		addresses[n] = s.Address
	}
	url := "redis-sentinel://" + strings.Join(addresses, ",") + "?master=" + Master
	if w.password != "" {
		url += "&password_file=" + file + "&sentinel_password_file=" + file
	}
	return url
}

// Failover waits until a sentinel names another primary than the server given.
func (w *Sentinel) Failover(ctx context.Context, old *Server) error {
	return await(ctx, func() error {
		pair, err := w.Sentinels[0].Client.Do(ctx, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", Master).StringSlice()
		if err != nil {
			return fmt.Errorf("redistest: %w", err)
		}
		if strings.Join(pair, ":") == old.Address {
			return errors.New("redistest: no failover yet")
		}
		return nil
	})
}

// Close kills everything.
func (w *Sentinel) Close() {
	for _, s := range w.Sentinels {
		s.Close()
	}
	for _, s := range []*Server{w.Replica, w.Primary} {
		if s != nil {
			s.Close()
		}
	}
}
