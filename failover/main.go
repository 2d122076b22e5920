// Command failover tries whether an installation of rollcall over several machines keeps what it promises while its parts
// fail: three PostgreSQL under Patroni and etcd, three replicas, a balancer before each, all real and on this machine.
//
//	make failover
//
// Clients change people's states, issue and revoke tokens, and suspend the last two owners at the same moment, through the
// balancer, from beginning to end. Meanwhile the primary is killed, frozen and cut off, replicas are killed, frozen and
// replaced one after the other by another binary, and the network to the database is slowed, cut and made to swallow
// everything. Nobody helps: whatever recovers, recovers by itself.
//
// It ends with 0 if every acknowledged change was there afterwards, no answer was wrong (503 with Retry-After and cut
// connections are not wrong), an owner was always left, and readiness said what was so. It owns the order of events and the verdict; package
// cluster owns the processes, package history what may be true.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/rollcall-id/rollcall/failover/cluster"
)

func main() {
	only := flag.String("only", "", "run only the events whose name contains `TEXT`")
	seed := flag.Uint64("seed", 1, "seed of the workload's choices")
	limit := flag.Duration("limit", 10*time.Minute, "give up after this time")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, *limit)
	err := run(ctx, *only, *seed)
	cancel()
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "failover: FAILED\n%v\n", err)
		os.Exit(1)
	}
	fmt.Println("failover: nothing that was acknowledged is lost, and no answer was wrong")
}

func run(ctx context.Context, only string, seed uint64) (err error) {
	ground, err := cluster.NewGround()
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			ground.Stay()
			err = fmt.Errorf("%w\nlogs of all processes are in %s", err, ground.Dir)
		}
		err = errors.Join(err, ground.Close())
	}()
	began := time.Now()
	t, err := newTrial(ctx, ground, seed)
	if err != nil {
		return err
	}
	fmt.Printf("%-44s %6.1f s\n", "start", time.Since(began).Seconds())
	return t.run(ctx, only)
}

// build makes a binary as it is released; flags make it another one.
func build(ctx context.Context, into string, flags ...string) error {
	root, err := repository()
	if err != nil {
		return err
	}
	args := append([]string{"build", "-C", root, "-trimpath", "-o", into}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, "./cmd/rollcall")...) //nolint:gosec // G204: of our own making
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build rollcall: %w\n%s", err, out)
	}
	return nil
}

// repository is the folder above this module.
func repository() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output() //nolint:noctx // it answers at once
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	dir := filepath.Dir(strings.TrimSpace(string(out)))
	if filepath.Base(dir) != "failover" {
		return "", fmt.Errorf("%s is not the folder failover of rollcall's repository: start it there", dir)
	}
	return filepath.Dir(dir), nil
}
