package roster

import (
	"fmt"
	"iter"
	"math"
	"time"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
)

// Generate asks for people who are made up: always the same ones, but for their ids.
type Generate struct {
	Count             int     // 0 to MaxGenerated
	SuspendedFraction float64 // 0 to 1: how many of them are suspended, evenly spread
}

// Generated people were created one a second from here on: 10 million take less than four months.
var firstGenerated = time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)

// Users yields the people one by one, from user000001@example.com on.
func (g Generate) Users() iter.Seq[directory.User] {
	return func(yield func(directory.User) bool) {
		for i := range g.Count {
			u := directory.User{
				Email:       generatedEmail(i + 1),
				DisplayName: fmt.Sprintf("User %06d", i+1),
				State:       directory.Active,
				CreateTime:  firstGenerated.Add(time.Duration(i) * time.Second),
			}
			if g.suspended(i+1) > g.suspended(i) {
				u.State = directory.Suspended
			}
			if !yield(u) {
				return
			}
		}
	}
}

// suspended tells how many of the first n people are suspended.
func (g Generate) suspended(n int) int {
	const dust = 1e-6 // of binary fractions: 0.29 of 100 is 29
	return int(math.Floor(float64(n)*g.SuspendedFraction + dust))
}

func generatedEmail(n int) ident.Email { return ident.Email(fmt.Sprintf("user%06d@example.com", n)) }

// makes tells whether one of the people would have the address.
func (g Generate) makes(email ident.Email) bool {
	var n int
	if _, err := fmt.Sscanf(email.Key(), "user%d@", &n); err != nil {
		return false
	}
	return n >= 1 && n <= g.Count && email.Key() == generatedEmail(n).Key()
}
