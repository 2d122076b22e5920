package server

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestVerdictIsSharedForASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rounds := 0
		h := newHealth([]Check{{Name: "database", Run: func(context.Context) error {
			rounds++
			if rounds > 1 {
				return errors.New("down")
			}
			return nil
		}}}, time.Now)
		for _, step := range []struct {
			after  time.Duration
			rounds int
			failed map[string]string
		}{
			{0, 1, map[string]string{}},
			{verdictAge - 1, 1, map[string]string{}},
			{1, 2, map[string]string{"database": "down"}},
			{verdictAge / 2, 2, map[string]string{"database": "down"}},
		} {
			time.Sleep(step.after) // the bubble's clock
			if diff := cmp.Diff(step.failed, h.judge(t.Context()).failed); diff != "" || rounds != step.rounds {
				t.Errorf("after %s: want %d rounds, got %d; failed (-want +got):\n%s", step.after, step.rounds, rounds, diff)
			}
		}
	})
}

// An asker who hangs up must not turn readiness red for everybody.
func TestVerdictOutlivesItsAsker(t *testing.T) {
	t.Parallel()
	h := newHealth([]Check{{Name: "database", Run: func(ctx context.Context) error { return ctx.Err() }}}, time.Now)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if diff := cmp.Diff(map[string]string{}, h.judge(ctx).failed); diff != "" {
		t.Errorf("failed (-want +got):\n%s", diff)
	}
}

func TestStuckCheckIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var starts atomic.Int32
		release := make(chan struct{})
		h := newHealth([]Check{{Name: "disk", Run: func(context.Context) error {
			starts.Add(1)
			<-release
			return nil
		}}}, time.Now)
		want := map[string]string{"disk": "no answer within 2s"}
		for range 3 {
			began := time.Now()
			if diff := cmp.Diff(want, h.judge(t.Context()).failed); diff != "" {
				t.Errorf("failed (-want +got):\n%s", diff)
			}
			if took := time.Since(began); took != checkTimeout {
				t.Errorf("want a verdict after %s of the bubble's clock, got %s", checkTimeout, took)
			}
		}
		if got := starts.Load(); got != 1 {
			t.Errorf("want the stuck check started once, got %d", got)
		}
		close(release)
		synctest.Wait()
		if diff := cmp.Diff(map[string]string{}, h.judge(t.Context()).failed); diff != "" {
			t.Errorf("after the release, failed (-want +got):\n%s", diff)
		}
	})
}
