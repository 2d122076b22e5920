package main

import (
	"context"
	"fmt"

	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/terminal"
)

type auditVerifyCmd struct{}

// Help says what it finds.
func (auditVerifyCmd) Help() string {
	return `Every entry carries a hash of itself and of the change before it: entries that were altered, removed or added behind rollcall's back are named, and the exit status is then 1. Without --account all accounts are checked. Whoever can write the database could compute a whole new chain: keep the heads it prints elsewhere to compare.

	rollcall admin audit verify --data /var/lib/rollcall`
}

// reportView is what was found in one account's record.
type reportView struct {
	Account  ident.AccountID `json:"account_id"`
	Changes  int64           `json:"changes"`
	Others   int64           `json:"others"`
	HeadSeq  int64           `json:"head_seq"`
	HeadHash string          `json:"head_hash"`
	Problems []problemView   `json:"problems"`
}

type problemView struct {
	EntryID ident.EntryID `json:"entry_id"`
	Seq     int64         `json:"seq"`
	What    string        `json:"what"`
}

// Run verifies the chosen account's record, or everybody's.
func (auditVerifyCmd) Run(ctx context.Context, w *world, a *adminCmd) error {
	return a.work(ctx, w, func(ctx context.Context, d *desk) error {
		accounts, err := d.toVerify(ctx)
		if err != nil {
			return err
		}
		problems := 0
		reports := make([]reportView, 0, len(accounts))
		for _, account := range accounts {
			report, err := d.verify(ctx, account)
			if err != nil {
				return err
			}
			problems += len(report.Problems)
			reports = append(reports, report)
		}
		if err := printReports(d.out, reports); err != nil {
			return err
		}
		if problems > 0 {
			return fmt.Errorf("the audit record is not what was written (problems: %d): keep a copy of the database with %s before anything else",
				problems, d.hint("backup FILE"))
		}
		return nil
	})
}

// toVerify is the chosen account, or all of them and the callers of no known account.
func (d *desk) toVerify(ctx context.Context) ([]ident.AccountID, error) {
	if d.command.AccountID != "" {
		account, err := d.account(ctx)
		return []ident.AccountID{account}, err
	}
	accounts, err := d.Directory.Accounts(ctx, d.caller)
	if err != nil {
		return nil, err
	}
	ids := make([]ident.AccountID, 0, len(accounts)+1)
	for _, account := range accounts {
		ids = append(ids, account.ID)
	}
	return append(ids, ""), nil
}

func (d *desk) verify(ctx context.Context, account ident.AccountID) (reportView, error) {
	found, err := audit.Verify(ctx, d.Store, account)
	if err != nil {
		return reportView{}, err
	}
	var head audit.Head
	if account != "" {
		if head, err = d.Store.Head(ctx, account); err != nil {
			return reportView{}, err
		}
	}
	view := reportView{
		Account: account, Changes: found.Changes, Others: found.Others,
		HeadSeq: head.Seq, HeadHash: head.Hash.String(), Problems: []problemView{},
	}
	for _, p := range found.Problems {
		view.Problems = append(view.Problems, problemView{p.EntryID, p.Seq, p.What})
	}
	return view, nil
}

func printReports(p *terminal.Printer, reports []reportView) error {
	var lines []string
	for _, r := range reports {
		whose := "account " + string(r.Account)
		if r.Account == "" {
			whose = "callers of no known account"
		}
		line := fmt.Sprintf("%s: %d changes, %d other entries, problems: %d", whose, r.Changes, r.Others, len(r.Problems))
		if r.Account != "" {
			line += fmt.Sprintf(", head %d:%s", r.HeadSeq, r.HeadHash)
		}
		lines = append(lines, line)
		for _, problem := range r.Problems {
			lines = append(lines, fmt.Sprintf("  entry %d (%s): %s", problem.Seq, orDash(string(problem.EntryID)), problem.What))
		}
	}
	return p.One(reports, lines...)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
