package sharedlimit

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// The statements. No isolation but READ COMMITTED would do: a later statement must see
// what those did whose locks were waited for. set_config is only PostgreSQL's and its
// relatives', and harmless to lose: it saves the wait for the disk, and keeps a replica
// that was stopped in the middle from holding rows for long.
const (
	sqlClock = `CAST(EXTRACT(EPOCH FROM CURRENT_TIMESTAMP) * 1000000 AS bigint)`
	sqlBegin = `begin isolation level read committed`
	sqlSet   = `SELECT set_config('synchronous_commit', 'off', true), set_config('idle_in_transaction_session_timeout', '1000', true), ` + sqlClock
	sqlNow   = `SELECT ` + sqlClock
	sqlLook  = `SELECT state FROM limit_counts WHERE name = $1`
	sqlLock  = sqlLook + ` FOR UPDATE`
	sqlPiece = `SELECT seq, runs FROM limit_runs WHERE name = $1 AND span = $2 AND seq >= $3 AND seq < $4 ORDER BY seq`

	sqlMake  = `INSERT INTO limit_counts (name, state, idle_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`
	sqlWrite = `UPDATE limit_counts SET state = $2, idle_at = $3 WHERE name = $1`
	sqlSpill = `INSERT INTO limit_runs (name, span, seq, runs) VALUES ($1, $2, $3, $4)
ON CONFLICT (name, span, seq) DO UPDATE SET runs = excluded.runs`
	sqlDrop   = `DELETE FROM limit_runs WHERE name = $1 AND span = $2 AND seq < $3`
	sqlCommit = `commit`
)

// idleMargin is how long a key is kept when all its runs have left: a database that
// takes over after a failover may have a slower clock.
const idleMargin = 10 * time.Second

// turn is one transaction about some orders.
type turn struct {
	conn   *pgx.Conn
	all    []Order // what the store was asked, guards included
	clock  int64
	locked bool
	keys   []keyTurn
}

// keyTurn is one order in it.
type keyTurn struct {
	order   *Order
	known   bool // it has a row
	now     int64
	windows []counts // one for each of the order's, then those of other policies
	spilled [][]run  // of each of the order's windows
	began   []int64  // from of each, as it was read
	write   bool
}

// run takes the orders, sorted by name, through the transaction.
func (t *turn) run(ctx context.Context, orders []*Order) ([]*Order, error) {
	for _, o := range orders {
		t.locked = t.locked || o.N > 0
		t.keys = append(t.keys, keyTurn{order: o})
	}
	if err := t.read(ctx); err != nil {
		return nil, err
	}
	for !t.decide() {
		if err := t.readPieces(ctx); err != nil {
			return nil, err
		}
	}
	return t.finish(ctx)
}

// read locks and reads the rows of keys that are spent, in the order of their names, and
// reads those that are only looked at. One statement a key, all sent together: the
// database plans such ones once, but statements about lists again and again.
func (t *turn) read(ctx context.Context) error {
	b := &pgx.Batch{}
	if t.locked {
		b.Queue(sqlBegin)
		b.Queue(sqlSet).QueryRow(func(row pgx.Row) error {
			var ignored string
			return row.Scan(&ignored, &ignored, &t.clock)
		})
	} else {
		b.Queue(sqlNow).QueryRow(func(row pgx.Row) error { return row.Scan(&t.clock) })
	}
	for i := range t.keys {
		k := &t.keys[i]
		query := sqlLook
		if k.order.N > 0 {
			query = sqlLock
		}
		b.Queue(query, []byte(k.order.Key)).QueryRow(func(row pgx.Row) error {
			var state []byte
			err := row.Scan(&state)
			if err != nil && !errors.Is(err, pgx.ErrNoRows) {
				return err
			}
			k.begin(t.clock, state, err == nil)
			return nil
		})
	}
	return t.conn.SendBatch(ctx, b).Close()
}

// begin takes what a key's row holds.
func (k *keyTurn) begin(clock int64, state []byte, known bool) {
	k.known = known
	var stored []counts
	if known {
		stored, _ = readState(state) // a row that does not read is as good as none
	}
	m := k.order.Meter
	k.windows = make([]counts, m.Len(), m.Len()+len(stored))
	k.began, k.spilled = make([]int64, m.Len()), make([][]run, m.Len())
	k.now = clock
	if k.order.At != 0 {
		k.now = k.order.At
	}
	for i := range k.windows {
		k.windows[i].name = windowName(m, i)
	}
	for _, c := range stored {
		k.now = max(k.now, c.newest)
		if i := k.index(c.name); i >= 0 {
			k.windows[i] = c
		} else {
			k.windows = append(k.windows, c)
		}
	}
	for i := range k.began {
		k.began[i] = k.windows[i].from
	}
}

