package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-id/rollcall/internal/terminal"
)

// Token is for programs that make their own requests.
type Token struct {
	Target
	Print  TokenPrint  `cmd:"" help:"Print a new access token."`
	Revoke TokenRevoke `cmd:"" help:"End an access token at once."`
}

// TokenPrint prints a token.
type TokenPrint struct{}

// Help gives an example.
func (TokenPrint) Help() string {
	return `Whoever has the token can do what the application may until it ends. Give it to curl on standard input, so that it is no argument:

	rollcall token print
	echo "Authorization: Bearer $(rollcall token print)" | curl -H @- "$ROLLCALL_BASE_URL/v1/accounts/$ROLLCALL_ACCOUNT_ID/users"`
}

// Run prints a token that nothing else uses.
func (*TokenPrint) Run(ctx context.Context, e *Env, t *Token) error {
	return e.connected(ctx, t.Target, manners{}, func(s *session) error {
		token, err := s.Tokens.Issue(ctx)
		if err != nil {
			return interrupted(ctx, err, "no token was printed")
		}
		if _, err := fmt.Fprintln(e.Stdout, terminal.Visible(token.Value.Reveal())); err != nil {
			return err
		}
		fmt.Fprintf(e.Stderr, "It ends in %s, or with 'rollcall token revoke --stdin'.\n", token.Lifetime.Round(time.Second))
		if terminal.IsTerminal(e.Stdout) {
			fmt.Fprintln(e.Stderr, "It is now on your screen, and in what your terminal keeps: pipe it into the program that needs it.")
		}
		return nil
	})
}

// TokenRevoke ends a token.
type TokenRevoke struct {
	Stdin bool `help:"Read the token from standard input instead of asking for it."`
}

// Help gives an example.
func (TokenRevoke) Help() string {
	return "Only tokens of the same application are ended; a token that is unknown or has ended already is no error.\n\n\trollcall token revoke --stdin"
}

// Run ends the token.
func (cmd *TokenRevoke) Run(ctx context.Context, e *Env, t *Token) error {
	token, err := e.readSecret(ctx, cmd.Stdin, "Access token: ")
	if err != nil {
		return err
	}
	return e.connected(ctx, t.Target, manners{}, func(s *session) error {
		if err := s.Tokens.Revoke(ctx, token); err != nil {
			return interrupted(ctx, err, "the token may still live")
		}
		fmt.Fprintln(e.Stderr, "If it was a token of this application, it has ended.")
		return nil
	})
}
