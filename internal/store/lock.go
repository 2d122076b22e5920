package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// DirLock keeps a second server out of a data folder: limits are counted in
// memory, so two servers on one folder would each allow the whole of them. The
// operating system releases it when the process ends, however it ends.
type DirLock struct{ file *os.File }

const lockFile = "rollcall.lock"

// ErrHeld means that another process holds the data folder.
var ErrHeld = errors.New("another rollcall is running on this data folder: stop it first, or name another folder with --data")

// LockDir takes the folder for this process; ErrHeld if another one has it.
func LockDir(dir string) (*DirLock, error) {
	path := filepath.Join(dir, lockFile)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return nil, fmt.Errorf("%s can't be written: give this user write permission on it, or name another folder with --data: %w", dir, err)
	}
	if err != nil {
		return nil, fmt.Errorf("lock the data folder: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = fmt.Errorf("%w (%s)", ErrHeld, dir)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &DirLock{f}, nil
}

// Release gives the folder back.
func (l *DirLock) Release() error { return l.file.Close() }

// oneByOne runs fn while no other process is in oneByOne on the same folder, and waits
// for its turn. The lock is on the folder itself and needs no right to write in it.
func oneByOne(dir string, fn func() error) (err error) {
	f, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("lock the data folder: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock the data folder: %w", err)
	}
	return fn()
}