// index finds the order's window of a name, or -1.
func (k *keyTurn) index(name string) int {
	for i := range k.order.Meter.Len() {
		if k.windows[i].name == name {
			return i
		}
	}
	return -1
}

// decide answers every order, and counts. It returns false when pieces must be read first.
func (t *turn) decide() bool {
	for i := range t.keys {
		if !t.keys[i].use() {
			return false
		}
	}
	for i := range t.keys {
		t.keys[i].order.Settle(t.all)
	}
	for i := range t.keys {
		t.keys[i].count()
	}
	return true
}

// use fills in what is used of the order's windows.
func (k *keyTurn) use() bool {
	o := k.order
	used := o.Used[:0]
	for i := range o.Meter.Len() {
		w := o.Meter.Window(i)
		if !k.windows[i].expire(w.Per, k.now) {
			return false
		}
		u, ok := k.windows[i].use(w, k.now)
		if !ok {
			return false
		}
		used = append(used, u)
	}
	o.Used, o.Err = used, nil
	return true
}

// count counts what the order's windows admit.
func (k *keyTurn) count() {
	o := k.order
	admitted := o.Meter.Admits(o.Used, o.Counts)
	for i := range o.Meter.Len() {
		if admitted > 0 {
			k.spilled[i] = k.windows[i].add(o.Meter.Window(i).Grain, k.now, int64(admitted))
		}
		k.write = k.write || k.windows[i].from != k.began[i]
	}
	k.write = o.N > 0 && (k.write || admitted > 0)
}

// piecesAtOnce is how many pieces of a window are read at a time.
const piecesAtOnce = 8

// errMoved means that a row that was only looked at has changed meanwhile.
var errMoved = errors.New("a piece is gone")

// readPieces reads the next pieces of the windows that need some.
func (t *turn) readPieces(ctx context.Context) error {
	b := &pgx.Batch{}
	for i := range t.keys {
		k := &t.keys[i]
		for j := range k.order.Meter.Len() {
			c := &k.windows[j]
			next := c.from + int64(len(c.pieces))
			if next == c.to {
				continue
			}
			want := min(next+piecesAtOnce, c.to) - next
			b.Queue(sqlPiece, []byte(k.order.Key), c.name, next, next+want).Query(func(rows pgx.Rows) error {
				return c.take(rows, want, k.order.N > 0)
			})
		}
	}
	return t.conn.SendBatch(ctx, b).Close()
}

// take adds pieces that were read. Where they are missing or don't read although the key
// is locked, the window has lost its middle: then nothing is left of it, and it begins anew.
func (c *counts) take(rows pgx.Rows, want int64, locked bool) error {
	var seq, got int64
	var text []byte
	_, err := pgx.ForEachRow(rows, []any{&seq, &text}, func() error {
		runs, err := readRuns(text)
		if err == nil {
			c.pieces = append(c.pieces, runs)
			got++
		}
		return nil //nolint:nilerr // told by the number
	})
	if err == nil && got != want {
		if !locked {
			return errMoved
		}
		*c = counts{name: c.name, from: c.to, to: c.to}
	}
	return err
}

// idleAt is when nothing of the key counts any more.
func (k *keyTurn) idleAt() int64 {
	at := int64(0)
	for i := range k.windows {
		per, _, _ := strings.Cut(k.windows[i].name, ".")
		length, err := strconv.ParseInt(per, 10, 64)
		if err != nil {
			length = time.Hour.Microseconds()
		}
		at = max(at, k.windows[i].newest+length)
	}
	return at + idleMargin.Microseconds()
}

// finish writes what was counted and commits. It returns the orders whose rows were made
// by others at the same time.
func (t *turn) finish(ctx context.Context) ([]*Order, error) {
	if !t.locked {
		return nil, nil
	}
	b := &pgx.Batch{}
	var again []*Order
	for i := range t.keys {
		k := &t.keys[i]
		if !k.write {
			continue
		}
		k.queuePieces(b)
		name, state, idle := []byte(k.order.Key), appendState(k.windows), k.idleAt()
		if k.known {
			b.Queue(sqlWrite, name, state, idle)
			continue
		}
		b.Queue(sqlMake, name, state, idle).Exec(func(tag pgconn.CommandTag) error {
			if tag.RowsAffected() == 0 {
				again = append(again, k.order)
			}
			return nil
		})
	}
	b.Queue(sqlCommit)
	err := t.conn.SendBatch(ctx, b).Close()
	return again, err
}

// queuePieces writes and removes the pieces that were filled and read.
func (k *keyTurn) queuePieces(b *pgx.Batch) {
	for i, runs := range k.spilled {
		c := &k.windows[i]
		if runs != nil {
			b.Queue(sqlSpill, []byte(k.order.Key), c.name, c.to-1, appendRuns(nil, runs))
		}
		if c.from != k.began[i] {
			b.Queue(sqlDrop, []byte(k.order.Key), c.name, c.from)
		}
	}
}
