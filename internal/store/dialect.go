package store

import (
	"bytes"
	"embed"
	"io"
	"io/fs"
	"regexp"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// sqliteOnly marks text that SQLite is to read and other databases are to skip. It
// says what only SQLite needs to be told: that a table lies in the order of its primary
// key, which saves every write and every look-up by key a second tree.
var sqliteOnly = regexp.MustCompile(`/\* sqlite: (.*?) \*/`)

// sqliteFiles returns the migrations as SQLite reads them.
func sqliteFiles() (fs.FS, error) {
	files, err := fs.Sub(migrationFiles, "migrations")
	return dialectFS{files}, err
}

// dialectFS shows files with the text for SQLite put in.
type dialectFS struct{ fs.FS }

// Open implements fs.FS.
func (d dialectFS) Open(name string) (fs.File, error) {
	file, err := d.FS.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil || info.IsDir() {
		return file, err
	}
	text, err := io.ReadAll(file)
	return &dialectFile{File: file, text: bytes.NewReader(sqliteOnly.ReplaceAll(text, []byte("$1")))}, err
}

type dialectFile struct {
	fs.File
	text *bytes.Reader
}

// Read implements fs.File.
func (f *dialectFile) Read(p []byte) (int, error) { return f.text.Read(p) }
