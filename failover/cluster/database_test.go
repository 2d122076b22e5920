package cluster

import (
	"context"
	"fmt"
	"testing"
	"time"
)

func TestTry(t *testing.T) {
	g, err := NewGround()
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(g.Dir)
	defer func() {
		if t.Failed() {
			for _, n := range []string{"etcd", "db1", "db2", "db3", "db-balancer"} {
				t.Log(n, g.Tail(n))
			}
		}
		g.Close()
	}()
	begun := time.Now()
	since := func(what string) { fmt.Println(what, time.Since(begun)); begun = time.Now() }
	d, err := StartDatabase(t.Context(), g)
	if err != nil {
		t.Fatal(err)
	}
	since("start")
	harm := func(what string, do func(n *Node) error, undo func(n *Node) error) {
		l := d.Leader(t.Context())
		begun = time.Now()
		if err := do(l); err != nil {
			t.Fatal(err)
		}
		n, err := d.WaitLeader(t.Context(), time.Minute, l)
		if err != nil {
			t.Fatal(err)
		}
		since(what + ": leader " + n.Name)
		if err := Until(t.Context(), time.Minute, "writable", func(ctx context.Context) bool {
			c, err := d.Connect(ctx)
			if err != nil {
				return false
			}
			defer c.Close(ctx)
			_, err = c.Exec(ctx, "CREATE TABLE IF NOT EXISTS a (b int)")
			return err == nil
		}); err != nil {
			t.Fatal(err)
		}
		since("writable")
		if err := undo(l); err != nil {
			t.Fatal(err)
		}
		if _, err := d.WaitHealthy(t.Context(), time.Minute); err != nil {
			t.Fatal(err)
		}
		since("healthy")
	}
	harm("kill", func(n *Node) error { return n.Kill() }, func(n *Node) error { return n.Start() })
	harm("freeze", func(n *Node) error { return n.Freeze() }, func(n *Node) error { return n.Thaw() })
	harm("isolate", func(n *Node) error { n.Isolate(); return nil }, func(n *Node) error { return n.Reunite(context.Background()) })
}
