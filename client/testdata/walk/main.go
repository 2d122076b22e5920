// Command walk walks all people of an account and prints how many there were and a hash of their ids, in their order. Its
// test looks at what it needs in memory.
package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"

	"github.com/rollcall-id/rollcall/client"
)

func main() {
	if err := walk(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "walk:", err)
		os.Exit(1)
	}
}

func walk(ctx context.Context) error {
	c, err := client.New(client.Config{
		BaseURL: os.Getenv("ROLLCALL_BASE_URL"), AccountID: os.Getenv("ROLLCALL_ACCOUNT_ID"), ClientID: os.Getenv("ROLLCALL_CLIENT_ID"),
		ClientSecret: client.NewSecret(os.Getenv("ROLLCALL_CLIENT_SECRET")), UserAgent: "Example/1.0",
	})
	if err != nil {
		return err
	}
	people, hash := 0, sha256.New()
	for u, err := range c.Users.All(ctx, client.ListOptions{}) {
		if err != nil {
			return err
		}
		people++
		fmt.Fprintln(hash, u.ID)
	}
	fmt.Printf("%d %x\n", people, hash.Sum(nil))
	return c.Close(ctx)
}
