package sharedlimit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Postgres keeps counts in PostgreSQL, in two tables that the migrations of store make:
// a row of limit_counts for each key, and pieces of long windows in limit_runs.
//
// A round trip locks the rows of its keys in the order of their names, decides, writes and
// commits without waiting for the disk: counts need not outlive a crash of the database.
// Rows are locked, not compared and tried again, so that replicas that hammer one key
// take turns.
type Postgres struct {
	pool *pgxpool.Pool
}

const (
	// postgresConns: one for the round under way, one for sweeping.
	postgresConns = 2
	// maxTries bounds how often a round is tried that met another one.
	maxTries = 8
)

// NewPostgres makes a store on the database at a URL, without connecting yet. timeout is
// what a round trip may take. The error does not repeat the password.
func NewPostgres(ctx context.Context, url string, timeout time.Duration) (*Postgres, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("limits: not the URL of a PostgreSQL database: %w", err)
	}
	config.MinConns, config.MinIdleConns, config.MaxConns = 0, 0, postgresConns
	c := config.ConnConfig
	c.ConnectTimeout = timeout
	if c.ValidateConnect == nil { // after a failover, the server that takes writes
		c.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	if c.RuntimeParams["application_name"] == "" {
		c.RuntimeParams["application_name"] = "rollcall-limits"
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("limits: connect with PostgreSQL: %w", err)
	}
	return &Postgres{pool: pool}, nil
}

// Spend implements Store.
func (p *Postgres) Spend(ctx context.Context, orders []Order) {
	pending := make([]*Order, len(orders))
	for i := range orders {
		pending[i] = &orders[i]
	}
	slices.SortFunc(pending, func(a, b *Order) int { return strings.Compare(a.Key, b.Key) })
	var err error
	for try := 0; len(pending) > 0 && try < maxTries; try++ {
		var again []*Order
		again, err = p.try(ctx, orders, pending)
		if err == nil {
			pending = again
		} else if !repeatable(err) || ctx.Err() != nil {
			break
		}
	}
	if err == nil {
		err = errContended
	}
	for _, o := range pending {
		o.Used, o.Err = nil, fmt.Errorf("ask the store of limits: %w", err)
	}
}

var errContended = errors.New("others made and forgot the same keys at the same time, again and again")

// repeatable tells whether nothing was done because of another transaction.
func repeatable(err error) bool {
	var pg *pgconn.PgError
	return errors.Is(err, errMoved) || errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01")
}

// try asks for some of all orders in one transaction. It returns those to ask for again: their
// rows were made by others at the same time.
func (p *Postgres) try(ctx context.Context, all []Order, orders []*Order) ([]*Order, error) {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	t := turn{conn: conn.Conn(), all: all}
	again, err := t.run(ctx, orders)
	if err != nil && t.conn.PgConn().TxStatus() != 'I' && !t.conn.IsClosed() {
		_, rollback := t.conn.Exec(ctx, "rollback")
		err = errors.Join(err, rollback)
	}
	return again, err
}

// sweepBatch is how many keys are forgotten in one transaction.
const sweepBatch = 500

const (
	sqlSweep = `DELETE FROM limit_counts WHERE name IN (
	SELECT name FROM limit_counts WHERE idle_at <= ` + sqlClock + ` ORDER BY name LIMIT $1 FOR UPDATE
) RETURNING name`
	sqlSweepRuns = `DELETE FROM limit_runs WHERE name = ANY($1)`
)

// Sweep implements Store. Replicas may sweep at the same time.
func (p *Postgres) Sweep(ctx context.Context) error {
	for {
		n, err := p.sweep(ctx)
		if err != nil {
			return fmt.Errorf("forget idle limits: %w", err)
		}
		if n < sweepBatch {
			return nil
		}
	}
}

func (p *Postgres) sweep(ctx context.Context) (int, error) {
	var names [][]byte
	err := pgx.BeginTxFunc(ctx, p.pool, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, sqlSweep, sweepBatch)
		if err != nil {
			return err
		}
		if names, err = pgx.CollectRows(rows, pgx.RowTo[[]byte]); err != nil || len(names) == 0 {
			return err
		}
		_, err = tx.Exec(ctx, sqlSweepRuns, names)
		return err
	})
	if repeatable(err) {
		return 0, nil // another replica is at it
	}
	return len(names), err
}

// Close implements Store.
func (p *Postgres) Close() { p.pool.Close() }
