package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rollcall-id/rollcall/api"
)

// barePgx answers the benchmark's requests out of rollcall's tables, with net/http and pgx
// and nothing else: no token is looked at, no limit counted, no entry written.
type barePgx struct {
	pool   *pgxpool.Pool
	tokens chan bareIssue
}

// bareIssue is a token that is to be stored, and where to say that it is.
type bareIssue struct {
	hash []byte
	done chan error
}

func newBarePgx(ctx context.Context, url string) (http.Handler, error) {
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return nil, err
	}
	b := &barePgx{pool: pool, tokens: make(chan bareIssue, 1024)}
	go b.issue(ctx)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1beta1/users/oauth2/token", b.token)
	mux.HandleFunc("GET /v1beta1/accounts/{account}/users", b.list)
	mux.HandleFunc("GET /v1beta1/accounts/{account}/users/{user}", b.get)
	mux.HandleFunc("POST /v1beta1/accounts/{account}/users/{user}", b.change)
	return mux, nil
}

// issue stores what has gathered in one transaction.
func (b *barePgx) issue(ctx context.Context) {
	for {
		var group []bareIssue
		select {
		case <-ctx.Done():
			return
		case first := <-b.tokens:
			group = append(group, first)
		}
		for more := true; more && len(group) < 128; {
			select {
			case next := <-b.tokens:
				group = append(group, next)
			default:
				more = false
			}
		}
		batch := &pgx.Batch{}
		for _, one := range group {
			batch.Queue("INSERT INTO tokens (hash, client_id, secret_id, issue_time, expire_time) VALUES ($1, 'bare', 'bare', 0, $2)", one.hash, time.Now().UnixMicro())
		}
		err := b.pool.SendBatch(ctx, batch).Close()
		for _, one := range group {
			one.done <- err
		}
	}
}

func (b *barePgx) token(w http.ResponseWriter, r *http.Request) {
	if _, _, ok := r.BasicAuth(); !ok || r.PostFormValue("grant_type") != api.GrantClientCredentials {
		http.Error(w, "not what the benchmark sends", http.StatusBadRequest)
		return
	}
	text := rand.Text() + rand.Text()
	hash := sha256.Sum256([]byte(text))
	one := bareIssue{hash[:], make(chan error, 1)}
	b.tokens <- one
	if err := <-one.done; err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	bareAnswer(w, api.TokenResponse{AccessToken: text, TokenType: api.TokenTypeBearer, ExpiresIn: 900, Scope: api.ScopeOpenID})
}

const bareColumns = "SELECT id, email, display_name, state, create_time FROM users "

func bareRead(account string, row pgx.Row) (api.User, error) {
	var u api.User
	var created int64
	err := row.Scan(&u.ID, &u.Email, &u.DisplayName, &u.State, &created)
	u.CreateTime = api.Timestamp{Time: time.UnixMicro(created).UTC()}
	u.Path = "accounts/" + account + "/users/" + u.ID
	return u, err
}

func (b *barePgx) get(w http.ResponseWriter, r *http.Request) {
	account := r.PathValue("account")
	u, err := bareRead(account, b.pool.QueryRow(r.Context(), bareColumns+"WHERE account_id = $1 AND id = $2", account, r.PathValue("user")))
	bareSay(w, u, err)
}

func (b *barePgx) list(w http.ResponseWriter, r *http.Request) {
	account := r.PathValue("account")
	rows, err := b.pool.Query(r.Context(), bareColumns+"WHERE account_id = $1 AND listed = 1 ORDER BY create_time, id LIMIT $2", account, pageSize)
	if err != nil {
		bareSay(w, nil, err)
		return
	}
	users, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (api.User, error) { return bareRead(account, row) })
	bareSay(w, api.ListUsersResponse{Results: users, NextPageToken: "more"}, err)
}

func (b *barePgx) change(w http.ResponseWriter, r *http.Request) {
	account := r.PathValue("account")
	id, verb, _ := strings.Cut(r.PathValue("user"), ":")
	state := api.StateActive
	if verb == "suspend" {
		state = api.StateSuspended
	}
	u, err := bareRead(account, b.pool.QueryRow(r.Context(),
		"UPDATE users SET state = $3 WHERE account_id = $1 AND id = $2 RETURNING id, email, display_name, state, create_time", account, id, string(state)))
	bareSay(w, u, err)
}

func bareSay(w http.ResponseWriter, value any, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	bareAnswer(w, value)
}
