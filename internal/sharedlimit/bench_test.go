package sharedlimit_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/pgtest"
	"github.com/rollcall-id/rollcall/internal/sharedlimit"
	"github.com/rollcall-id/rollcall/internal/throttle"
	"github.com/rollcall-id/rollcall/internal/valkeytest"
)

// BenchmarkRequest is what one API request asks of the limiter, with 32 of them under way:
// whether its address has failed too often, and its application's windows. It reports
// CPU time of this process and of the store's, and the requests of one round trip.
func BenchmarkRequest(b *testing.B) {
	b.Run("PostgreSQL", func(b *testing.B) {
		server, err := pgtest.Launch(b.Context(), pgtest.Options{Version: pgtest.Oldest, Durable: true})
		if err != nil {
			b.Fatal(err)
		}
		defer server.Close()
		store := postgresStore(b, server.URL(server.DatabaseLike(b, "limits", tables)), patient)
		requests(b, store, server.Pid())
	})
	b.Run("Redis", func(b *testing.B) {
		server := valkeytest.Own(b)
		requests(b, valkeyStore(b, server.URL(), patient), server.Pid())
	})
}

func requests(b *testing.B, store sharedlimit.Store, pid int) {
	const underWay = 32
	policies := throttle.Settings{UsersPerMinute: 1e9, UsersPerHour: 1e9, AuthFailuresPerMinute: 30}.Policies()
	for _, apps := range []int{1, 1000} {
		b.Run(fmt.Sprintf("%d applications", apps), func(b *testing.B) {
			l := limiter(b, lent{store}, sharedlimit.Options{Policies: policies})
			address := throttle.Key{Class: throttle.ClassAuthFailures, Subject: "127.0.0.1"}
			own, theirs, before := selfCPU(), treeCPU(pid), l.Stats()
			var next atomic.Int64
			var all sync.WaitGroup
			b.ResetTimer()
			for range underWay {
				all.Go(func() {
					for {
						i := int(next.Add(1))
						if i > b.N {
							return
						}
						app := throttle.Key{Class: throttle.ClassUsers, Subject: "3f2b8c1e-0000-4000-8000-" + strconv.Itoa(i%apps)}
						if d, err := l.Glance(b.Context(), address, time.Now()); err != nil || !d.Admitted {
							b.Error(d, err)
							return
						}
						if d, _, err := l.SpendBehind(b.Context(), address, app, time.Now()); err != nil || !d.Admitted {
							b.Error(d, err)
							return
						}
					}
				})
			}
			all.Wait()
			b.StopTimer()
			after := l.Stats()
			n := float64(b.N)
			b.ReportMetric(float64((selfCPU()-own).Microseconds())/n, "us-here/op")
			b.ReportMetric(float64((treeCPU(pid)-theirs).Microseconds())/n, "us-store/op")
			b.ReportMetric(float64(after.Requests-before.Requests)/float64(after.Rounds-before.Rounds), "questions/trip")
			if after.Alone > 0 {
				b.Errorf("%d questions were not asked of the store", after.Alone)
			}
		})
	}
}

func selfCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// treeCPU is the time of a process and its children so far, of those that live.
func treeCPU(pid int) time.Duration {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		panic(err)
	}
	ticks := int64(0)
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(rest)
		if of := filepath.Base(filepath.Dir(path)); of != strconv.Itoa(pid) && fields[1] != strconv.Itoa(pid) {
			continue
		}
		for _, i := range []int{11, 12} {
			n, err := strconv.ParseInt(fields[i], 10, 64)
			if err != nil {
				panic(err)
			}
			ticks += n
		}
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
