package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/terminal"
)

// exportFile writes a new file that only its owner can read, whole or not at all.
func exportFile(ctx context.Context, path string, asCSV bool, q query, r audit.Reader) (int, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return 0, fmt.Errorf("%s exists already: name a new file", path)
	}
	if err != nil {
		return 0, fmt.Errorf("make the export file: %w", err)
	}
	n, err := exportEntries(ctx, f, asCSV, q, r)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return 0, errors.Join(fmt.Errorf("write the export file: %w", err), os.Remove(path))
	}
	return n, nil
}

// exportEntries writes the selected entries and returns how many there were.
func exportEntries(ctx context.Context, to io.Writer, asCSV bool, q query, r audit.Reader) (int, error) {
	buffered := bufio.NewWriterSize(to, 64<<10)
	write, flush := jsonLines(buffered)
	if asCSV {
		write, flush = csvLines(buffered)
	}
	n := 0
	err := q.each(ctx, r, func(e audit.Entry) (bool, error) {
		n++
		return true, write(viewEntry(e))
	})
	return n, errors.Join(err, flush(), buffered.Flush())
}

func jsonLines(to io.Writer) (write func(entryView) error, flush func() error) {
	write = func(v entryView) error {
		text, err := terminal.Encode(v)
		if err != nil {
			return err
		}
		_, err = io.WriteString(to, text+"\n")
		return err
	}
	return write, func() error { return nil }
}

// csvColumns are named as the fields of the JSON form.
var csvColumns = []string{
	"time", "id", "account_id", "actor_kind", "actor", "action", "target", "outcome", "detail",
	"address", "user_agent", "request_id", "count", "seq", "prev_hash", "hash",
}

func csvLines(to io.Writer) (write func(entryView) error, flush func() error) {
	w := csv.NewWriter(to)
	err := w.Write(csvColumns)
	write = func(v entryView) error {
		row := []string{
			v.Time.Format(time.RFC3339Nano), string(v.ID), string(v.Account), string(v.ActorKind), v.Actor,
			string(v.Action), v.Target, string(v.Outcome), v.Detail, audit.AddressText(v.Address), v.UserAgent,
			string(v.RequestID), fmt.Sprint(v.Count), fmt.Sprint(v.Seq), v.Prev, v.Hash,
		}
		for i, cell := range row {
			row[i] = terminal.CellText(cell)
		}
		return w.Write(row)
	}
	return write, func() error {
		w.Flush()
		return errors.Join(err, w.Error())
	}
}
