package store

import (
	"context"
	"os"
	"path/filepath"
	"slices"
)

// Adding a million people one after the other, each goes to a place of its own in every tree whose key is no order of
// adding: the pages don't fit into memory, and are read and written again and again. So a transaction that adds very many
//
//	has a larger cache meanwhile
//	makes indexes anew in the end, where at least half of what they hold is new
//
// All of it is undone with the transaction if that fails. Two trees are written as ever: those that tell whether
// somebody is there already.

const (
	cacheUsual = "cache_size(-8000)" // KiB
	cacheLarge = "PRAGMA cache_size(-65536)"
	cacheSorts = "PRAGMA cache_size(-16384)" // a sort takes as much again, and up to twice that
)

// rebuilt are the indexes that are cheaper to make than to keep.
var rebuilt = []string{"users_listed", "users_by_state", "group_members_user"}

// sqliteLoad is what a transaction has put off.
type sqliteLoad struct {
	before  int64             // people who were there
	indexes map[string]string // dropped ones, by their names, as they are made
	order   []string
}

// tempDirs are the folders in which SQLite tries to make files for itself alone.
func tempDirs() []string {
	dirs := []string{os.Getenv("SQLITE_TMPDIR"), os.Getenv("TMPDIR"), "/var/tmp", "/usr/tmp", "/tmp"}
	return slices.DeleteFunc(dirs, func(dir string) bool { return dir == "" })
}

// tempStore says where SQLite may keep what a transaction needs for itself alone: in a file, or, where it could make
// none, in memory.
func tempStore() string {
	for _, dir := range tempDirs() {
		f, err := os.CreateTemp(filepath.Clean(dir), "rollcall-")
		if err != nil {
			continue
		}
		_, _ = f.Close(), os.Remove(f.Name())
		return "FILE"
	}
	return "MEMORY"
}

// load implements session.
func (s sqliteSession) load(ctx context.Context, added, coming int) error {
	l := s.e.large
	if l == nil {
		l = &sqliteLoad{indexes: map[string]string{}}
		if err := s.e.conn.QueryRowContext(ctx, "SELECT count(*) FROM users").Scan(&l.before); err != nil {
			return err
		}
		l.before -= int64(added)
		s.e.large = l
		if err := s.exec(ctx, cacheLarge); err != nil {
			return err
		}
	}
	if len(l.order) > 0 || int64(added+coming) < l.before {
		return nil
	}
	for _, name := range rebuilt {
		var text string
		if err := s.e.conn.QueryRowContext(ctx, "SELECT sql FROM sqlite_schema WHERE type = 'index' AND name = ?", name).Scan(&text); err != nil {
			return err
		}
		if err := s.exec(ctx, "DROP INDEX "+name); err != nil {
			return err
		}
		l.indexes[name], l.order = text, append(l.order, name)
	}
	return nil
}

// loaded implements session.
func (s sqliteSession) loaded(ctx context.Context) error {
	l := s.e.large
	if l == nil {
		return nil
	}
	if err := s.exec(ctx, cacheSorts); err != nil {
		return err
	}
	for _, name := range l.order {
		if err := s.exec(ctx, l.indexes[name]); err != nil {
			return err
		}
	}
	return nil
}

func (s sqliteSession) exec(ctx context.Context, texts ...string) error {
	for _, text := range texts {
		if _, err := s.e.conn.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

// unload ends what load began, whatever became of the transaction.
func (s sqliteSession) unload() {
	if s.e.large == nil {
		return
	}
	s.e.large = nil
	_ = s.exec(context.Background(), "PRAGMA "+cacheUsual) // a larger cache does no harm
}
