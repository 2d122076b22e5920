package throttle_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/throttle"
	"github.com/rollcall-id/rollcall/internal/throttle/throttletest"
)

// BenchmarkMemory: one request on a key in use, at the default limits (about half
// refused), far below limits that are never reached, and against spread keys.
func BenchmarkMemory(b *testing.B) {
	high := throttle.Settings{UsersPerMinute: 1e9, UsersPerHour: 1e9}.Policies()
	benchmarks := []struct {
		name     string
		policies []throttle.Policy
		keys     int
		gap      time.Duration
	}{
		{"default limits", throttle.DefaultPolicies(), 1, 300 * time.Millisecond},
		{"high limits", high, 1, 100 * time.Microsecond},
		{"10000 keys", throttle.DefaultPolicies(), 10_000, 100 * time.Microsecond},
	}
	for _, bb := range benchmarks {
		b.Run(bb.name, func(b *testing.B) {
			m := newMemory(b, bb.policies, 0)
			keys := make([]throttle.Key, bb.keys)
			for i := range keys {
				keys[i] = throttle.Key{Class: throttle.ClassUsers, Subject: fmt.Sprintf("3f2b8c1e-0000-4000-8000-%012d", i)}
			}
			now := throttletest.Epoch
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				now = now.Add(bb.gap)
				if _, err := m.Spend(context.Background(), keys[i%len(keys)], now); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMemoryParallel(b *testing.B) {
	m := newMemory(b, throttle.DefaultPolicies(), 0)
	key := throttle.Key{Class: throttle.ClassUsers, Subject: "one key for all"}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := m.Spend(context.Background(), key, throttletest.Epoch); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkMemoryFlood: every request from an address never seen, at the bound;
// reports what each held key costs.
func BenchmarkMemoryFlood(b *testing.B) {
	m := newMemory(b, throttle.DefaultPolicies(), 0)
	before := heap()
	now := throttletest.Epoch
	for i := 0; b.Loop(); i++ {
		now = now.Add(time.Microsecond)
		key := throttle.Key{Class: throttle.ClassAuthFailures, Subject: fmt.Sprintf("2001:db8:%x:%x::/64", i>>16, i&0xffff)}
		if _, err := m.Spend(context.Background(), key, now); err != nil {
			b.Fatal(err)
		}
	}
	if keys := m.Stats(throttle.ClassAuthFailures).Keys; keys > 0 {
		b.ReportMetric(float64(heap()-before)/float64(keys), "B/key")
	}
	runtime.KeepAlive(m)
}

func heap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
