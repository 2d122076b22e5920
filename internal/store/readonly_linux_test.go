package store

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// asNobody runs fn in a thread that has no more rights on files than an ordinary user,
// also where the tests are run by root, whom no mode keeps out.
func asNobody(fn func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		// Never unlocked: the thread ends with the goroutine, and the change with it.
		runtime.LockOSThread()
		_, _, _ = syscall.RawSyscall(syscall.SYS_SETFSUID, 65534, 0, 0)
		fn()
	}()
	<-done
}

func TestReadOnlyFolderIsRefused(t *testing.T) {
	t.Parallel()
	for name, modes := range map[string][2]os.FileMode{
		"folder and file": {0o555, 0o444},
		"folder":          {0o555, 0o666},
		"file":            {0o777, 0o444},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, path := databaseFile(t)
			if err := os.Remove(filepath.Join(dir, lockFile)); err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
			// The folder above is the test's own and closed to others.
			for p, mode := range map[string]os.FileMode{filepath.Dir(dir): 0o755, dir: modes[0], path: modes[1]} {
				if err := os.Chmod(p, mode); err != nil {
					t.Fatal(err)
				}
			}
			t.Cleanup(func() { _ = os.Chmod(dir, 0o700) }) // so that it can be removed
			for _, exclusive := range []bool{false, true} {
				var err error
				asNobody(func() {
					var s *Store
					if s, err = Open(t.Context(), Options{Dir: dir, Exclusive: exclusive}); err == nil {
						_ = s.Close()
					}
				})
				if err == nil || !strings.HasPrefix(err.Error(), dir) || !strings.Contains(err.Error(), "can't be written: give this user write permission") {
					t.Errorf("exclusive = %t: got error %v, want one that says what can't be written and what to do", exclusive, err)
				}
			}
		})
	}
}
