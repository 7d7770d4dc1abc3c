package redistest

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// Primaries is how many nodes of a cluster share the slots: the fewest that can outvote one.
const Primaries = 3

// Cluster is a cluster of three nodes, or of three with a replica each.
type Cluster struct {
	Nodes []*Server // the primaries first, as far as redis-cli did as it was told
}

// StartCluster starts the nodes, joins them as `redis-cli --cluster create` does for an operator, and waits until every
// node says that all slots are served. replicas is 0 or 1 for each primary. A node is given up after two seconds.
func StartCluster(ctx context.Context, dir string, replicas int, login Login) (*Cluster, error) {
	path, err := exec.LookPath("redis-cli")
	if err != nil {
		return nil, errors.Join(ErrNoRedis, err)
	}
	count := Primaries * (1 + replicas)
	ports, err := freePorts(ctx, 2*count)
	if err != nil {
		return nil, err
	}
	c := &Cluster{}
	if err := c.start(ctx, path, dir, ports, replicas, login); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context, path, dir string, ports []int, replicas int, login Login) error {
	count := len(ports) / 2
	args := []string{"--cluster", "create"}
	for n := range count {
		s, err := start(ctx, filepath.Join(dir, fmt.Sprintf("node%d", n+1)), ports[n], login,
			"--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-node-timeout", "2000",
			"--cluster-port", strconv.Itoa(ports[count+n]), "--cluster-require-full-coverage", "no")
		if err != nil {
			return err
		}
		c.Nodes, args = append(c.Nodes, s), append(args, s.Address)
	}
	args = append(args, "--cluster-yes", "--cluster-replicas", strconv.Itoa(replicas))
	if login.Password != "" {
		args = append(args, "--no-auth-warning", "-a", login.Password)
	}
	if out, err := exec.CommandContext(ctx, path, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("redistest: redis-cli --cluster create: %w\n%s", err, out)
	}
	return await(ctx, func() error { return c.Agreed(ctx, replicas) })
}

// Agreed is nil when every node that answers knows all nodes and serves all slots, and replicas follow.
func (c *Cluster) Agreed(ctx context.Context, replicas int) error {
	following := 0
	for _, s := range c.Nodes {
		info, err := s.Client.ClusterInfo(ctx).Result()
		if err != nil {
			return fmt.Errorf("redistest: %w", err)
		}
		if !strings.Contains(info, "cluster_state:ok") || !strings.Contains(info, fmt.Sprintf("cluster_known_nodes:%d", len(c.Nodes))) {
			return errors.New("redistest: the nodes do not agree yet")
		}
		if up(ctx, s) == nil {
			following++
		}
	}
	if following != Primaries*replicas {
		return errors.New("redistest: the replicas do not follow yet")
	}
	return nil
}

// URL is what queue.url is set to.
func (c *Cluster) URL() string {
	addresses := make([]string, len(c.Nodes))
	for n, s := range c.Nodes {
		addresses[n] = s.Address
	}
	return "redis-cluster://" + strings.Join(addresses, ",")
}

// Home is the node that serves the slot of a key now.
func (c *Cluster) Home(ctx context.Context, key string) (*Server, error) {
	var last error
	for _, asked := range c.Nodes {
		slot, err := asked.Client.ClusterKeySlot(ctx, key).Result()
		if err != nil {
			last = err
			continue
		}
		ranges, err := asked.Client.ClusterSlots(ctx).Result()
		if err != nil {
			last = err
			continue
		}
		for _, r := range ranges {
			if int64(r.Start) > slot || slot > int64(r.End) || len(r.Nodes) == 0 {
				continue
			}
			for _, s := range c.Nodes {
				if s.Address == r.Nodes[0].Addr {
					return s, nil
				}
			}
		}
	}
	return nil, errors.Join(errors.New("redistest: nobody serves the key"), last)
}

// Failover waits until another node than the one given serves the key.
func (c *Cluster) Failover(ctx context.Context, key string, old *Server) error {
	return await(ctx, func() error {
		s, err := c.Home(ctx, key)
		if err == nil && s == old {
			err = errors.New("redistest: no failover yet")
		}
		return err
	})
}

// Close kills every node.
func (c *Cluster) Close() {
	for _, s := range c.Nodes {
		s.Close()
	}
}
