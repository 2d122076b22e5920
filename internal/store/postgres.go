package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/rollcall-id/rollcall/internal/store/internal/sqlgen"
)

// DefaultConnections is how many connections a replica keeps to its server at most,
// unless it is told otherwise, and leastConnections the fewest that work.
const (
	DefaultConnections = 12
	LeastConnections   = 4
)

// oldestPostgres is the first version that is tested.
const oldestPostgres = 15

const (
	// connectTimeout bounds connecting, unless the URL says another one.
	connectTimeout = 5 * time.Second
	// statementTimeout bounds each wait for the server: it is above what the server itself
	// bounds, and below what a person waits.
	statementTimeout = 8 * time.Second
	// connectionLifetime replaces connections now and then, so that they spread again over
	// the servers of a cluster.
	connectionLifetime = 30 * time.Minute
	connectionIdle     = 5 * time.Minute
)

// postgresEngine is a database of a PostgreSQL server, with a pool for reads and a smaller
// one for transactions: neither can starve the other.
type postgresEngine struct {
	name   string // without a password
	config *pgx.ConnConfig
	reader *sql.DB
	writes *sql.DB
	size   int
	alike  bool  // not PostgreSQL, but an engine that speaks its language
	newest int64 // version of the schema that this binary knows
}

func openPostgres(ctx context.Context, o Options) (*postgresEngine, error) {
	config, err := parseURL(o.URL)
	if err != nil {
		return nil, err
	}
	size := o.Connections
	if size == 0 {
		size = DefaultConnections
	}
	if size < LeastConnections {
		return nil, fmt.Errorf("%d connections to the database are too few: give at least %d", size, LeastConnections)
	}
	e := &postgresEngine{
		name: fmt.Sprintf("database %s at %s", config.Database, net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))), config: config, size: size,
	}
	e.writes, e.reader = e.pool(e.limits().transactions+1), e.pool(e.limits().reads) // one more, for ping
	if err := e.ready(ctx, o); err != nil {
		return nil, errors.Join(explainPostgres(e.name, err), e.close())
	}
	return e, nil
}

// parseURL reads the database's URL, and what PostgreSQL's variables and files add.
func parseURL(url string) (*pgx.ConnConfig, error) {
	if !strings.HasPrefix(url, "postgres://") && !strings.HasPrefix(url, "postgresql://") {
		return nil, errors.New("--database wants the URL of a PostgreSQL database: postgres://USER@HOST/DATABASE")
	}
	config, err := pgx.ParseConfig(url)
	if err != nil { // its text leaves the password out
		return nil, fmt.Errorf("--database is not the URL of a PostgreSQL database (postgres://USER@HOST/DATABASE): %w", err)
	}
	if !strings.Contains(url, "connect_timeout=") {
		config.ConnectTimeout = connectTimeout
	}
	if config.ValidateConnect == nil { // a standby would answer with what was true a moment ago
		config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "rollcall"
	}
	d := dialer(config)
	config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		return dialImpatiently(ctx, d, network, address)
	}
	return config, nil
}

func dialer(config *pgx.ConnConfig) *net.Dialer {
	return &net.Dialer{Timeout: config.ConnectTimeout, KeepAlive: 15 * time.Second}
}

func (e *postgresEngine) pool(size int) *sql.DB {
	db := stdlib.OpenDB(*e.config, stdlib.OptionAfterConnect(planOnce), stdlib.OptionShouldPing(takeInHand))
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	db.SetConnMaxLifetime(connectionLifetime)
	db.SetConnMaxIdleTime(connectionIdle)
	return db
}

// planOnce has the server plan each prepared statement once, for all values: our statements
// have one good plan each (see TestPostgresPlans), and to find it anew costs as much as to
// follow it. Where nothing is prepared, or a server has no such setting, nothing is lost.
func planOnce(ctx context.Context, c *pgx.Conn) error {
	if mode := c.Config().DefaultQueryExecMode; mode != pgx.QueryExecModeCacheStatement {
		return nil
	}
	_, err := c.Exec(ctx, "SET plan_cache_mode = force_generic_plan")
	if sqlState(err) != "" {
		return nil
	}
	return err
}

// ready checks the server and the database, and migrates it.
func (e *postgresEngine) ready(ctx context.Context, o Options) error {
	if err := e.checkVersion(ctx); err != nil {
		return err
	}
	if err := e.migrate(ctx, o); err != nil {
		return err
	}
	return e.ping(ctx)
}

// checkVersion refuses a PostgreSQL that is too old. Other programs that speak its
// language count their versions otherwise.
func (e *postgresEngine) checkVersion(ctx context.Context) error {
	var product, number string
	if err := e.reader.QueryRowContext(ctx, "SELECT version()").Scan(&product); err != nil {
		return err
	}
	if e.alike = !strings.HasPrefix(product, "PostgreSQL "); e.alike {
		return nil
	}
	if err := e.reader.QueryRowContext(ctx, "SHOW server_version_num").Scan(&number); err != nil {
		return err
	}
	n, err := strconv.Atoi(number)
	if err != nil {
		return fmt.Errorf("the server's version reads %q", number)
	}
	return tooOld(n)
}

// tooOld refuses versions, as server_version_num has them, before the oldest that is tested.
func tooOld(number int) error {
	if number/10000 < oldestPostgres {
		return fmt.Errorf("the server is PostgreSQL %d: %d or newer is needed", number/10000, oldestPostgres)
	}
	return nil
}

// reads implements engine.
func (e *postgresEngine) reads() sqlgen.DBTX { return e.reader }

// limits implements engine. A third of the connections write: transactions are short, and
// the more callers' work each carries, the less each costs.
func (e *postgresEngine) limits() engineLimits {
	transactions := min(max(2, e.size/3), 8)
	return engineLimits{transactions: transactions, free: 1, reads: e.size - transactions - 1, runs: runsTogether, together: mostTogether, unheard: true}
}

// ping implements engine.
func (e *postgresEngine) ping(ctx context.Context) error {
	if err := e.checkStep(ctx); err != nil {
		return err
	}
	_, err := e.writes.ExecContext(ctx, tryWrite)
	return err
}

// idle implements engine.
func (e *postgresEngine) idle() {}

// close implements engine.
func (e *postgresEngine) close() error { return errors.Join(e.reader.Close(), e.writes.Close()) }
