package store

import (
	"context"
	"database/sql"

	"github.com/pressly/goose/v3"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/store/internal/sqlgen"
)

// wordsVersion is the step of the schema that no SQL can take: cutting names into words.
const wordsVersion = 6

// wordsMigration fills user_words for the people who were there before it.
func wordsMigration() *goose.Migration {
	return goose.NewGoMigration(wordsVersion, &goose.GoFunc{RunTx: fillWords}, &goose.GoFunc{RunTx: emptyWords})
}

func fillWords(ctx context.Context, db *sql.Tx) error {
	q := sqlgen.New(db)
	accounts, err := q.ListAccounts(ctx)
	if err != nil {
		return err
	}
	for _, a := range accounts {
		for after, more := "", true; more; {
			rows, err := q.PageOfAll(ctx, a.ID, after, usersAPage)
			if err != nil {
				return err
			}
			for _, r := range rows {
				if err := addWords(ctx, q, userOf(r)); err != nil {
					return err
				}
				after = r.ID
			}
			more = len(rows) == usersAPage
		}
	}
	return nil
}

func emptyWords(ctx context.Context, db *sql.Tx) error {
	_, err := db.ExecContext(ctx, "DELETE FROM user_words")
	return err
}

// addWords keeps the words by which somebody is found.
func addWords(ctx context.Context, q *sqlgen.Queries, u directory.User) error {
	for _, word := range directory.SearchWords(u) {
		if err := q.InsertWord(ctx, string(u.Account), []byte(word), string(u.ID)); err != nil {
			return err
		}
	}
	return nil
}

// deleteWords takes away those of somebody as they are stored. No index tells whose a word is: words are what
// directory.SearchWords makes of the name and the address, and of nothing else.
func deleteWords(ctx context.Context, q *sqlgen.Queries, u directory.User) error {
	for _, word := range directory.SearchWords(u) {
		if err := q.DeleteWord(ctx, string(u.Account), []byte(word), string(u.ID)); err != nil {
			return err
		}
	}
	return nil
}

// replaceWords keeps those of somebody whose name or address has changed.
func (t *tx) replaceWords(ctx context.Context, before, after directory.User) error {
	if err := deleteWords(ctx, t.Later, before); err != nil {
		return err
	}
	return addWords(ctx, t.Later, after)
}
