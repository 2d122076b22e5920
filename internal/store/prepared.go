package store

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// preparer is what *sql.DB and *sql.Conn have in common.
type preparer interface {
	ExecContext(context.Context, string, ...any) (sql.Result, error)
	PrepareContext(context.Context, string) (*sql.Stmt, error)
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

// prepared runs statements through ones prepared once: parsing SQL costs more than
// most of our statements. The texts are the constants sqlc generated, so the map is
// bounded by them.
type prepared struct {
	preparer

	mu    sync.RWMutex
	stmts map[string]*sql.Stmt
}

func newPrepared(p preparer) *prepared {
	return &prepared{preparer: p, stmts: map[string]*sql.Stmt{}}
}

func (p *prepared) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	p.mu.RLock()
	stmt := p.stmts[query]
	p.mu.RUnlock()
	if stmt != nil {
		return stmt, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if stmt = p.stmts[query]; stmt != nil {
		return stmt, nil
	}
	stmt, err := p.PrepareContext(ctx, sqliteText(query)) //nolint:sqlclosecheck // kept until close
	if err != nil {
		return nil, err
	}
	p.stmts[query] = stmt
	return stmt, nil
}

// ExecContext implements sqlgen.DBTX.
func (p *prepared) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	stmt, err := p.stmt(ctx, query) //nolint:sqlclosecheck // kept until close
	if err != nil {
		return nil, err
	}
	return stmt.ExecContext(ctx, args...)
}

// QueryContext implements sqlgen.DBTX. Whoever calls it closes the rows.
func (p *prepared) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	stmt, err := p.stmt(ctx, query) //nolint:sqlclosecheck // kept until close
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

// QueryRowContext implements sqlgen.DBTX.
func (p *prepared) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	stmt, err := p.stmt(ctx, query) //nolint:sqlclosecheck // kept until close
	if err != nil {
		// A Row can't be made with an error in it: let the plain call meet it again.
		return p.preparer.QueryRowContext(ctx, sqliteText(query), args...)
	}
	return stmt.QueryRowContext(ctx, args...)
}

// close ends the statements: database/sql keeps a connection open for as long as a
// statement depends on it, and SQLite folds its log only when the last one closes.
func (p *prepared) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for query, stmt := range p.stmts {
		errs = append(errs, stmt.Close())
		delete(p.stmts, query)
	}
	return errors.Join(errs...)
}
